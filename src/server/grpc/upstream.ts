import { createReadStream } from 'node:fs';
import { ImgtoolError } from '../../errors.js';
import type { Recipe } from '../../recipe.js';
import type { ServedImage } from '../service.js';
import type { SpooledInput } from '../spool.js';
import { imgtoolClient, PIECE, type Shipment } from './imgtool-client.js';

/** A processing service elsewhere, spoken to as `imgtool.v1`. */
export interface Upstream {
  /** Runs a recipe there. Throws the error that the service names, or E_UPSTREAM when it does not answer. */
  process(input: SpooledInput, recipe: Recipe, signal: AbortSignal): Promise<readonly ServedImage[]>;
  close(): void;
}

/** Connects to `host:port`, when it is first needed. */
export function upstream(address: string, token: string | undefined): Upstream {
  const client = imgtoolClient({ target: address, ...(token !== undefined && { token }) });
  return {
    async process(input, recipe, signal) {
      try {
        return (await client.process(shipmentOf(input), recipe, 0, signal)).images;
      } catch (thrown) {
        // the front's own token is at fault, not its caller's
        if (thrown instanceof ImgtoolError && thrown.code === 'E_AUTH')
          throw new ImgtoolError('E_INTERNAL', `${address} does not let this server in`, { cause: thrown });
        throw thrown;
      }
    },
    close: () => client.close(),
  };
}

function shipmentOf({ path, size, identity }: SpooledInput): Shipment {
  return {
    size,
    sha256: /^[0-9a-f]{64}$/.test(identity) ? identity : '',
    uploadId: '',
    pieces: (start) => createReadStream(path, { start, highWaterMark: PIECE }),
  };
}
