import { Command, Config, type Interfaces } from '@oclif/core';
import { ERRORS, ImgtoolError, toImgtoolError } from '../src/errors.js';
import { complain } from './complaint.js';
import { usageError } from './usage.js';

/** A command that can be started. */
export interface CommandClass {
  new (argv: string[], config: Config): ImgtoolCommand;
  id: string;
  readonly aliases: readonly string[];
}

/** A configuration that was not loaded: it has no plugins, so no hooks to run. */
class Bare extends Config {
  override async runHook<
    T extends keyof Interfaces.Hooks,
    P extends Interfaces.Hooks = Interfaces.Hooks,
  >(): Promise<Interfaces.Hook.Result<P[T]['return']>> {
    return { successes: [], failures: [] };
  }
}

/** What every command shares: one way to start, and one way to end, in words or JSON, with the right exit code. */
export abstract class ImgtoolCommand extends Command {
  /**
   * Runs a command over what follows its name. oclif parses; loading its configuration (plugins, hooks, folders),
   * of which imgtool has none, would cost every start 20 ms.
   */
  static async start(command: CommandClass, id: string, argv: readonly string[]): Promise<void> {
    command.id = id;
    await new command([...argv], new Bare({ root: '.' }))._run();
  }

  /** oclif's own would look for deprecations in the configuration that was not loaded. */
  override async init(): Promise<void> {}

  override async catch(thrown: Error): Promise<void> {
    const error = isUsage(thrown)
      ? usageError(thrown, Object.keys(this.ctor.flags ?? {}))
      : toImgtoolError(thrown, 'E_INTERNAL');
    await complain(error, this.argv, this.id);
    process.exitCode = ERRORS[error.code].exit;
  }
}

/** What oclif's parser throws, or passes on from ours with its own words around it: all of it is the user's to mend. */
function isUsage(thrown: Error): boolean {
  if (thrown instanceof ImgtoolError) return thrown.message.startsWith('Parsing --');
  return 'parse' in thrown || (thrown as { oclif?: { exit?: number } }).oclif?.exit === 2;
}
