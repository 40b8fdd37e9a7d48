import { FORMATS } from '../../codecs/extensions.js';
import { expected, ImgtoolError } from '../../errors.js';
import type { ServedImage } from '../service.js';
import { type Doors, unary } from './calls.js';
import type { ImageMessage, ProcessRequest, ProcessResponse, SizeRequest, SizeResponse } from './messages.js';
import { recipeFromMessage } from './recipe-message.js';

/** Most bytes of a picture in one message; larger ones stall all other calls while they are read, and go as streams. */
const MOST_UNARY = 4 * 1024 * 1024;

/** `Process` and `Size`. */
export function pictureMethods(doors: Doors) {
  const { service } = doors;
  return {
    process: unary<ProcessRequest, ProcessResponse>(doors, async ({ recipe, image }, signal, traffic) => {
      const wanted = recipeFromMessage(recipe);
      service.checkRoom();
      const upload = await service.spool.write([small(image)], service.limits.bytes, signal);
      traffic.bytesIn = image.length;
      try {
        const { images, notes } = await service.process(upload, wanted, signal);
        traffic.bytesOut = images.reduce((sum, { bytes }) => sum + bytes.length, 0);
        return { images: images.map((made) => ({ ...imageMessage(made), data: made.bytes })), notes };
      } finally {
        upload.release();
      }
    }),
    size: unary<SizeRequest, SizeResponse>(doors, async ({ image }, signal, traffic) => {
      const upload = await service.spool.write([small(image)], service.limits.bytes, signal);
      traffic.bytesIn = image.length;
      try {
        const { stored, density, source: _, ...facts } = await service.size(upload, signal);
        const { width: storedWidth, height: storedHeight } = stored;
        return { ...facts, storedWidth, storedHeight, density: density ?? 0 };
      } finally {
        upload.release();
      }
    }),
  };
}

/** A result without its bytes. */
export function imageMessage({ format, width, height, frames }: ServedImage): ImageMessage {
  return { format, contentType: FORMATS[format].mime, width, height, frames };
}

function small(image: Buffer): Buffer {
  if (image.length <= MOST_UNARY) return image;
  throw new ImgtoolError(
    'E_LIMIT_BYTES',
    `${expected('at most 4 MiB in one message', 'more')}; ProcessStream takes more`,
    {
      stage: 'read',
      field: 'image',
    },
  );
}
