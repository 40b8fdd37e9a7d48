import { sectionSchema } from '../../commands/flags/section.js';
import { ServeCommand } from '../../commands/serve.js';
import { configJsonSchema } from '../../src/config.js';
import { recipeJsonSchema } from '../../src/recipe.js';
import { reportJsonSchema } from '../../src/report/schema.js';
import { errorsPage } from './errors.js';
import { operationsPage } from './operations.js';

/** Every generated file by its path in the repository. */
export function documents(): Readonly<Record<string, string>> {
  return {
    'docs/operations.md': operationsPage(),
    'docs/errors.md': errorsPage(),
    'docs/recipe.schema.json': json(recipeJsonSchema()),
    'docs/config.schema.json': json(configJsonSchema(sectionSchema(ServeCommand.flags))),
    'docs/report.schema.json': json(reportJsonSchema()),
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
