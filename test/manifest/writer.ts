import { writeSync } from 'node:fs';
import { openManifest } from '../../src/manifest.js';

/** A run of its own for the tests: records `<prefix>/<n>.jpg` for n below count, `rounds` times, and says each when done. */
const [folder = '', prefix = '', count = '0', rounds = '1'] = process.argv.slice(2);
const manifest = await openManifest(folder);
for (let round = 1; round <= Number(rounds); round++) {
  for (let n = 0; n < Number(count); n++) {
    const claim = {
      output: `${prefix}/${n}.jpg`,
      source: { name: `../in/${n}.jpg`, size: n },
      key: `k${round}`,
      checkedAt: 1,
    };
    manifest.record(claim);
    manifest.record({ ...claim, made: { size: round, mtimeMs: n } });
    manifest.flush();
    writeSync(1, `${n}\n`);
  }
}
await manifest.close();
