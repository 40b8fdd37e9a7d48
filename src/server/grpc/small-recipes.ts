import type { ServiceDefinition } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { RECIPE_BYTES } from '../limits.js';
import type { RecipeMessage, Spec } from './messages.js';

/** Stands for a recipe that was too long to be read. */
export const TOO_LONG: RecipeMessage = { json: '', steps: [], outputs: [] };

/**
 * The service, its requests looked at before they are read: a step takes two bytes in a message and hundreds in
 * memory, so a recipe of megabytes would take gigabytes. One that is too long becomes {@link TOO_LONG}.
 */
export function withSmallRecipes(service: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => {
      const refused = REFUSED[name];
      if (refused === undefined) return [name, method];
      const wire = wireTypesOf(method);
      const requestDeserialize = (bytes: Buffer): unknown =>
        bytesOfFirstField(bytes, wire) > RECIPE_BYTES
          ? { ...method.requestDeserialize(Buffer.alloc(0)), ...refused }
          : method.requestDeserialize(bytes);
      return [name, { ...method, requestDeserialize }];
    }),
  );
}

const SPEC: Spec = { recipe: TOO_LONG, totalSize: 0, sha256: '', uploadId: '' };

/** By method: what is read in the place of a recipe that is too long. In all of them field 1 is the recipe, or the spec with it. */
const REFUSED: Readonly<Record<string, object>> = {
  Process: { recipe: TOO_LONG },
  SubmitJob: { recipe: TOO_LONG },
  ProcessStream: { message: 'spec', spec: SPEC },
};

const VARINT = 0;
const DELIMITED = 2;

/** Bytes of the wire types of a fixed length. */
const FIXED: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/** The wire types of a request's fields by their numbers; none of ours is of a fixed length. */
function wireTypesOf(method: object): ReadonlyMap<number, number> {
  const { requestType } = method as MethodDefinition<object, object>;
  const { field } = requestType.type as { field: readonly { number: number; type: string }[] };
  const isDelimited = /_(STRING|BYTES|MESSAGE)$/;
  return new Map(field.map(({ number, type }) => [number, isDelimited.test(type) ? DELIMITED : VARINT]));
}

/**
 * How many bytes a message spends on its field 1, each time it is there
 * (https://protobuf.dev/programming-guides/encoding/). Infinity for what no writer of messages writes, and the reader
 * would take for something else than is seen here: it looks at the wire types of unknown fields only.
 */
function bytesOfFirstField(message: Buffer, wire: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (let at = 0; at < message.length; ) {
    const tag = varint(message, at);
    const [field, type] = [Math.floor(tag.value / 8), tag.value % 8];
    if ((wire.get(field) ?? type) !== type) return Number.POSITIVE_INFINITY;
    const end = endOfValue(message, tag.end, type);
    if (Number.isNaN(end)) return Number.POSITIVE_INFINITY;
    if (field === 1) sum += end - at;
    at = end;
  }
  return sum;
}

/** Where the value at `at` ends; NaN for one that cannot be read. */
function endOfValue(message: Buffer, at: number, type: number): number {
  if (type === VARINT) {
    let end = at;
    while ((message[end] ?? 0) >= 0x80) end += 1;
    return end + 1;
  }
  if (type !== DELIMITED) return at + (FIXED[type] ?? Number.NaN);
  const length = varint(message, at);
  return length.end + length.value;
}

/** A number of at most 32 bits; NaN when it is longer. */
function varint(message: Buffer, at: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let place = 0; place < 5; place += 1) {
    const byte = message[at + place] ?? Number.NaN;
    value += (byte & 0x7f) * 128 ** place;
    if (byte < 0x80) return { value: value < 2 ** 32 ? value : Number.NaN, end: at + place + 1 };
  }
  return { value: Number.NaN, end: Number.NaN };
}
