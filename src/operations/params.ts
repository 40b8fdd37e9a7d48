import * as z from 'zod';

/** The longest side, in pixels, that a recipe may ask for. */
export const MAX_SIDE = 65_535;

/** A number without sign, as a pattern that can read no text in two ways: those take a square of its length. */
export const DECIMAL = String.raw`(?:\d+(?:\.\d+)?|\.\d+)`;

/** Colours that may be written by name; the sixteen of CSS Level 1, and transparent. */
export const COLOUR_NAMES: Readonly<Record<string, string>> = {
  transparent: '#00000000',
  black: '#000000',
  silver: '#c0c0c0',
  gray: '#808080',
  white: '#ffffff',
  maroon: '#800000',
  red: '#ff0000',
  purple: '#800080',
  fuchsia: '#ff00ff',
  green: '#008000',
  lime: '#00ff00',
  olive: '#808000',
  yellow: '#ffff00',
  navy: '#000080',
  blue: '#0000ff',
  teal: '#008080',
  aqua: '#00ffff',
};

/** A colour that {@link colour} accepts, as hexadecimal digits. */
export function hex(text: string): string {
  return COLOUR_NAMES[text] ?? text;
}

/** Whether a colour lets something through. */
export function isClear(text: string): boolean {
  const digits = hex(text).slice(1).toLowerCase();
  return (digits.length === 4 && !digits.endsWith('f')) || (digits.length === 8 && !digits.endsWith('ff'));
}

/** A whole number of pixels, 1 to {@link MAX_SIDE}. */
export function side(description: string) {
  return z.int().min(1).max(MAX_SIDE).describe(description);
}

/** A colour: #rgb, #rgba, #rrggbb, #rrggbbaa, or a name of {@link COLOUR_NAMES}. */
export function colour(description: string) {
  const names = Object.keys(COLOUR_NAMES).join('|');
  return z
    .string()
    .regex(new RegExp(`^(#([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})|${names})$`), {
      error: 'a colour as #rgb, #rrggbb, #rrggbbaa or a name such as white',
    })
    .describe(description);
}

/** The resampling kernels of libvips, sharpest last. */
export const KERNELS = ['nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3'] as const;

/** Where a picture stays when a part of it must go. */
export const POSITIONS = [
  'centre',
  'top',
  'right top',
  'right',
  'right bottom',
  'bottom',
  'left bottom',
  'left',
  'left top',
  'entropy',
  'attention',
] as const;

/** Splits `WxH` into its two sides in pixels; both are 1 to {@link MAX_SIDE}. */
export function splitSize(text: string): { width: number; height: number } | undefined {
  const match = /^(\d{1,5})x(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [width, height] = [Number(match[1]), Number(match[2])];
  const fits = (n: number): boolean => n >= 1 && n <= MAX_SIDE;
  return fits(width) && fits(height) ? { width, height } : undefined;
}
