// What a slot holds besides an offset; offsets are kept with 2 added.
const FREE = 0;
const DELETED = 1;
const BASE = 2;
const FIRST_CAPACITY = 1024;
const FULLEST = 0.8;
const GROWTH = 1.5;
const TWO_32 = 2 ** 32;

/**
 * Output names to byte offsets in at most 27 bytes a name: open addressing over 64-bit hashes, the names themselves
 * not kept. Two names with one hash (odds of 1 in 3e9 at 100,000 names) share a slot, so what lies at an
 * offset is to be compared with the name. Offsets run from 0 to 2^48 - 3.
 */
export class OffsetTable {
  #low = new Uint32Array(FIRST_CAPACITY);
  #high = new Uint32Array(FIRST_CAPACITY);
  #heldLow = new Uint32Array(FIRST_CAPACITY);
  #heldHigh = new Uint16Array(FIRST_CAPACITY);
  #used = 0;
  #size = 0;

  /** How many names have an offset. */
  get size(): number {
    return this.#size;
  }

  /** Bytes the table itself holds. */
  get bytes(): number {
    return this.#low.length * 14;
  }

  /** The offset of a name, or undefined when it was never set or was deleted. */
  get(name: string): number | undefined {
    const held = this.#held(this.#slot(hash64(name)));
    return held < BASE ? undefined : held - BASE;
  }

  /** Gives a name its offset, in place of any earlier one. */
  set(name: string, offset: number): void {
    if (this.#used >= this.#low.length * FULLEST) this.#grow();
    const hash = hash64(name);
    const slot = this.#slot(hash);
    const before = this.#held(slot);
    if (before === FREE) this.#used++;
    if (before < BASE) this.#size++;
    this.#put(slot, hash, offset + BASE);
  }

  /** Forgets a name. */
  delete(name: string): void {
    const hash = hash64(name);
    const slot = this.#slot(hash);
    if (this.#held(slot) < BASE) return;
    this.#size--;
    this.#put(slot, hash, DELETED);
  }

  /** Every offset, ascending: 8 more bytes a name while it is held. */
  offsets(): Float64Array {
    const all = new Float64Array(this.#size);
    let count = 0;
    for (let slot = 0; slot < this.#low.length; slot++) {
      const held = this.#held(slot);
      if (held >= BASE) all[count++] = held - BASE;
    }
    return all.sort();
  }

  #held(slot: number): number {
    return (this.#heldHigh[slot] ?? 0) * TWO_32 + (this.#heldLow[slot] ?? 0);
  }

  #put(slot: number, hash: Hash64, held: number): void {
    this.#low[slot] = hash.low;
    this.#high[slot] = hash.high;
    this.#heldLow[slot] = held % TWO_32;
    this.#heldHigh[slot] = Math.floor(held / TWO_32);
  }

  /** The slot a hash lies in, or the free one where it would. */
  #slot(hash: Hash64): number {
    const capacity = this.#low.length;
    let slot = hash.low % capacity;
    while (this.#held(slot) !== FREE && (this.#low[slot] !== hash.low || this.#high[slot] !== hash.high)) {
      slot = slot + 1 === capacity ? 0 : slot + 1;
    }
    return slot;
  }

  /** By half, not double, so that a table just grown still keeps to its bytes a name. */
  #grow(): void {
    const [lows, highs, heldLows, heldHighs] = [this.#low, this.#high, this.#heldLow, this.#heldHigh];
    const capacity = Math.max(FIRST_CAPACITY, Math.ceil((this.#size / FULLEST) * GROWTH));
    this.#low = new Uint32Array(capacity);
    this.#high = new Uint32Array(capacity);
    this.#heldLow = new Uint32Array(capacity);
    this.#heldHigh = new Uint16Array(capacity);
    this.#used = this.#size;
    for (let slot = 0; slot < lows.length; slot++) {
      const held = (heldHighs[slot] ?? 0) * TWO_32 + (heldLows[slot] ?? 0);
      if (held < BASE) continue;
      const hash = { low: lows[slot] ?? 0, high: highs[slot] ?? 0 };
      this.#put(this.#slot(hash), hash, held);
    }
  }
}

/** 64 bits of hash, as two unsigned 32-bit halves. */
interface Hash64 {
  readonly low: number;
  readonly high: number;
}

/** Two lanes of MurmurHash3's 32-bit round (A. Appleby, public domain) over the UTF-16 units, each fed by the other. */
function hash64(name: string): Hash64 {
  let low = 0x239b961b;
  let high = 0xab0e9789 | 0;
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    low = (Math.imul(rotate(low ^ Math.imul(unit, 0xcc9e2d51), 13), 5) + high) | 0;
    high = (Math.imul(rotate(high ^ Math.imul(unit, 0x1b873593), 17), 9) + low) | 0;
  }
  low = finish(low ^ name.length);
  high = finish(high + low);
  return { low: low >>> 0, high: high >>> 0 };
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function finish(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
