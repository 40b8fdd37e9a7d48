import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Command, Interfaces } from '@oclif/core';
import { type Config, type ConfigPlace, checkedConfig, loadConfig, type Setting } from '../src/config.js';
import { expected, ImgtoolError, toImgtoolError } from '../src/errors.js';
import type { Parsed } from './flags/configured.js';
import { kebab } from './flags/derived.js';
import {
  type AnyFlag,
  camel,
  isPath,
  placeholderOf,
  readVariable,
  schemaOf,
  sectionSchema,
} from './flags/section.js';

/** What the environment and the config files say of a command's flags, by the flags' names. */
export type FlagSettings = Readonly<Record<string, Setting>>;

/** The files that say something that holds, and the keys of what they say. */
export type Origins = ReadonlyMap<string, readonly string[]>;

/** Reads all layers below the command line. Throws E_CONFIG naming the file, or the variable, and the key. */
export async function serveSettings(
  flags: Interfaces.FlagInput,
  place: ConfigPlace,
): Promise<{ config: Config; settings: FlagSettings }> {
  const config = await loadConfig(place, sectionSchema(flags));
  const settings: Record<string, Setting> = {};
  for (const [key, setting] of Object.entries(config.serve)) {
    const flag = flags[kebab(key)];
    if (flag !== undefined) settings[kebab(key)] = { ...setting, value: placed(flag, setting) };
  }
  for (const [name, flag] of Object.entries(flags)) {
    const text = flag.env === undefined ? undefined : place.env[flag.env];
    if (flag.env !== undefined && text !== undefined && text !== '')
      settings[name] = {
        value: checkedConfig(schemaOf(flag), readVariable(flag, text), flag.env),
        from: flag.env,
      };
  }
  return { config, settings };
}

/** The flags with what was set elsewhere where none was typed, and where that came from; `user` is who starts the server. */
export async function filled<F extends object>(
  command: Command,
  known: Interfaces.FlagInput,
  { flags, metadata }: Parsed<F>,
  settings: FlagSettings,
  user: number | undefined,
): Promise<{ flags: F; origins: Origins }> {
  const given = flags as Record<string, unknown>;
  const typed = (name: string): boolean =>
    given[name] !== undefined && metadata.flags[name]?.setFromDefault !== true;
  const values: Record<string, unknown> = {};
  const origins = new Map<string, string[]>();
  for (const [name, setting] of Object.entries(settings)) {
    const flag = known[name];
    if (flag === undefined || typed(name) || (name === 'no-scale' && typed('scale'))) continue;
    values[name] = await parsed(command, { ...flag, name }, setting);
    if (setting.from === flag.env) continue;
    refuseForeign(setting.from, user);
    origins.set(setting.from, [...(origins.get(setting.from) ?? []), camel(name)]);
  }
  return { flags: { ...flags, ...values }, origins };
}

/** The same flags, for a parser that leaves the environment alone: one variable may hold several values of a flag. */
export function withoutEnvironment<F extends Interfaces.FlagInput>(flags: F): F {
  return Object.fromEntries(Object.entries(flags).map(([name, { env: _, ...flag }]) => [name, flag])) as F;
}

/** A setting as it may be shown: of secrets only that they are set. */
export function shown(name: string, { value, from }: Setting): Setting {
  return /token|secret|password/.test(name) ? { value: '(set)', from } : { value, from };
}

/** Paths of a file are meant from where the file lies, wherever the server is started below it. */
function placed(flag: AnyFlag, { value, from }: Setting): unknown {
  if (!isPath(flag)) return value;
  const move = (path: unknown): string => {
    const text = String(path);
    const named = placeholderOf(flag).includes('=') ? text.indexOf('=') + 1 : 0;
    return text.slice(0, named) + resolve(dirname(from), text.slice(named));
  };
  return Array.isArray(value) ? value.map(move) : move(value);
}

async function parsed(command: Command, flag: AnyFlag, { value, from }: Setting): Promise<unknown> {
  if (flag.type === 'boolean') return value;
  const parse = async (one: unknown): Promise<unknown> => {
    const input = String(one);
    // as the parser itself calls it
    return flag.parse(
      input,
      Object.assign(command, { token: { type: 'flag', flag: flag.name, input } as const }),
      flag,
    );
  };
  try {
    if (flag.multiple !== true) return await parse(value);
    return await Promise.all([value].flat().map(parse));
  } catch (thrown) {
    const { message, field } = toImgtoolError(thrown, 'E_CONFIG');
    throw new ImgtoolError('E_CONFIG', message, { file: from, ...(field && { field }), cause: thrown });
  }
}

/**
 * A file above the working folder may have been put there by someone else (as in /tmp), to have folders opened to the
 * network: there it counts only when it belongs to who starts the server, or to the system.
 */
function refuseForeign(file: string, user: number | undefined): void {
  const isProject = basename(file).startsWith('imgtool.config.');
  if (!isProject || user === undefined || dirname(file) === process.cwd()) return;
  const { uid } = statSync(file);
  if (uid !== user && uid !== 0)
    throw new ImgtoolError(
      'E_CONFIG',
      `${expected('a file of your own, to take settings of a server from a folder above', `one of the user ${uid}`)}; start the server in its folder if you trust it`,
      { file },
    );
}
