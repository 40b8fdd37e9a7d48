import type { RecipeInput } from './recipe.js';

/** The presets that are always there; a config file may replace one by its name. */
export const PRESETS: Readonly<Record<string, RecipeInput>> = {
  thumb: { steps: [{ op: 'thumbnail', size: 100 }] },
  web: {
    outputs: [
      { format: 'webp', within: 1600 },
      { format: 'jpeg', within: 1600, progressive: true },
    ],
  },
  email: { outputs: [{ format: 'jpeg', within: '1280x1280', quality: 75 }] },
  'ml-1024x768-gray': {
    steps: [{ op: 'scale', size: '1024x768' }, { op: 'grayscale' }],
    outputs: [{ format: 'png', metadata: 'none' }],
  },
};
