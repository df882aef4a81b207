// node open-as-other-user.js HANDLE: a user who has no rights opens a handle. The library is loaded before, as who may read it.
import { Manager, open } from 'multiprocess';

process.setgid!(65534);
process.setuid!(65534);
for (const attempt of [() => open(process.argv[2]!), () => Manager({ name: 'ours', timeout: 1000 })]) {
  try {
    await attempt();
    console.log('opened');
  } catch (error) {
    console.log((error as { code?: string }).code);
  }
}
