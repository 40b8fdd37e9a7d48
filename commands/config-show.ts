import { Flags } from '@oclif/core';
import { table } from '../src/report/table.js';
import { ImgtoolCommand } from './command.js';
import { currentPlace } from './flags/configured.js';
import { camel } from './flags/section.js';
import { ServeCommand } from './serve.js';
import { serveSettings, shown } from './serve-settings.js';
import { writeData } from './terminal/streams.js';

/** What the config files and the environment say together. */
export class ConfigShowCommand extends ImgtoolCommand {
  static override summary = 'Show the merged configuration, and where each value came from';
  static override flags = { json: Flags.boolean({ description: 'print one JSON document' }) };
  static override examples = ['<%= config.bin %> config show', '<%= config.bin %> config show --json'];

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigShowCommand);
    const { config, settings: all } = await serveSettings(ServeCommand.flags, currentPlace());
    const serve = Object.entries(all).map(([name, setting]) => [camel(name), shown(name, setting)] as const);
    if (flags.json) {
      const document = { ...config, serve: Object.fromEntries(serve) };
      await writeData(`${JSON.stringify(document, null, 2)}\n`);
      return;
    }
    const settings = Object.entries(config.settings).map(([key, { value, from }]) => [
      `settings.${key}`,
      JSON.stringify(value),
      from,
    ]);
    const server = serve.map(([key, { value, from }]) => [`serve.${key}`, JSON.stringify(value), from]);
    const presets = Object.entries(config.presets).map(([name, { recipe, from }]) => [
      `presets.${name}`,
      JSON.stringify(recipe),
      from,
    ]);
    await writeData(
      `${table([['key', 'value', 'from'], ...settings, ...server, ...presets], new Set()).join('\n')}\n`,
    );
  }
}
