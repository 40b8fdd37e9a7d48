#!/usr/bin/env node
'use strict';

const { readFileSync } = require('node:fs');
const { availableParallelism } = require('node:os');
const { join } = require('node:path');
const { setFlagsFromString } = require('node:v8');

const argv = process.argv.slice(2);

if (argv[0] === '--version' || argv[0] === '-v') {
  const { name, version } = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8'));
  console.log(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}`);
} else {
  // The pool of threads that decode must have its size before anything starts it: one for each picture in flight,
  // and some to spare for files. An ECMAScript entry would be too late for this on Node 20.
  process.env.UV_THREADPOOL_SIZE ??= String(
    Math.min(1024, Math.max(availableParallelism() + 1, inFlight(argv)) + 5),
  );
  // A picture leaves little garbage, but what the heap grows to over thousands of them is never given back: so it
  // grows little (a third less memory at 3,000 files, no more CPU time). Later versions may not know the flags.
  // A server lives long and answers many at once, which such a small heap would have it clean up all the time.
  if (argv[0] !== 'serve' && Number.parseInt(process.versions.node, 10) <= 24) {
    for (const flag of ['--semi-space-growth-factor=1', '--heap-growing-percent=40'])
      setFlagsFromString(flag);
  }
  void import('../dist/cli/main.js').then(({ main }) => main(argv));
}

/** The number that --concurrency asks for, in any of its spellings, or 0. */
function inFlight(args) {
  const joined = /(?:^|\n)(?:-j|--concurrency)[=\n]?(\d+)(?=\n|$)/.exec(args.join('\n'));
  return Number(joined?.[1] ?? 0);
}
