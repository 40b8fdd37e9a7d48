import { fileURLToPath } from 'node:url';
import { execa, type Options } from 'execa';

/** The command line as a package would start it. */
export const CLI = fileURLToPath(new URL('../../bin/run.cjs', import.meta.url));

/** The environment of a user's terminal: none of the settings, the test runner's or our own, that change what is said. */
export function userEnvironment(): Record<string, string | undefined> {
  const own = Object.keys(process.env).filter((name) => name.startsWith('IMGTOOL_'));
  return {
    ...Object.fromEntries(own.map((name) => [name, undefined])),
    NODE_EXTRA_CA_CERTS: undefined,
    CI: undefined,
    VITEST: undefined,
    NODE_ENV: undefined,
    NO_COLOR: '1',
  };
}

/** Runs the built command line and gives its output and exit code; never throws for a failing exit code. */
export function imgtool(args: readonly string[], options: Options = {}) {
  return execa(process.execPath, [CLI, ...args], {
    reject: false,
    stripFinalNewline: false,
    env: userEnvironment(),
    ...options,
  });
}
