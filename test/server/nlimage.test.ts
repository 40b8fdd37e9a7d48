import { status } from '@grpc/grpc-js';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { failure, grpcClient } from './grpc-client.js';
import { bytesOf, direct, server } from './workshop.js';

interface NLImage {
  readonly color: boolean;
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

const GRAY: NLImage = {
  color: false,
  width: 3,
  height: 4,
  data: Buffer.from(Array.from({ length: 12 }, (_, at) => at)),
};

async function client() {
  const { port } = await server();
  const { unary } = grpcClient(port, 'NLImageService');
  return {
    rotate: (rotation: string | number, image: object) => unary<NLImage>('RotateImage', { rotation, image }),
    mean: (image: object) => unary<NLImage>('MeanFilter', image),
  };
}

function rows({ data, width }: NLImage): number[][] {
  return Array.from({ length: data.length / width }, (_, row) => [
    ...data.subarray(row * width, (row + 1) * width),
  ]);
}

describe('NLImageService', () => {
  it.each([
    [
      'NINETY_DEG',
      [
        [2, 5, 8, 11],
        [1, 4, 7, 10],
        [0, 3, 6, 9],
      ],
    ],
    [
      'TWO_SEVENTY_DEG',
      [
        [9, 6, 3, 0],
        [10, 7, 4, 1],
        [11, 8, 5, 2],
      ],
    ],
    [
      'ONE_EIGHTY_DEG',
      [
        [11, 10, 9],
        [8, 7, 6],
        [5, 4, 3],
        [2, 1, 0],
      ],
    ],
    [
      'NONE',
      [
        [0, 1, 2],
        [3, 4, 5],
        [6, 7, 8],
        [9, 10, 11],
      ],
    ],
  ])('turns gray pixels by %s', async (rotation, wanted) => {
    const turned = await (await client()).rotate(rotation, GRAY);
    expect(rows(turned)).toEqual(wanted);
    expect(turned).toMatchObject({ color: false, width: wanted[0]?.length, height: wanted.length });
  });

  it('takes the mean of what lies inside the picture, rounded down', async () => {
    expect(rows(await (await client()).mean(GRAY))).toEqual([
      [2, 2, 3],
      [3, 4, 4],
      [6, 7, 7],
      [8, 8, 9],
    ]);
  });

  it('turns triplets of colour as triplets', async () => {
    const data = Buffer.from([1, 2, 3, 4, 5, 6]);
    const turned = await (await client()).rotate('NINETY_DEG', { color: true, width: 2, height: 1, data });
    expect(turned).toMatchObject({ width: 1, height: 2, data: Buffer.from([4, 5, 6, 1, 2, 3]) });
  });

  it.each(['png/rgb.png', 'jpeg/baseline.jpg', 'png/gray.png'])(
    'answers %s encoded, in its own format, with true sides though none were given',
    async (name) => {
      const data = await bytesOf(fixture(name));
      const { rotate, mean } = await client();
      const turned = await rotate('NINETY_DEG', { color: true, data });
      expect(
        turned.data.equals(await direct(data, { steps: [{ op: 'rotate', angle: -90 }], frames: 'first' })),
      ).toBe(true);
      const { width, height, format } = await sharp(data).metadata();
      expect(turned).toMatchObject({ width: height, height: width });
      const smooth = await mean({ color: true, data });
      expect((await sharp(smooth.data).metadata()).format).toBe(format);
      expect(await rotate('NONE', { color: true, data })).toMatchObject({ data, width, height });
    },
  );

  it('takes pixels for pixels, though they begin as a JPEG does', async () => {
    const data = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(6)]);
    const turned = await (await client()).rotate('ONE_EIGHTY_DEG', {
      color: false,
      width: 3,
      height: 3,
      data,
    });
    expect([...turned.data.subarray(6)]).toEqual([0xff, 0xd8, 0xff]);
  });

  it('takes a picture for one, though its length is that of pixels with the stated sides', async () => {
    const picture = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const turned = await (await client()).mean({
      color: false,
      width: picture.length,
      height: 1,
      data: picture,
    });
    expect(turned).toMatchObject({ width: 8, height: 8 });
  });

  it.each<[string, string | number, object]>([
    ['an unknown rotation', 7, GRAY],
    ['pixels that do not fill the sides', 'NONE', { ...GRAY, width: 5 }],
    ['no sides and no picture', 'NINETY_DEG', { ...GRAY, width: 0, height: 0 }],
    ['negative sides', 'NINETY_DEG', { ...GRAY, width: -3, height: -4 }],
    ['no bytes', 'NINETY_DEG', { ...GRAY, data: Buffer.alloc(0) }],
    ['another format', 'NONE', { color: true, data: Buffer.from('GIF89a..............') }],
  ])('refuses %s', async (_, rotation, image) => {
    expect(await failure((await client()).rotate(rotation, image))).toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
  });

  it('takes more than the 4 MiB that gRPC allows by default', async () => {
    const side = 1500;
    const data = Buffer.alloc(side * side * 3, 7);
    const turned = await (await client()).rotate('ONE_EIGHTY_DEG', {
      color: true,
      width: side,
      height: side,
      data,
    });
    expect(turned.data.equals(data)).toBe(true);
  });
});
