import { type Command, CommandHelp, Help } from '@oclif/core';
import { OPERATIONS } from '../src/operations/index.js';

/** The commands that come first: the three main jobs. */
const FIRST = ['resize', 'watch', 'serve'];

/** Root help that fits a terminal of 24 lines: the main jobs, the operations, the rest. */
export default class ImgtoolHelp extends Help {
  protected override CommandHelpClass = CommandHelp;

  override async showRootHelp(): Promise<void> {
    const commands = this.sortedCommands.filter(({ hidden, id }) => !hidden && !id.includes(':'));
    const named = (names: readonly string[]): Command.Loadable[] =>
      names.flatMap((name) => commands.find(({ id }) => id === name) ?? []);
    const operations = OPERATIONS.map(({ name }) => name).filter((name) => !FIRST.includes(name));
    const known = [...FIRST, ...operations, 'size'];
    const rest = commands.filter(({ id }) => !known.includes(id)).map(({ id }) => id);
    const topics = this.sortedTopics
      .filter(({ name }) => !commands.some(({ id }) => id === name))
      .map(({ name }) => name);
    this.log(
      [
        'imgtool: process images in batches. imgtool COMMAND --help tells more.',
        '',
        '  imgtool resize ./images --thumb 100',
        '',
        ...rows(named(FIRST)),
        '',
        'Operations',
        ...rows(named([...operations, 'size'])),
        '',
        `More: ${[...rest, ...topics].sort().join(' ')}`,
      ].join('\n'),
    );
  }
}

function rows(commands: readonly Command.Loadable[]): string[] {
  return commands.map(({ id, summary }) => `  ${id.padEnd(11)} ${summary ?? ''}`);
}
