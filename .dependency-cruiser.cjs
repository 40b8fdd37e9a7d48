// The layers of ARCHITECTURE.md, as rules: images flow one way, and so do imports.
//
//   errors <- kernels <- operations <- recipe <- plan <- codecs, canvas, process <- batch <- watch, jobs, server, remote <- commands

/** Files matching `from` may import, of our own, only files matching one of `to`. */
const only = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|commands|bin|test|fixtures|bench|scripts)/', pathNot: to },
});

/** Only files matching `from` may import the package, types apart. */
const reserved = (name, packages, from, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^(src|commands|bin)/', pathNot: from },
  to: { path: packages.map((it) => `node_modules/${it}/`), dependencyTypesNot: ['type-only'] },
});

/** The package (types apart) is loaded by `import()` inside the code that needs it, never at start-up. */
const lazy = (name, path, from, comment) => ({
  name,
  comment,
  severity: 'error',
  from,
  to: { path, dynamic: false, dependencyTypesNot: ['type-only'] },
});

const ERRORS = '^src/errors\\.ts$';
const KERNELS = '^src/kernels/';
const OPERATIONS = '^src/operations/';
const RECIPE = '^src/(recipe|presets)\\.ts$';
const PLAN = '^src/plan\\.ts$';
const CODECS = '^src/codecs/';
const CODEC_FACTS = '^src/codecs/(magic|magic-[a-z]+|extensions|input)\\.ts$';
const IO = '^src/io/';
const DOORS = '^src/(watch|jobs|server|remote)(/|\\.ts$)';
const BATCH = '^src/(batch|picture|deliver|outputs|planned|targets|naming)\\.ts$';

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle means that two files are one, or that a piece is missing between them.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      comment: 'Nothing imports this file and it imports nothing.',
      severity: 'error',
      from: { orphan: true, pathNot: '\\.d\\.ts$' },
      to: {},
    },
    {
      name: 'declared-packages-only',
      comment:
        'A package that is not declared, or only for development, is missing where imgtool is installed.',
      severity: 'error',
      from: { path: '^(src|commands|bin)/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'undetermined'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, dependencyTypesNot: ['type-only'] },
    },
    only('errors-know-nothing', ERRORS, [ERRORS], 'The one table of codes stands below everything.'),
    only('kernels-know-pixels', KERNELS, [KERNELS, ERRORS], 'Kernels turn raw pixels into raw pixels.'),
    only(
      'operations',
      OPERATIONS,
      [OPERATIONS, KERNELS, ERRORS],
      'An operation is declared; others derive from it.',
    ),
    only(
      'recipe',
      RECIPE,
      [RECIPE, OPERATIONS, ERRORS],
      'A recipe is data: operations and how results are encoded.',
    ),
    only('plan', PLAN, [RECIPE, OPERATIONS, ERRORS], 'The planner is a pure function.'),
    {
      name: 'codecs',
      comment:
        'Codecs read and write bytes; of the layers around them they know types, and how to name a colour.',
      severity: 'error',
      from: { path: CODECS },
      to: {
        path: '^(src|commands|bin)/',
        pathNot: [CODECS, ERRORS, KERNELS, '^src/operations/params\\.ts$'],
        dependencyTypesNot: ['type-only'],
      },
    },
    only(
      'io',
      IO,
      [IO, ERRORS, CODEC_FACTS],
      'Files are found and written without knowing what a picture is.',
    ),
    only('manifest', '^src/manifest(/|\\.ts$)', [
      '^src/manifest(/|\\.ts$)',
      '^src/io/(names|temporary)\\.ts$',
      ERRORS,
    ]),
    only(
      'report',
      '^src/report/',
      ['^src/report/', '^src/outcome\\.ts$', ERRORS],
      'Reports are pure: outcomes in, text out.',
    ),
    only(
      'surface',
      '^src/surface/',
      ['^src/surface/', OPERATIONS, RECIPE, '^src/config(/|\\.ts$)', ERRORS],
      'What every door shows is derived from the registry.',
    ),
    {
      name: 'process-knows-no-batch',
      comment: 'One picture is processed without knowing of the others.',
      severity: 'error',
      from: { path: '^src/(process|render|groups|canvas|frames|cost|limits)\\.ts$' },
      to: { path: [BATCH, DOORS, IO, '^src/(manifest|report)(/|\\.ts$)'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'flow-knows-no-door',
      comment: 'The flow does not know who started it: commands, watch, jobs or a server.',
      severity: 'error',
      from: { path: '^src/', pathNot: DOORS },
      to: { path: [DOORS] },
    },
    {
      name: 'library-knows-no-command',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(commands|bin|test|fixtures|bench|scripts)/' },
    },
    {
      name: 'jobs-and-watch-know-no-server',
      severity: 'error',
      from: { path: '^src/(watch|jobs)(/|\\.ts$)' },
      to: { path: '^src/server/' },
    },
    {
      name: 'nothing-ships-tests',
      severity: 'error',
      from: { path: '^(commands|bin)/' },
      to: { path: '^(test|fixtures|bench|scripts)/' },
    },
    reserved(
      'sharp-stays-inside',
      ['sharp'],
      [
        '^src/(operations|codecs|server/isolation)/',
        '^src/(canvas|frames|process|render|groups|versions)\\.ts$',
      ],
      'Who needs pixels asks process.ts, so that limits and the pixel budget hold for all.',
    ),
    reserved(
      'cli-packages',
      ['@oclif', 'ora'],
      ['^(commands|bin)/'],
      'The library draws nothing and parses no flags.',
    ),
    reserved(
      'server-packages',
      ['fastify', '@fastify', '@grpc', 'grpc-health-check', 'prom-client'],
      ['^src/server/'],
    ),
    reserved('queue-packages', ['bullmq', 'ioredis', '@photostructure/sqlite'], ['^src/jobs/']),
    reserved('watch-packages', ['chokidar'], ['^src/watch(/|\\.ts$)']),
    lazy(
      'doors-load-lazily',
      DOORS,
      { path: '^(commands|bin)/', pathNot: ['-run\\.ts$', '^commands/(watch/|serve-(data|lines)\\.ts$)'] },
      'A command answers --help without loading what it may start.',
    ),
    lazy(
      'heavy-packages-load-lazily',
      ['node_modules/(bullmq|ioredis|@aws-sdk|@hyzyla/pdfium)/'],
      { path: '^(src|commands|bin)/' },
      'Optional or heavy: loaded where they are first needed.',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
