import { defineConfig } from 'vitest/config';
import { NothingSkipped } from './test/support/nothing-skipped.js';

const inCi = process.env.CI !== undefined;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/setup.ts'],
    setupFiles: ['test/support/seed.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    reporters: inCi ? ['default', new NothingSkipped()] : ['default'],
    maxWorkers: 2,
  },
});
