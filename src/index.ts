export { type Batch, runBatch } from './batch.js';
export type { Input } from './codecs/input.js';
export type { Destination } from './deliver.js';
export { ERRORS, type ErrorCode, ImgtoolError, type Stage } from './errors.js';
export type { Limits } from './limits.js';
export { WIDE_LIMITS } from './limits.js';
export { OPERATIONS, operationNamed } from './operations/index.js';
export type { Outcome, Output } from './outcome.js';
export { type Encoded, type Processed, type ProcessOptions, processImage } from './process.js';
export {
  type OutputOptions,
  parseRecipe,
  type Recipe,
  type RecipeInput,
  recipeJson,
  recipeJsonSchema,
} from './recipe.js';
