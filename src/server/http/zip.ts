import { crc32 } from 'node:zlib';

/** One file of an archive. */
export interface ZipFile {
  readonly name: string;
  readonly image: { readonly bytes: Uint8Array };
}

/**
 * A zip archive of files stored as they are, since pictures are compressed already (PKWARE APPNOTE 6.3.3, sections
 * 4.3.7, 4.3.12 and 4.3.16). All dates are the format's first day, so that equal files give equal archives.
 */
export function zipped(files: readonly ZipFile[]): Buffer {
  const locals: Uint8Array[] = [];
  const centrals: Buffer[] = [];
  let at = 0;
  for (const { name, image } of files) {
    const path = Buffer.from(name);
    const facts = factsOf(image.bytes, path.length);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), facts, path]);
    locals.push(local, image.bytes);
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0', 'latin1'), facts, placed(at), path]));
    at += local.length + image.bytes.length;
  }
  const directory = Buffer.concat(centrals);
  return Buffer.concat([...locals, directory, end(files.length, directory.length, at)]);
}

/** Version needed 2.0, names in UTF-8, stored, 1 January 1980, checksum, sizes, lengths of name and extra field. */
function factsOf(bytes: Uint8Array, nameLength: number): Buffer {
  const facts = Buffer.alloc(26);
  facts.writeUInt16LE(20, 0);
  facts.writeUInt16LE(0x0800, 2);
  facts.writeUInt16LE(0x0021, 8);
  facts.writeUInt32LE(crc32(bytes), 10);
  facts.writeUInt32LE(bytes.length, 14);
  facts.writeUInt32LE(bytes.length, 18);
  facts.writeUInt16LE(nameLength, 22);
  return facts;
}

/** No comment, one disk, no attributes, and where the local header stands. */
function placed(at: number): Buffer {
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(at, 10);
  return rest;
}

function end(count: number, size: number, at: number): Buffer {
  const record = Buffer.alloc(22);
  record.write('PK\x05\x06', 'latin1');
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(size, 12);
  record.writeUInt32LE(at, 16);
  return record;
}
