import type { Client } from '@grpc/grpc-js';
import { expected, ImgtoolError } from '../../errors.js';
import { type Recipe, recipeJson } from '../../recipe.js';
import { IMAGE_SERVICE } from './definitions.js';
import { type Dial, Line, metadataFor, methodOf } from './dial.js';
import type { JobMessage } from './job-messages.js';

/** A picture to be queued. */
export interface JobOrder {
  readonly image: Buffer;
  readonly recipe: Recipe;
  /** Its file name. */
  readonly name: string;
  /** 1 to -2, as the protocol buffers have it. */
  readonly priority: number;
}

/** A connection to a server of `imgtool.v1` that queues work. */
export interface JobsClient {
  /** Queues a picture; gives the job's id. Throws {@link CallFailure}, and the signal's reason. */
  submit(order: JobOrder, signal: AbortSignal): Promise<string>;
  close(): void;
}

/** Time for a picture to get there and to be written down, in milliseconds. */
const SUBMIT_MS = 60_000;

/** A client of jobs, which connects when it is first used. */
export function jobsClient(dial: Dial): JobsClient {
  const line = new Line(dial);
  const metadata = metadataFor(dial);
  const { path, requestSerialize, responseDeserialize } = methodOf(IMAGE_SERVICE, 'SubmitJob');
  const submitted = (client: Client, request: object, signal: AbortSignal): Promise<string> =>
    new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest<object, JobMessage>(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        { deadline: Date.now() + SUBMIT_MS },
        (error, job) => {
          signal.removeEventListener('abort', cancel);
          if (job !== undefined) resolve(job.id);
          else reject(error ?? new ImgtoolError('E_UPSTREAM', expected('a job', 'none')));
        },
      );
      const cancel = (): void => call.cancel();
      signal.addEventListener('abort', cancel);
    });
  return {
    async submit({ recipe, ...order }, signal) {
      signal.throwIfAborted();
      const json = JSON.stringify(recipeJson(recipe));
      const request = { ...order, recipe: { json, steps: [], outputs: [] } };
      try {
        return await line.call((client) => submitted(client, request, signal));
      } catch (thrown) {
        throw signal.aborted ? signal.reason : thrown;
      }
    },
    close: () => line.close(),
  };
}
