import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { photos } from '../../support/fixtures.js';
import { bytesOf, server } from '../workshop.js';
import { browses, drop, inPage, unfit, visit } from './browser.js';

const [photo = ''] = photos();
const bytes = await bytesOf(photo);

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };

/** A page in use: a picture, a recipe of every operation, tasks that are done and failed. */
async function inUse(page: Page): Promise<void> {
  await page.locator('#connection[data-state=live]').waitFor();
  await drop(page, { name: 'photo.jpg', bytes }, { name: 'cut.jpg', bytes: bytes.subarray(0, 20_000) });
  await page.locator('.facts').getByText(/→/).waitFor();
  await page.getByRole('button', { name: 'Queue all 2' }).click();
  await page.locator('.task[data-state=succeeded]').waitFor();
  await page.locator('.task[data-state=failed]').waitFor();
  for (const adder of await page.locator('.adders button').all()) await adder.click();
  for (const summary of await page.locator('summary').all()) await summary.click();
}

/** The name of what has the focus, as a screen reader tells it. */
async function focused(page: Page): Promise<string> {
  return inPage(page).evaluate(({ ownerDocument: { activeElement: at } }) =>
    String(at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent).trim(),
  );
}

/** Presses a key until something has the focus; fails after so many. */
async function walkTo(page: Page, name: string | RegExp, key = 'Tab'): Promise<void> {
  const seen: string[] = [];
  while (seen.length < 60) {
    await page.keyboard.press(key);
    const at = await focused(page);
    if (typeof name === 'string' ? at === name : name.test(at)) return;
    seen.push(at);
  }
  throw new Error(`expected to come to ${name}, received ${seen.join(', ')}`);
}

describe.skipIf(!browses)('the page is fit for everyone (skipped without chromium)', () => {
  it.each([
    ['a desktop, light', DESKTOP, 'light'],
    ['a desktop, dark', DESKTOP, 'dark'],
    ['a phone, light', PHONE, 'light'],
    ['a phone, dark', PHONE, 'dark'],
  ] as const)('by the rules of axe, on %s', async (_, viewport, colorScheme) => {
    const { url } = await server({ jobs: {} });
    const { page, forgive } = await visit(url, { viewport, colorScheme, reducedMotion: 'reduce' });
    expect(await unfit(page)).toEqual([]);
    await inUse(page);
    expect(await unfit(page)).toEqual([]);
    expect(await inPage(page).evaluate(({ scrollWidth }) => scrollWidth)).toBe(viewport.width);
    await page.locator('.task .name').first().click();
    await page.getByRole('dialog').locator('figure').first().waitFor();
    expect(await unfit(page)).toEqual([]);
    // the recipe of every operation at its examples may be refused, which a browser logs
    forgive();
  });

  it('where it asks for the token', async () => {
    const { url } = await server({ token: 'opensesame' });
    const { page } = await visit(url);
    await page.getByLabel('Token').waitFor();
    expect(await unfit(page)).toEqual([]);
    expect(await focused(page)).toBe('Token');
  });

  it('at twice the size, on a narrow screen', async () => {
    const { url } = await server({ jobs: {} });
    // 200 % of a page is half its width in CSS pixels
    const { page, forgive } = await visit(url, {
      viewport: { width: 320, height: 450 },
      deviceScaleFactor: 2,
    });
    await inUse(page);
    expect(await inPage(page).evaluate(({ scrollWidth }) => scrollWidth)).toBe(320);
    forgive();
  });

  it('without motion for those who want none', async () => {
    const { url } = await server({ jobs: {} });
    const { page } = await visit(url, { reducedMotion: 'reduce' });
    await page.locator('#connection[data-state=live]').waitFor();
    const moving = await inPage(page).evaluate(({ ownerDocument: { body, defaultView } }) => {
      const row = body.appendChild(body.ownerDocument.createElement('p'));
      row.dataset.state = 'running';
      const state = row.appendChild(body.ownerDocument.createElement('span'));
      state.className = 'state';
      const { animationName } = defaultView.getComputedStyle(state, '::before');
      const { scrollBehavior } = defaultView.getComputedStyle(body.ownerDocument.documentElement);
      row.remove();
      return [animationName, scrollBehavior];
    });
    expect(moving).toEqual(['none', 'auto']);
  });

  it('by keyboard alone: choose, build, run, queue, look, and close', async () => {
    const { url } = await server({ jobs: {} });
    const { page } = await visit(url);
    await page.locator('#connection[data-state=live]').waitFor();
    await walkTo(page, 'Skip to content');
    await page.keyboard.press('Enter');
    // the browser goes there in its own time
    await page.locator('main:focus').waitFor();
    const chooser = page.waitForEvent('filechooser');
    await walkTo(page, /^Choose a picture/);
    await page.keyboard.press('Enter');
    await (await chooser).setFiles(photo);
    await page.locator('.facts').getByText(/→/).waitFor();
    await walkTo(page, 'Thumbnail');
    await page.keyboard.press('Enter');
    expect(await focused(page)).toBe('Size');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('64');
    await page.keyboard.press('Enter');
    await page
      .locator('.facts')
      .getByText(/64 × \d+/)
      .waitFor();
    await walkTo(page, 'Queue it', 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.locator('.task[data-state=succeeded]').waitFor();
    await walkTo(page, /\.jpg$/);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    expect(await focused(page)).toMatch(/Close|jpg/);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(await focused(page)).toMatch(/\.jpg$/);
    await walkTo(page, 'Grayscale', 'Shift+Tab');
    await page.keyboard.press('Enter');
    await walkTo(page, 'Move grayscale up', 'Shift+Tab');
    await page.keyboard.press('Enter');
    expect(await page.locator('.steps legend').allTextContents()).toEqual(['1. Grayscale', '2. Thumbnail']);
    expect(await focused(page)).toBe('Move grayscale up');
    await walkTo(page, 'Remove thumbnail');
    await page.keyboard.press('Enter');
    expect(await focused(page)).toBe('Move grayscale up');
    await walkTo(page, 'Remove grayscale');
    await page.keyboard.press('Enter');
    expect(await focused(page)).toBe('Resize');
  });
});
