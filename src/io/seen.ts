import { createHash } from 'node:crypto';

/**
 * A set that remembers strings as 64-bit hashes: at most 32 bytes an entry, whatever their length.
 *
 * Two of a million different strings share a hash with a chance of 1 in 36 million (n^2 / 2^65).
 */
export class Seen {
  #slots = new Uint32Array(2 * FIRST_CAPACITY);
  #size = 0;

  /** How many different strings were added. */
  get size(): number {
    return this.#size;
  }

  /** Whether the string was added. */
  has(text: string): boolean {
    return this.#slots[slotOf(this.#slots, ...hashOf(text))] !== 0;
  }

  /** Adds the string and says whether it was new. */
  add(text: string): boolean {
    const [high, low] = hashOf(text);
    const at = slotOf(this.#slots, high, low);
    if (this.#slots[at] !== 0) return false;
    this.#slots[at] = high;
    this.#slots[at + 1] = low;
    this.#size++;
    if (this.#size > this.#slots.length * HALF_FULLEST) this.#grow();
    return true;
  }

  #grow(): void {
    const old = this.#slots;
    const wider = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      const high = old[at] ?? 0;
      if (high === 0) continue;
      const low = old[at + 1] ?? 0;
      const free = slotOf(wider, high, low);
      wider[free] = high;
      wider[free + 1] = low;
    }
    this.#slots = wider;
  }
}

const FIRST_CAPACITY = 1024;
/** Grown at 3/4 full; a slot is two numbers, hence half of that: 32 bytes an entry while growing, 11 to 21 after. */
const HALF_FULLEST = 0.375;

function hashOf(text: string): [high: number, low: number] {
  const digest = createHash('sha1').update(text).digest();
  // a slot of two zeros is a free one, so a hash is kept from being that
  return [digest.readUInt32LE(0) || 1, digest.readUInt32LE(4)];
}

/** Where the hash is, or the free slot it belongs in: open addressing with linear steps; the length is a power of two. */
function slotOf(slots: Uint32Array, high: number, low: number): number {
  const mask = slots.length - 1;
  for (let at = (low * 2) & mask; ; at = (at + 2) & mask) {
    if (slots[at] === 0 || (slots[at] === high && slots[at + 1] === low)) return at;
  }
}
