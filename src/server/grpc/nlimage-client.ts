import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { expected, ImgtoolError } from '../../errors.js';
import { NLIMAGE_SERVICE, reasonOf } from './definitions.js';
import type { NLImage } from './messages.js';

/** The turns that NLImageService knows, counter-clockwise. */
export const ROTATIONS = ['NONE', 'NINETY_DEG', 'ONE_EIGHTY_DEG', 'TWO_SEVENTY_DEG'] as const;

/** A connection to any server of NLImageService. */
export interface NLImageClient {
  /** Throws E_UPSTREAM with what the server said. */
  rotate(image: NLImage, rotation: (typeof ROTATIONS)[number]): Promise<NLImage>;
  /** Throws E_UPSTREAM with what the server said. */
  mean(image: NLImage): Promise<NLImage>;
  close(): void;
}

/** Connects to `host:port`; each call may take so many milliseconds. */
export function nlimageClient(address: string, timeoutMs: number): NLImageClient {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  const call = (name: 'RotateImage' | 'MeanFilter', request: object): Promise<NLImage> =>
    new Promise((resolve, reject) => {
      const method = NLIMAGE_SERVICE[name];
      if (method === undefined)
        throw new ImgtoolError('E_INTERNAL', expected('a method of the service', name));
      const { path, requestSerialize, responseDeserialize } = method;
      const deadline = Date.now() + timeoutMs;
      client.makeUnaryRequest<object, NLImage>(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        { deadline },
        (error, answer) => (answer === undefined ? reject(errorFrom(error, address)) : resolve(answer)),
      );
    });
  return {
    rotate: (image, rotation) => call('RotateImage', { rotation, image }),
    mean: (image) => call('MeanFilter', image),
    close: () => client.close(),
  };
}

function errorFrom(cause: ServiceError | null, address: string): ImgtoolError {
  const reason = reasonOf(cause?.metadata.get('grpc-status-details-bin')[0]);
  const said = [reason, cause?.details].filter(Boolean).join(': ');
  return new ImgtoolError('E_UPSTREAM', expected(`an image from ${address}`, said || 'nothing'), {
    stage: 'process',
    cause,
  });
}
