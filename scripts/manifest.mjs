// Writes oclif.manifest.json: what every command takes, so that help and start-up need not load them.
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';

const root = fileURLToPath(new URL('..', import.meta.url));
// the file of an earlier build would be believed
rmSync(`${root}/oclif.manifest.json`, { force: true });
const config = await Config.load({ root });
const plugin = config.plugins.get('imgtool');
const commands = Object.fromEntries(
  plugin.commands.map(({ load, pluginAlias, ...command }) => [command.id, command]),
);
writeFileSync(
  `${root}/oclif.manifest.json`,
  `${JSON.stringify({ commands, version: config.version }, null, 2)}\n`,
);
