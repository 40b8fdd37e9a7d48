import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { execa } from 'execa';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, expect, onTestFinished } from 'vitest';
import { SOON } from '../workshop.js';

const { stdout, exitCode } = await execa('which', ['chromium'], { reject: false });

/** Whether the tests with a browser run: everywhere in CI, elsewhere where chromium is. */
export const browses = exitCode === 0 || process.env.CI !== undefined;

let browser: Promise<Browser> | undefined;
afterAll(async () => (await browser)?.close());

/** What went wrong in a page while it was watched. */
export interface Watched {
  readonly page: Page;
  /** Forgets requests that were or will be refused or not answered, where a test wants that: a browser logs each. */
  forgive(): void;
}

/**
 * Opens the page of a server in a browser of its own; when the test ends, there may have been no console errors and
 * warnings, exceptions, violations of the policy, and requests to others than the server.
 */
export async function visit(url: string, options: BrowserContextOptions = {}): Promise<Watched> {
  browser ??= chromium.launch({ executablePath: stdout.trim(), args: ['--no-sandbox'], ...SOON });
  const context = await (await browser).newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(SOON.timeout);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'blob:' && origin !== new URL(url).origin) faults.push(`asked ${request.url()}`);
  });
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', ({ violatedDirective }) => console.error(violatedDirective))",
  );
  let forgiving = false;
  const forgive = (): void => {
    forgiving = true;
  };
  onTestFinished(async () => {
    await context.close();
    // what was under way may have been refused up to now
    expect(faults.filter((fault) => !(forgiving && fault.startsWith('Failed to load resource')))).toEqual([]);
  });
  await page.goto(url);
  return { page, forgive };
}

/** Chooses one of several by the keyboard: a pointer would miss it when what was counted or loaded moves the page. */
export async function choose(page: Page, name: string): Promise<void> {
  const radio = page.getByRole('radio', { name });
  await radio.press('Space');
  expect(await radio.isChecked()).toBe(true);
}

/** Drops files onto the page, as from a file manager. */
export async function drop(
  page: Page,
  ...files: readonly { name: string; bytes: Uint8Array }[]
): Promise<void> {
  const sent = files.map(({ name, bytes }) => ({ name, text: Buffer.from(bytes).toString('base64') }));
  const transfer = await inPage(page).evaluateHandle(({ ownerDocument: { defaultView } }, given) => {
    const { DataTransfer, File } = defaultView;
    const data = new DataTransfer();
    for (const { name, text } of given)
      data.items.add(
        new File([Uint8Array.from(atob(text), (character: string) => character.charCodeAt(0))], name),
      );
    return data;
  }, sent);
  await page.dispatchEvent('.drop', 'dragover', { dataTransfer: transfer });
  await page.dispatchEvent('.drop', 'drop', { dataTransfer: transfer });
}

/** The page's outermost element, through which code that runs there reaches what only browsers know. */
export function inPage(page: Page): Locator {
  return page.locator('html');
}

/** What a link of the page saves. */
export async function saved(page: Page, link: Locator): Promise<Buffer> {
  const download = page.waitForEvent('download');
  await link.click();
  return readFile(await (await download).path());
}

const require = createRequire(import.meta.url);

/** The rules of accessibility that the page breaks, by axe; each with the elements. */
export async function unfit(page: Page): Promise<string[]> {
  const { source } = require('axe-core') as { source: string };
  await page.evaluate(source);
  return page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as {
        axe: {
          run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
        };
      }
    ).axe.run();
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
    );
  });
}
