import { run } from './run.js';

const INSIDE = 'MULTIPROCESS_TEST_OWN_SHM';
const COMMAND = 'mount -t tmpfs tmpfs /dev/shm && exec "$0" "$@"';
// As root, or as root of a user namespace where the system allows those.
const ways = [['-m'], ['-U', '-r', '-m']];

/** Whether this process has a /dev/shm that no other test sees. */
export const hasOwnShm = process.env[INSIDE] === '1';

/** How to run something with a /dev/shm of its own; undefined where the system does not allow that. */
export async function findOwnShm(): Promise<((file: string) => ReturnType<typeof run>) | undefined> {
  for (const way of ways) {
    const within = (args: readonly string[], env?: NodeJS.ProcessEnv) =>
      run('unshare', [...way, 'sh', '-c', COMMAND, ...args], env === undefined ? {} : { env });
    if ((await within(['true'])).code !== 0) continue;
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    return (file) => within([process.execPath, file], { ...env, [INSIDE]: '1' });
  }
  return undefined;
}

/** Runs a program with a /dev/shm of its own, and lists on stdout what it has left there; undefined where that cannot be had. */
export async function listAfterwards(
  file: string,
): Promise<{ code: number | null; stdout: string; stderr: string } | undefined> {
  for (const way of ways) {
    if ((await run('unshare', [...way, 'sh', '-c', COMMAND, 'true'])).code !== 0) continue;
    const command = 'mount -t tmpfs tmpfs /dev/shm && "$0" "$@" && ls /dev/shm';
    const { code, stdout, stderr } = await run('unshare', [...way, 'sh', '-c', command, process.execPath, file]);
    return { code, stdout, stderr };
  }
  return undefined;
}
