import { Flags } from '@oclif/core';
import { table } from '../src/report/table.js';
import { ImgtoolCommand } from './command.js';
import { currentConfig } from './flags/configured.js';
import { writeData } from './terminal/streams.js';

/** What the config files and the environment say together. */
export class ConfigShowCommand extends ImgtoolCommand {
  static override summary = 'Show the merged configuration, and where each value came from';
  static override flags = { json: Flags.boolean({ description: 'print one JSON document' }) };
  static override examples = ['<%= config.bin %> config show', '<%= config.bin %> config show --json'];

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigShowCommand);
    const config = await currentConfig();
    if (flags.json) {
      await writeData(`${JSON.stringify(config, null, 2)}\n`);
      return;
    }
    const settings = Object.entries(config.settings).map(([key, { value, from }]) => [
      `settings.${key}`,
      JSON.stringify(value),
      from,
    ]);
    const presets = Object.entries(config.presets).map(([name, { recipe, from }]) => [
      `presets.${name}`,
      JSON.stringify(recipe),
      from,
    ]);
    await writeData(`${table([['key', 'value', 'from'], ...settings, ...presets], new Set()).join('\n')}\n`);
  }
}
