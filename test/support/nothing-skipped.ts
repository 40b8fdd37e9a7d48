import type { Reporter, TestModule } from 'vitest/node';

/** Fails a run in CI in which a test was skipped: there, whatever a test needs is installed. */
export class NothingSkipped implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((test) => `${module.relativeModuleId}: ${test.fullName}`),
    );
    const excused = process.env.IMGTOOL_CORPUS === undefined ? skipped.filter(needsCorpus) : [];
    const unexcused = skipped.filter((name) => !excused.includes(name));
    if (unexcused.length === 0) return;
    process.exitCode = 1;
    console.error(`expected no skipped test in CI, received ${unexcused.length}:\n${unexcused.join('\n')}`);
  }
}

/** A larger collection of pictures is no part of a clone. */
function needsCorpus(name: string): boolean {
  return name.includes('corpus');
}
