import { expected, ImgtoolError } from '../errors.js';
import type { Pixels, Samples } from '../kernels/pixels.js';
import type { Step } from '../operations/operation.js';
import { type Errand, type Made, processImage } from '../process.js';
import type { Recipe } from '../recipe.js';
import type { NLImage } from '../server/grpc/messages.js';
import { type NLImageClient, ROTATIONS, type Rotation } from '../server/grpc/nlimage-client.js';
import type { Pool } from './pool.js';

type Call = (client: NLImageClient, image: NLImage) => Promise<NLImage>;

/** What a server of NLImageService does for a step, pixels in and pixels out. */
interface Service {
  readonly call: Call;
  /** Whether it treats each channel, and each byte of one, by itself. */
  readonly moves: boolean;
}

/** Has the steps of recipes carried out by servers of NLImageService; all else happens here. Throws as {@link checkSteps} does. */
export function byNLImage(servers: Pool<NLImageClient>): (errand: Errand) => Promise<Made> {
  return async ({ input, recipe, wanted, options }) => {
    const { elsewhere: _, ...here } = options;
    const steps = recipe.steps.map((step) => remoteStep(step, servers));
    const made = await processImage(input, { ...recipe, steps }, { ...here, onHeader: async () => wanted });
    if (made === undefined) throw new ImgtoolError('E_INTERNAL', 'the picture was left alone');
    return made;
  };
}

/** Throws E_USAGE for a recipe with a step that NLImageService does not have, or with none. */
export function checkSteps({ steps }: Recipe): void {
  const odd = steps.find((step) => serviceFor(step) === undefined);
  if (steps.length > 0 && odd === undefined) return;
  const wanted = 'rotate by a multiple of 90 degrees, or mean with --rounding floor (size 3), for nlimage';
  throw new ImgtoolError('E_USAGE', expected(wanted, odd?.slug ?? 'no step'), {
    stage: 'plan',
    field: '--server-protocol',
  });
}

function remoteStep(step: Step, servers: Pool<NLImageClient>): Step {
  const service = serviceFor(step);
  if (service === undefined) return step;
  return {
    ...step,
    means: (shape) => step.means(shape) && { kernel: (pixels) => carriedOut(pixels, service, servers) },
  };
}

/** Degrees clockwise, as `rotate` has them; the service's own are counter-clockwise. */
const TURNS: Readonly<Record<number, Rotation>> = {
  0: ROTATIONS[0],
  90: ROTATIONS[3],
  180: ROTATIONS[2],
  270: ROTATIONS[1],
};

function serviceFor({ name, params }: Step): Service | undefined {
  if (name === 'mean' && params.size === 3 && params.rounding === 'floor')
    return { moves: false, call: (client, image) => client.mean(image) };
  if (name !== 'rotate' || params.flip === true || params.flop === true) return undefined;
  const rotation = TURNS[((Number(params.angle) % 360) + 360) % 360];
  return rotation && { moves: true, call: (client, image) => client.rotate(image, rotation) };
}

/** Planes of one or three bytes a pixel are all that the service knows: others go as several. */
async function carriedOut(
  pixels: Pixels,
  { call, moves }: Service,
  servers: Pool<NLImageClient>,
): Promise<Pixels> {
  const opaque = isOpaque(pixels);
  if (!moves && (pixels.data instanceof Uint16Array || !opaque))
    throw new ImgtoolError(
      'E_UNSUPPORTED',
      expected(
        '8 bits and no transparency for the mean of NLImageService',
        opaque ? '16 bits' : 'transparency',
      ),
      { stage: 'process' },
    );
  const depth = pixels.data.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(pixels.data.buffer, pixels.data.byteOffset, pixels.data.byteLength);
  const stride = pixels.channels * depth;
  const done = { bytes: new Uint8Array(bytes.length), width: pixels.width, height: pixels.height };
  for (const [first, count] of planesOf(stride)) {
    const image = picked(bytes, pixels, stride, first, count);
    const answer = checked(await servers.run(({ client }) => call(client, image)), image);
    laid(answer.data, done.bytes, stride, first, count);
    Object.assign(done, { width: answer.width, height: answer.height });
  }
  const { width, height } = done;
  return { data: samplesOf(done.bytes, depth), width, height, channels: pixels.channels };
}

/** Byte offsets in a pixel, and how many from there: threes while there are, then ones. */
function planesOf(stride: number): readonly (readonly [number, 1 | 3])[] {
  const threes = Math.floor(stride / 3);
  return Array.from({ length: threes + (stride % 3) }, (_, at) =>
    at < threes ? ([at * 3, 3] as const) : ([threes * 3 + at - threes, 1] as const),
  );
}

function picked(
  bytes: Uint8Array,
  { width, height }: Pixels,
  stride: number,
  first: number,
  count: 1 | 3,
): NLImage {
  const data = new Uint8Array(width * height * count);
  for (let from = first, to = 0; to < data.length; from += stride, to += count)
    for (let byte = 0; byte < count; byte += 1) data[to + byte] = bytes[from + byte] ?? 0;
  return { color: count === 3, data, width, height };
}

function laid(data: Uint8Array, bytes: Uint8Array, stride: number, first: number, count: number): void {
  for (let from = 0, to = first; from < data.length; from += count, to += stride)
    for (let byte = 0; byte < count; byte += 1) bytes[to + byte] = data[from + byte] ?? 0;
}

function checked(answer: NLImage, { data, color }: NLImage): NLImage {
  const { width, height } = answer;
  if (answer.data.length === data.length && width * height * (color ? 3 : 1) === data.length) return answer;
  const received = `${answer.data.length} bytes for ${width}x${height}`;
  throw new ImgtoolError('E_PROCESS', expected(`${data.length} bytes of pixels`, received), {
    stage: 'process',
  });
}

function samplesOf(bytes: Uint8Array, depth: number): Samples {
  return depth === 2 ? new Uint16Array(bytes.buffer) : bytes;
}

function isOpaque({ data, channels }: Pixels): boolean {
  if (channels % 2 === 1) return true;
  const most = data instanceof Uint16Array ? 65_535 : 255;
  for (let at = channels - 1; at < data.length; at += channels) if (data[at] !== most) return false;
  return true;
}
