import { join } from 'node:path';
import { MANIFEST_NAME } from './io/names.js';
import { Ledger, type Manifest, type ManifestView } from './manifest/ledger.js';

export { decide, isRacy, type Present } from './manifest/decide.js';
export type { Entry, SourceIdentity } from './manifest/entry.js';
export { hashBytes, hashFile, localName, portableName, versionKey } from './manifest/identity.js';
export type { Manifest, ManifestView } from './manifest/ledger.js';

/**
 * What earlier runs did in an output folder, to be added to; nothing is written before the first record. E_MANIFEST when
 * a newer imgtool wrote it, or when what bears its name is no file.
 */
export async function openManifest(folder: string): Promise<Manifest> {
  return new Ledger(join(folder, MANIFEST_NAME), 'append');
}

/** The same only to be looked at: opens without the right to write, for dry runs and reports. */
export async function readManifest(folder: string): Promise<ManifestView> {
  const ledger = new Ledger(join(folder, MANIFEST_NAME), 'read');
  // without the means to write, so that whoever asks whether it can is told the truth
  return {
    get size() {
      return ledger.size;
    },
    get damaged() {
      return ledger.damaged;
    },
    lookup: (output) => ledger.lookup(output),
    refresh: () => ledger.refresh(),
    entries: () => ledger.entries(),
    close: () => ledger.close(),
  };
}
