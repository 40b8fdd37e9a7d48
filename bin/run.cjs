#!/usr/bin/env node
'use strict';

const { readFileSync } = require('node:fs');
const { availableParallelism } = require('node:os');
const { join } = require('node:path');

const argv = process.argv.slice(2);

if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) {
  const { name, version } = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8'));
  console.log(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}`);
} else {
  // The pool of threads that decode must have its size before anything starts it: one for each picture in flight,
  // and some to spare for files. An ECMAScript entry would be too late for this on Node 20.
  const wanted = Number(
    /^\d+$/.exec(argv[argv.findIndex((arg) => arg === '-j' || arg === '--concurrency') + 1] ?? ''),
  );
  process.env.UV_THREADPOOL_SIZE ??= String(
    Math.min(1024, Math.max(availableParallelism() + 1, wanted || 0) + 5),
  );
  import('../dist/cli/main.js').then(({ main }) => main(argv));
}
