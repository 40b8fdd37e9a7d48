import { FORMATS, formats } from '../../codecs/extensions.js';
import { headOf } from '../../codecs/head.js';
import { bytesOf, type Input } from '../../codecs/input.js';
import { sniff } from '../../codecs/magic.js';
import { expected, ImgtoolError } from '../../errors.js';

/** Throws E_UNSUPPORTED for a type that this server has switched off; the bytes decide, never a name. */
export async function refuseOff(input: Input, svg: boolean): Promise<void> {
  if (svg || (await typeOf(input)) !== 'svg') return;
  const readable = formats().filter((format) => FORMATS[format].reads && format !== 'svg');
  throw new ImgtoolError(
    'E_UNSUPPORTED',
    `${expected(`a picture (${readable.join(', ')})`, 'svg data')}; SVG is off on this server`,
    { stage: 'decode' },
  );
}

/** A long comment or a desert of spaces can keep an SVG's first element out of a file's head. */
async function typeOf(input: Input): Promise<ReturnType<typeof sniff>> {
  const type = sniff(await headOf(input));
  return type === 'xml' || type === 'text' ? sniff(await bytesOf(input)) : type;
}
