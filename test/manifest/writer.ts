import { existsSync, writeSync } from 'node:fs';
import { openManifest } from '../../src/manifest.js';

/**
 * A run of its own for the tests: records `<prefix>/<n>.jpg` for n below count, `rounds` times and on until the file `until`
 * is there, and says each when done.
 */
const [folder = '', prefix = '', count = '0', rounds = '1', until = ''] = process.argv.slice(2);
const mayEnd = () => until === '' || existsSync(until);
const manifest = await openManifest(folder);
for (let round = 1; round <= Number(rounds) || !mayEnd(); round++) {
  for (let n = 0; n < Number(count); n++) {
    const claim = {
      output: `${prefix}/${n}.jpg`,
      // long, so that many a line crosses a page: such a line is seen by halves
      source: { name: `../in/${'x'.repeat(400)}/${n}.jpg`, size: n },
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
