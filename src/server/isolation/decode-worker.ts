import { allowLoaders, warmUp } from '../../codecs/loaders.js';
import { tuneEngine } from '../../versions.js';
import { decode } from './decode.js';
import type { Reply, Sent, Work } from './messages.js';

// The entry of a decoder process: one picture at a time, told and answered over the channel to its parent.

/** Bytes that a process may still hold after a picture; a fresh one holds about 90 MB. */
const MOST_KEPT = 256 * 1024 * 1024;

const svg = process.argv.includes('--svg');

tuneEngine();
await warmUp();
allowLoaders(svg);

// a parent that died can be told nothing; an exit would wait for the decoder's threads, minutes for a large AVIF
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', (work: Work) => void decode(work, svg).then(answer));
answer({ kind: 'ready' });

function answer(reply: Reply): void {
  const sent: Sent = { ...reply, spent: process.memoryUsage.rss() > MOST_KEPT };
  process.send?.(sent);
}
