import { existsSync } from 'node:fs';
import { localName } from '../manifest.js';
import { numbered } from '../naming.js';
import { collisionOf, type Item, Names } from '../targets.js';
import type { WatchWork } from './options.js';

/** A picture's hold on the names of its results. */
export interface Claim {
  /** The item with names that are its own. */
  readonly item: Item;
  /** Takes those that turn out to be needed once the bytes are known. */
  readonly names: Names;
  release(): void;
}

/**
 * The names that results have, so that no two pictures write one. A name belongs to the picture in flight that took it,
 * or to the one on record for it as long as that one exists.
 */
export class Claims {
  readonly #held = new Map<string, string>();

  /** Takes an item's names: one that another picture has is numbered, or refused with E_COLLISION, as the naming says. */
  claim(item: Item, path: string, work: WatchWork): Claim {
    const names = new Claimed((target) => this.#take(target, path, work) === undefined);
    const release = (): void => {
      for (const [target, holder] of this.#held) if (holder === path) this.#held.delete(target);
    };
    try {
      const targets = item.targets.map((target) => this.#own(target, path, work));
      return { item: { ...item, targets }, names, release };
    } catch (thrown) {
      release();
      throw thrown;
    }
  }

  #own(wanted: string, path: string, work: WatchWork): string {
    for (let number = 1; ; number += 1) {
      const target = number === 1 ? wanted : numbered(wanted, number);
      const owner = this.#take(target, path, work);
      if (owner === undefined) return target;
      if (work.naming.onCollision === 'fail') throw collisionOf(owner, path, target);
    }
  }

  /** Takes a name, or gives the picture that has it. */
  #take(target: string, path: string, work: WatchWork): string | undefined {
    const holder = this.#held.get(target);
    if (holder === path) return undefined;
    const owner = holder ?? recordedOwner(target, path, work);
    if (owner === undefined) this.#held.set(target, path);
    return owner;
  }
}

/** Names as the flow takes them, with us to say whether they are free. */
class Claimed extends Names {
  readonly #take: (name: string) => boolean;

  constructor(take: (name: string) => boolean) {
    super();
    this.#take = take;
  }

  override add(name: string): boolean {
    return this.#take(name);
  }
}

function recordedOwner(target: string, path: string, { destination }: WatchWork): string | undefined {
  const entry = destination.manifest?.lookup(target);
  if (entry === undefined) return undefined;
  const owner = localName(destination.path, entry.source.name);
  return owner !== path && existsSync(owner) ? owner : undefined;
}
