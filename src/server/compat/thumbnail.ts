import { extname } from 'node:path';
import { FORMATS, formatOfExtension, unreadableTypeOf } from '../../codecs/extensions.js';
import { expected, ImgtoolError } from '../../errors.js';
import type { JobOutput } from '../../jobs/job.js';
import { parseRecipe, type RecipeInput } from '../../recipe.js';
import { deliveredTo, type JobTools } from '../jobs/kinds.js';
import type { Served } from '../service.js';
import type { SpooledInput } from '../spool.js';

/** The picture that all these services make: inside 100x100, never enlarged, in the format of the source. */
export const THUMBNAIL: RecipeInput = { steps: [{ op: 'thumbnail', size: 100 }] };

/** Whether a file with this extension holds a picture that is both read and written. */
export function holdsPicture(extension: string): boolean {
  const format = formatOfExtension(extension);
  return format !== undefined && FORMATS[format].reads && FORMATS[format].writes;
}

/**
 * Writes the thumbnail of a picture to a file of a given name. Where the name's extension says another format than the
 * picture has, the name is right: nobody gets a PNG in a file called .jpg. Throws the pipeline's errors, and E_UNSUPPORTED
 * for an extension of pictures that cannot be written.
 */
export async function thumbnailFile(
  path: string,
  input: SpooledInput,
  { service, signal }: Pick<JobTools, 'service' | 'signal'>,
): Promise<JobOutput> {
  const extension = extname(path);
  const format = formatOfExtension(extension);
  const isOfPictures = format !== undefined || unreadableTypeOf(extension) !== undefined;
  if (isOfPictures && !holdsPicture(extension))
    throw new ImgtoolError('E_UNSUPPORTED', expected('an extension of a format that is written', extension));
  const made = await thumbnails({});
  const fits = format === undefined || made[0].format === format;
  return deliveredTo(path, fits ? made : await thumbnails({ outputs: [{ format }] }));

  async function thumbnails(more: object): Promise<Served['images']> {
    const recipe = parseRecipe({ ...THUMBNAIL, ...more });
    const { images } = await service.process(input, recipe, signal, { patient: true });
    return images;
  }
}
