import { Args } from '@oclif/core';
import { OPERATIONS } from '../src/operations/index.js';
import { parametersOf } from '../src/surface/parameters.js';
import { readCatalogue } from './catalogue.js';
import { ImgtoolCommand } from './command.js';
import { writeData } from './terminal/streams.js';

const SHELLS = ['bash', 'zsh', 'powershell'] as const;

/** Prints a script that completes commands, flags, their values and steps, and leaves file names to the shell. */
export class CompletionCommand extends ImgtoolCommand {
  static override summary = 'Print a completion script for bash, zsh or PowerShell';
  static override description = [
    'To have it in every shell, add one line to its start file:',
    '  ~/.bashrc   source <(imgtool completion bash)',
    '  ~/.zshrc    source <(imgtool completion zsh)',
    '  $PROFILE    imgtool completion powershell | Out-String | Invoke-Expression',
  ].join('\n');
  static override args = {
    shell: Args.string({ description: 'the shell', options: [...SHELLS], required: true, ignoreStdin: true }),
  };
  static override examples = ['<%= config.bin %> completion bash', '<%= config.bin %> completion zsh'];

  async run(): Promise<void> {
    const { args } = await this.parse(CompletionCommand);
    const { vocabulary } = await import('./completion-words.js');
    const words = vocabulary(
      readCatalogue(),
      OPERATIONS.map(({ name, params }) => ({ name, parameters: parametersOf(params) })),
    );
    await writeData(await scriptFor(args.shell, words));
  }
}

async function scriptFor(
  shell: string,
  words: ReturnType<typeof import('./completion-words.js').vocabulary>,
): Promise<string> {
  if (shell === 'zsh') return (await import('./completion-zsh.js')).zshScript(words);
  if (shell === 'powershell') return (await import('./completion-powershell.js')).powershellScript(words);
  return (await import('./completion-bash.js')).bashScript(words);
}
