import { isIP } from 'node:net';

/**
 * Whether an IP address, as text, is one of the public internet. Private, loopback, link-local, shared, documentation,
 * multicast and reserved ones are not (IANA special-purpose registries), nor are IPv6 addresses that carry such an IPv4
 * address inside. What is no IP address is not public either.
 */
export function isPublicAddress(text: string): boolean {
  const plain = text.replace(/%.*$/, '');
  const version = isIP(plain);
  if (version === 4) return isPublicV4(bytesOfV4(plain));
  return version === 6 && isPublicV6(bytesOfV6(plain));
}

/** Networks of IPv4 that are not public, as first bytes and the number of bits that count. */
const PRIVATE_V4: readonly (readonly [readonly number[], number])[] = [
  [[0], 8],
  [[10], 8],
  [[100, 64], 10],
  [[127], 8],
  [[169, 254], 16],
  [[172, 16], 12],
  [[192, 0, 0], 24],
  [[192, 0, 2], 24],
  [[192, 88, 99], 24],
  [[192, 168], 16],
  [[198, 18], 15],
  [[198, 51, 100], 24],
  [[203, 0, 113], 24],
  [[224], 4],
  [[240], 4],
];

/** Inside 2000::/3, the only part that is given out: protocol assignments with Teredo, documentation. */
const PRIVATE_V6: readonly (readonly [readonly number[], number])[] = [
  [[0x20, 0x01, 0x00], 23],
  [[0x20, 0x01, 0x0d, 0xb8], 32],
  [[0x3f, 0xff, 0x00], 20],
];

/** Prefixes behind which an IPv4 address lies, and where: mapped, compatible, translated, NAT64, 6to4. */
const CARRIERS: readonly { readonly prefix: readonly number[]; readonly at: number }[] = [
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], at: 12 },
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], at: 12 },
  { prefix: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], at: 12 },
  { prefix: [0x20, 0x02], at: 2 },
];

function isPublicV4(bytes: readonly number[]): boolean {
  return !PRIVATE_V4.some(([network, bits]) => within(bytes, network, bits));
}

function isPublicV6(bytes: readonly number[]): boolean {
  const carrier = CARRIERS.find(({ prefix }) => within(bytes, prefix, prefix.length * 8));
  if (carrier !== undefined) return isPublicV4(bytes.slice(carrier.at, carrier.at + 4));
  // ISATAP (RFC 5214): the interface part says 0:5efe or 200:5efe, then the IPv4 address
  const isatap = (bytes[8] === 0 || bytes[8] === 2) && within(bytes.slice(9, 12), [0, 0x5e, 0xfe], 24);
  if (isatap && !isPublicV4(bytes.slice(12))) return false;
  return within(bytes, [0x20], 3) && !PRIVATE_V6.some(([network, bits]) => within(bytes, network, bits));
}

function within(bytes: readonly number[], network: readonly number[], bits: number): boolean {
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = bits - bit >= 8 ? 0xff : (0xff << (8 - (bits - bit))) & 0xff;
    if (((bytes[bit / 8] ?? 0) & mask) !== ((network[bit / 8] ?? 0) & mask)) return false;
  }
  return true;
}

function bytesOfV4(text: string): number[] {
  return text.split('.').map(Number);
}

function bytesOfV6(text: string): number[] {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const tail = dotted === null ? [] : bytesOfV4(dotted[2] ?? '');
  const groups = dotted === null ? text : (dotted[1] ?? '').replace(/([^:]):$/, '$1');
  const [front = '', back] = groups.split('::');
  const head = groupBytes(front);
  const rest = [...groupBytes(back ?? ''), ...tail];
  return [...head, ...Array<number>(Math.max(0, 16 - head.length - rest.length)).fill(0), ...rest];
}

function groupBytes(text: string): number[] {
  const groups = text.split(':').filter((group) => group !== '');
  return groups.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
