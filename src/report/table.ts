import { cells } from './cells.js';

/** Rows as a table with aligned columns, numbers to the right. */
export function table(rows: readonly (readonly string[])[], rightAligned: ReadonlySet<number>): string[] {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    rows.reduce((most, row) => Math.max(most, cells(row[column] ?? '')), 0),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const space = ' '.repeat((widths[column] ?? 0) - cells(cell));
        return rightAligned.has(column) ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd(),
  );
}

/** One row of comma-separated values (RFC 4180). */
export function csvRow(values: readonly (string | number | boolean | null)[]): string {
  return values.map((value) => (value === null ? '' : quoted(String(value)))).join(',');
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
