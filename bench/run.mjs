// npm run bench [-- name...] [--rounds N] [--files N]: tables on standard output, JSON in bench/results/.
import { parseArgs } from 'node:util';
import { circumstances, report } from './report.mjs';

/** Every benchmark by name, each a file of its own in benchmarks/ with `run({ rounds, files })`. */
const BENCHMARKS = {
  startup: () => import('./benchmarks/startup.mjs'),
  thumbnails: () => import('./benchmarks/thumbnails.mjs'),
  progressive: () => import('./benchmarks/progressive.mjs'),
  chains: () => import('./benchmarks/chains.mjs'),
  mean: () => import('./benchmarks/mean.mjs'),
  incremental: () => import('./benchmarks/incremental.mjs'),
  outputs: () => import('./benchmarks/outputs.mjs'),
  operations: () => import('./benchmarks/operations.mjs'),
  memory: () => import('./benchmarks/memory.mjs'),
  watch: () => import('./benchmarks/watch.mjs'),
  serve: () => import('./benchmarks/serve.mjs'),
  jobs: () => import('./benchmarks/jobs.mjs'),
  isolation: () => import('./benchmarks/isolation.mjs'),
  sla: () => import('./benchmarks/sla.mjs'),
  'grpc-http': () => import('./benchmarks/grpc-http.mjs'),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, files: { type: 'string' } },
});
const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
const stranger = names.find((name) => !Object.hasOwn(BENCHMARKS, name));
if (stranger !== undefined) {
  console.error(`expected ${Object.keys(BENCHMARKS).join(', ')}, received ${stranger}`);
  process.exit(2);
}

console.log(
  Object.entries(circumstances())
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join('\n'),
);
for (const name of names) {
  const { run } = await BENCHMARKS[name]();
  report(name, await run({ rounds: whole(values.rounds), files: whole(values.files) }));
}

function whole(text) {
  return text === undefined ? undefined : Math.max(1, Math.trunc(Number(text)) || 1);
}
