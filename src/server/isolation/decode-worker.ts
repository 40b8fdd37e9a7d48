import sharp from 'sharp';
import { tuneEngine } from '../../versions.js';
import { decode } from './decode.js';
import { allowLoaders } from './loaders.js';
import type { Reply, Work } from './messages.js';

// The entry of a decoder process: one picture at a time, told and answered over the channel to its parent.
const svg = process.argv.includes('--svg');

tuneEngine();
await warmUp();
allowLoaders(svg);

// a parent that died can be told nothing: what runs is not worth finishing
process.on('disconnect', () => process.exit());
process.on('message', (work: Work) => void decode(work, svg).then(answer));
answer({ kind: 'ready' });

function answer(reply: Reply): void {
  process.send?.(reply);
}

/** The first picture of a process loads code of libvips and starts its threads: 20 ms that no caller should wait for. */
async function warmUp(): Promise<void> {
  const blank = { width: 16, height: 16, channels: 3, background: 'white' } as const;
  const bytes = await sharp({ create: blank }).jpeg().toBuffer();
  await sharp(bytes).resize(8, 8).jpeg().toBuffer();
}
