import { basename, win32 } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fileName, numbered } from '../../../src/server/compat/file-name.js';

const PIECES = [
  '.',
  '..',
  '/',
  '\\',
  '\0',
  '\n',
  ' ',
  ':',
  'con',
  'NUL',
  '.png',
  '\u202e',
  '\u2028',
  '東',
  'é',
  '🖼',
  '\ud800',
  'x',
];
const names = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 300 }).map((pieces) => pieces.join('')),
);

it('whatever a client calls a file, the name is one of a plain file that any system takes', () => {
  fc.assert(
    fc.property(names, fc.nat(100_000), (asked, number) => {
      for (const name of [fileName(asked), numbered(fileName(asked), number)]) {
        expect(name).not.toBe('');
        expect(basename(name)).toBe(name);
        expect(win32.basename(name)).toBe(name);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(220);
        expect(name).not.toMatch(/[\p{C}<>:"/\\|?*]|^[.\s]|[.\s]$/u);
        expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
      }
    }),
    { numRuns: 2000 },
  );
});

it('a name that is fine stays as it is, and its number stands before the extension', () => {
  expect(fileName('Holiday photo (1).jpg')).toBe('Holiday photo (1).jpg');
  expect(numbered('photo.tar.jpg', 3)).toBe('photo.tar_3.jpg');
  expect(numbered('photo', 3)).toBe('photo_3');
});
