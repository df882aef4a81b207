// The rooms of the house: each folder of src/ imports only from the folders below it.
const rooms = [
  'cli',
  'managers',
  'redis',
  'pool',
  'process',
  ['collections', 'queues'],
  'sharedctypes',
  'synchronize',
  'values',
  'codec',
  'heap',
  'shared-memory',
  'os',
  'errors',
].map((row) => [row].flat());

const upward = rooms.flatMap((row, depth) => {
  const above = rooms.slice(0, depth).flat();
  return row.map((room) => {
    const beside = row.filter((other) => other !== room);
    const forbidden = [...above, ...beside];
    return {
      name: `${room}-imports-only-downward`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: forbidden.length ? `^src/(${forbidden.join('|')})/` : '^$' },
    };
  });
});

module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'nobody-imports-the-root',
      severity: 'error',
      from: { path: '^src/.+/' },
      to: { path: '^src/index[.]ts$' },
    },
    {
      name: 'only-os-knows-koffi',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/os/' },
      to: { path: 'koffi' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unknown-room',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: `^src/(${rooms.flat().join('|')})/` },
    },
    {
      // Users have one of them among their own dependencies: here they are optional peers, loaded when a server is reached.
      name: 'only-redis-knows-its-clients',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/redis/(ioredis|node-redis|target)[.]ts$' },
      to: { path: 'node_modules/(ioredis|redis)/' },
    },
    {
      name: 'not-to-dev-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/(ioredis|redis)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
