import { ValueError } from '../../errors/index.js';

/** Where a manager is served, or to be served. */
export interface NetworkAddress {
  readonly host: string;
  readonly port: number;
}

const FORM = /^tcp:\/\/(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:/[\]]+)):(\d{1,5})\/?$/;
const LAST_PORT = 65_535;

/** @throws TypeError for what is no string; ValueError for text that is no address. */
export function parseAddress(address: unknown): NetworkAddress {
  if (typeof address !== 'string') throw new TypeError(`An address is a string; got ${typeof address}.`);
  const [, six, name, port] = FORM.exec(address) ?? [];
  if (port === undefined || Number(port) > LAST_PORT) {
    throw new ValueError(
      `An address is 'tcp://host:port', with a port from 0 to ${LAST_PORT}; got '${address.slice(0, 80)}'.`,
    );
  }
  return { host: six ?? name!, port: Number(port) };
}

export function formatAddress({ host, port }: NetworkAddress): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
