import { run } from './run.js';

const INSIDE = 'MULTIPROCESS_TEST_OWN_SHM';
const MOUNT = 'mount -t tmpfs tmpfs /dev/shm';
const COMMAND = `${MOUNT} && exec "$0" "$@"`;
// As root, or as root of a user namespace where the system allows those.
const ways = [['-m'], ['-U', '-r', '-m']];

/** Whether this process has a /dev/shm that no other test sees. */
export const hasOwnShm = process.env[INSIDE] === '1';

/** How to have one; undefined where the system does not allow that. */
async function findWay(): Promise<readonly string[] | undefined> {
  for (const way of ways) if ((await run('unshare', [...way, 'sh', '-c', COMMAND, 'true'])).code === 0) return way;
  return undefined;
}

/** How to run something with a /dev/shm of its own; undefined where the system does not allow that. */
export async function findOwnShm(): Promise<((file: string) => ReturnType<typeof run>) | undefined> {
  const way = await findWay();
  if (way === undefined) return undefined;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return (file) =>
    run('unshare', [...way, 'sh', '-c', COMMAND, process.execPath, file], { env: { ...env, [INSIDE]: '1' } });
}

/** Runs a program with a /dev/shm of its own, and lists on stdout what it has left there; undefined where that cannot be had. */
export async function listAfterwards(
  file: string,
): Promise<{ code: number | null; stdout: string; stderr: string } | undefined> {
  const way = await findWay();
  if (way === undefined) return undefined;
  const command = `${MOUNT} && "$0" "$@" && ls /dev/shm`;
  const { code, stdout, stderr } = await run('unshare', [...way, 'sh', '-c', command, process.execPath, file]);
  return { code, stdout, stderr };
}
