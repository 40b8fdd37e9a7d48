import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const corpus = process.env.IMGTOOL_CORPUS;
const own = fileURLToPath(new URL('../fixtures/photos', import.meta.url));
const home = join(tmpdir(), `imgtool-bench-${corpus === undefined ? 'fixtures' : 'corpus'}`);

/** Where the photographs come from, for the report. */
export const ORIGIN = corpus === undefined ? 'fixtures/photos, made baseline' : '$IMGTOOL_CORPUS/photos';

/**
 * A folder of `count` baseline JPEG photographs as they are; the same few, copied.
 * @param {number} count
 */
export function photographs(count) {
  return folderOf(`photos-${count}`, count, async (path) => {
    const { isProgressive } = await sharp(path).metadata();
    if (!isProgressive) return { extension: 'jpg', path };
    return corpus === undefined
      ? { extension: 'jpg', bytes: await sharp(path).keepMetadata().jpeg({ quality: 90 }).toBuffer() }
      : undefined;
  });
}

/**
 * A folder of `count` pictures made from the photographs: cut to one size and encoded anew.
 * @param {string} name
 * @param {number} count
 * @param {{ width: number, height: number, format?: 'jpeg' | 'png', progressive?: boolean }} options
 */
export function made(name, count, { width, height, format = 'jpeg', progressive = false }) {
  return folderOf(`${name}-${width}x${height}-${count}`, count, async (path) => {
    const image = sharp(path).autoOrient().resize(width, height, { fit: 'cover' });
    const encoded =
      format === 'png' ? image.png({ compressionLevel: 6 }) : image.jpeg({ quality: 88, progressive });
    return { extension: format === 'png' ? 'png' : 'jpg', bytes: await encoded.toBuffer() };
  });
}

/** Made once for all runs; the mark is written last. */
async function folderOf(name, count, make) {
  const folder = join(home, name);
  const mark = `${folder}.whole`;
  if (existsSync(mark)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const pictures = await originals(make, count);
  for (let index = 0; index < count; index += 1) {
    const { extension, path, bytes } = pictures[index % pictures.length];
    const target = join(folder, `${String(index).padStart(5, '0')}.${extension}`);
    if (bytes === undefined) copyFileSync(path, target);
    else writeFileSync(target, bytes);
  }
  writeFileSync(mark, '');
  return folder;
}

async function originals(make, count) {
  const source = corpus === undefined ? own : join(corpus, 'photos');
  const made = [];
  for (const file of readdirSync(source).sort()) {
    if (made.length >= count || !/\.jpe?g$/i.test(file)) continue;
    const picture = await make(join(source, file));
    if (picture !== undefined) made.push(picture);
  }
  if (made.length === 0) throw new Error(`expected JPEG photographs in ${source}, found none`);
  return made;
}
