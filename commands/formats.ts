import { Flags } from '@oclif/core';
import { FORMATS, formats, UNREADABLE_EXTENSIONS } from '../src/codecs/extensions.js';
import { table } from '../src/report/table.js';
import { ImgtoolCommand } from './command.js';
import { writeData } from './terminal/streams.js';
import { wrapped } from './wrapped.js';

/** What this build reads and writes. */
export class FormatsCommand extends ImgtoolCommand {
  static override summary = 'List the formats this build reads and writes';
  static override flags = { json: Flags.boolean({ description: 'print one JSON document' }) };
  static override examples = ['<%= config.bin %> formats', '<%= config.bin %> formats --json'];

  async run(): Promise<void> {
    const { flags } = await this.parse(FormatsCommand);
    if (flags.json) {
      await writeData(`${JSON.stringify({ formats: FORMATS, notRead: UNREADABLE_EXTENSIONS }, null, 2)}\n`);
      return;
    }
    const known = Object.keys(UNREADABLE_EXTENSIONS).join(' ');
    const lines = [...formatTable(), '', ...wrapped(`Known, but not read: ${known}`, 80)];
    await writeData(`${lines.join('\n')}\n`);
  }
}

function formatTable(): string[] {
  const yes = (is: boolean): string => (is ? 'yes' : '-');
  const rows = formats().map((name) => {
    const { extensions, reads, writes, frames, alpha, depth16 } = FORMATS[name];
    return [name, yes(reads), yes(writes), yes(frames), yes(alpha), yes(depth16), extensions.join(' ')];
  });
  return table(
    [['format', 'reads', 'writes', 'frames', 'alpha', '16 bit', 'extensions'], ...rows],
    new Set(),
  );
}
