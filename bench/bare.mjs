// What a careful user of sharp would write by hand: images side by side, one libvips thread each, no cache, file to file.
// node bare.mjs INPUT OUTDIR '{"steps":[["resize",{"width":100}]],"format":"jpeg","quality":80}'
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import sharp from 'sharp';

const [input, folder, text] = process.argv.slice(2);
const { steps = [], format, extension, ...options } = JSON.parse(text);
const files = statSync(input).isDirectory() ? readdirSync(input).map((name) => join(input, name)) : [input];

sharp.cache(false);
sharp.concurrency(1);
mkdirSync(folder, { recursive: true });
let next = 0;
await Promise.all(Array.from({ length: availableParallelism() + 1 }, worker));

async function worker() {
  for (let file = files[next++]; file !== undefined; file = files[next++]) {
    let image = sharp(file).autoOrient();
    for (const [step, ...args] of steps) image = image[step](...args);
    const own = /\.png$/i.test(file) ? 'png' : 'jpeg';
    const target = basename(file).replace(/\.\w+$/, `.${extension ?? format ?? own}`);
    await image.toFormat(format ?? own, options).toFile(join(folder, target));
  }
}
