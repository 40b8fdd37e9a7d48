import { readFileSync } from 'node:fs';

/** A flag as help and completion know it. */
export interface FlagEntry {
  readonly name: string;
  readonly char?: string;
  readonly type: 'boolean' | 'option';
  readonly description?: string;
  readonly helpGroup?: string;
  /** The placeholder of its value; words in lower case separated by `|` are values themselves. */
  readonly helpValue?: string;
  readonly options?: readonly string[];
  readonly default?: unknown;
  readonly allowNo?: boolean;
  readonly multiple?: boolean;
  readonly hidden?: boolean;
}

/** An argument as help and completion know it. */
export interface ArgumentEntry {
  readonly name: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly multiple?: boolean;
  readonly options?: readonly string[];
}

/** A command as help and completion know it, without loading it. */
export interface CommandEntry {
  readonly id: string;
  readonly summary?: string;
  readonly description?: string;
  readonly aliases: readonly string[];
  readonly args: Readonly<Record<string, ArgumentEntry>>;
  readonly flags: Readonly<Record<string, FlagEntry>>;
  readonly examples?: readonly string[];
  readonly hidden?: boolean;
  /** Its place in the registry, when it is made from an operation. */
  readonly operation?: number;
}

/** Every command by name, from the file that the build writes; the commands themselves stay unloaded. */
export function readCatalogue(): Readonly<Record<string, CommandEntry>> {
  // beside dist/cli, where the bundle of this file lies
  const file = new URL('../../oclif.manifest.json', import.meta.url);
  const { commands } = JSON.parse(readFileSync(file, 'utf8')) as { commands: Record<string, CommandEntry> };
  return commands;
}

/** The values that a flag names, whether it takes others beside them or not. */
export function valuesOf({ options, helpValue }: FlagEntry): readonly string[] {
  return options ?? (helpValue ?? '').split('|').filter((word) => /^[a-z0-9]/.test(word));
}

/** A command's name as it is typed. */
export function typed(id: string): string {
  return id.replaceAll(':', ' ');
}
