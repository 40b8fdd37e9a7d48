import { parse } from 'node:path';

/** Bytes of a name in UTF-8 that are kept; file systems take 255, and a number may be added. */
const LONGEST = 200;

/** Names that Windows gives to devices, whatever extension they have. */
const DEVICES = /^(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$)(\.|$)/i;

/**
 * A name for a file of ours, as near to the client's as any file system takes it: no folders, no hidden file, no letter
 * that controls something; `image` when nothing is left.
 */
export function fileName(asked: string): string {
  const last = asked.split(/[/\\]/).at(-1) ?? '';
  const plain = last
    .normalize('NFC')
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .replaceAll(/[<>:"|?*]/g, '_')
    .replace(/^[.\s]+/, '')
    .replace(/[.\s]+$/, '');
  const { name, ext } = parse(shortened(plain));
  if (name === '') return 'image';
  return DEVICES.test(name) ? `_${name}${ext}` : `${name}${ext}`;
}

/** The name with a number before its extension; 0 leaves it alone. */
export function numbered(name: string, number: number): string {
  const { name: stem, ext } = parse(name);
  return number === 0 ? name : `${stem}_${number}${ext}`;
}

/** A long name loses the end of its stem, not its extension. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= LONGEST) return name;
  const { name: stem, ext } = parse(name);
  const kept = Buffer.byteLength(ext) <= 20 ? ext : '';
  const letters = [...(kept === '' ? name : stem)];
  while (Buffer.byteLength(letters.join('')) > LONGEST - Buffer.byteLength(kept)) letters.pop();
  return `${letters.join('').replace(/[.\s]+$/, '')}${kept}`;
}
