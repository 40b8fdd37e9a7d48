import { FORMATS, formats } from '../../codecs/extensions.js';
import { headOf } from '../../codecs/head.js';
import type { Input } from '../../codecs/input.js';
import { sniff } from '../../codecs/magic.js';
import { expected, ImgtoolError } from '../../errors.js';

/** Throws E_UNSUPPORTED for a type that this server has switched off; the bytes decide, never a name. */
export async function refuseOff(input: Input, svg: boolean): Promise<void> {
  const type = sniff(await headOf(input));
  if (svg || type !== 'svg') return;
  const readable = formats().filter((format) => FORMATS[format].reads && format !== 'svg');
  throw new ImgtoolError(
    'E_UNSUPPORTED',
    `${expected(`a picture (${readable.join(', ')})`, 'svg data')}; SVG is off on this server`,
    { stage: 'decode' },
  );
}
