import { NLIMAGE_SERVICE } from './definitions.js';
import { type Dial, Line, metadataFor, methodOf } from './dial.js';
import type { NLImage } from './messages.js';

/** The turns that NLImageService knows, counter-clockwise. */
export const ROTATIONS = ['NONE', 'NINETY_DEG', 'ONE_EIGHTY_DEG', 'TWO_SEVENTY_DEG'] as const;

/** One of {@link ROTATIONS}. */
export type Rotation = (typeof ROTATIONS)[number];

/** A connection to any server of NLImageService. Its calls throw a CallFailure with what the server said. */
export interface NLImageClient {
  rotate(image: NLImage, rotation: Rotation): Promise<NLImage>;
  mean(image: NLImage): Promise<NLImage>;
  close(): void;
}

/** A client that connects when it is first used; each call may take so many milliseconds. */
export function nlimageClient(dial: Dial, timeoutMs: number): NLImageClient {
  const line = new Line(dial);
  const metadata = metadataFor(dial);
  const call = (name: 'RotateImage' | 'MeanFilter', request: object): Promise<NLImage> =>
    line.call(
      (client) =>
        new Promise((resolve, reject) => {
          const { path, requestSerialize, responseDeserialize } = methodOf(NLIMAGE_SERVICE, name);
          const deadline = Date.now() + timeoutMs;
          client.makeUnaryRequest<object, NLImage>(
            path,
            requestSerialize,
            responseDeserialize,
            request,
            metadata,
            { deadline },
            (error, answer) => (answer === undefined ? reject(error) : resolve(answer)),
          );
        }),
    );
  return {
    rotate: (image, rotation) => call('RotateImage', { rotation, image }),
    mean: (image) => call('MeanFilter', image),
    close: () => line.close(),
  };
}
