import { OPERATIONS } from '../src/operations/index.js';
import { ClientCommand } from './client.js';
import type { CommandClass } from './command.js';
import { CompletionCommand } from './completion.js';
import { ConfigShowCommand } from './config-show.js';
import { FormatsCommand } from './formats.js';
import { JobsCancelCommand } from './jobs-cancel.js';
import { JobsListCommand } from './jobs-list.js';
import { JobsRetryCommand } from './jobs-retry.js';
import { JobsShowCommand } from './jobs-show.js';
import { JobsWaitCommand } from './jobs-wait.js';
import { operationCommand } from './operation.js';
import { RunCommand } from './run.js';
import { ServeCommand } from './serve.js';
import { SizeCommand } from './size.js';
import { WatchCommand } from './watch.js';

/** Every command by name: those of the registry, and the rest. */
export const COMMANDS: Readonly<Record<string, CommandClass>> = {
  ...Object.fromEntries(
    OPERATIONS.map((operation, place) => [operation.name, operationCommand(operation, place)]),
  ),
  size: SizeCommand,
  run: RunCommand,
  watch: WatchCommand,
  formats: FormatsCommand,
  serve: ServeCommand,
  client: ClientCommand,
  'jobs:list': JobsListCommand,
  'jobs:show': JobsShowCommand,
  'jobs:wait': JobsWaitCommand,
  'jobs:cancel': JobsCancelCommand,
  'jobs:retry': JobsRetryCommand,
  completion: CompletionCommand,
  'config:show': ConfigShowCommand,
};
