import { expected, ImgtoolError } from '../errors.js';
import type { Errand, Made } from '../process.js';
import type { Recipe } from '../recipe.js';
import type { Delivered, ImgtoolClient, Shipment } from '../server/grpc/imgtool-client.js';
import type { Pool, Try } from './pool.js';
import { changedInput, shipmentOf } from './shipment.js';

/** Has results made by servers of imgtool.v1. */
export function byImgtool(servers: Pool<ImgtoolClient>): (errand: Errand) => Promise<Made> {
  return async (errand) => {
    const { recipe, indices } = asked(errand);
    const shipment = await shipmentOf(errand.input);
    const signal = errand.options.signal ?? new AbortController().signal;
    const { images, notes } = await explained(() =>
      servers.run((at) => deliveredBy(at, shipment, recipe, signal)),
    );
    if (images.length !== indices.length)
      throw new ImgtoolError('E_PROCESS', expected(`${indices.length} results`, `${images.length}`), {
        stage: 'process',
      });
    const results = images.map((image, at) => ({ ...image, index: indices[at] ?? at }));
    return { results: results.filter(({ index }) => errand.wanted.includes(index)), notes };
  };
}

/** Results from one decode depend on all of them, so all are asked for; exact ones stand alone. */
function asked({ recipe, wanted }: Errand): { recipe: Recipe; indices: readonly number[] } {
  const all = [...recipe.outputs.keys()];
  if (!recipe.exact || wanted.length === all.length) return { recipe, indices: all };
  const indices = all.filter((index) => wanted.includes(index));
  const [first = recipe.outputs[0], ...rest] = recipe.outputs.filter((_, index) => wanted.includes(index));
  return { recipe: { ...recipe, outputs: [first, ...rest] }, indices };
}

/** One try; after a broken connection the server is asked how much of the upload it has. */
async function deliveredBy(
  { client, again }: Try<ImgtoolClient>,
  shipment: Shipment,
  recipe: Recipe,
  signal: AbortSignal,
): Promise<Delivered> {
  const from = again ? await committed(client, shipment, signal) : 0;
  return client.process(shipment, recipe, from, signal);
}

async function committed(client: ImgtoolClient, { uploadId }: Shipment, signal: AbortSignal) {
  try {
    return await client.committed(uploadId, signal);
  } catch (thrown) {
    if (thrown instanceof ImgtoolError && thrown.code === 'E_NOT_FOUND') return 0;
    throw thrown;
  }
}

/** A server's errors as this side knows them. */
async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof ImgtoolError)) throw thrown;
    const { code, message, field = '' } = thrown;
    if (code === 'E_AUTH')
      throw new ImgtoolError(code, message, { stage: 'process', field: '--token', cause: thrown });
    // it counted or hashed other bytes than those that were announced
    if (code === 'E_USAGE' && /^(spec|chunk)\./.test(field)) throw changedInput();
    throw thrown;
  }
}
