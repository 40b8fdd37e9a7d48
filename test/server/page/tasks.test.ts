import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RecipeInput } from '../../../src/recipe.js';
import { photos, tempDir } from '../../support/fixtures.js';
import { serve } from '../serving.js';
import { bytesOf, direct, ENDLESS, eventually, noise, SOON, server } from '../workshop.js';
import { browses, choose, drop, inPage, saved, visit } from './browser.js';

const [photo = ''] = photos();
const bytes = await bytesOf(photo);

/** A picture that ends too early: taken in, and refused when it is worked on. */
const CUT = bytes.subarray(0, 20_000);

const HOSTILE = [
  '<img src=x onerror=alert(1)>.jpg',
  'safe\u202egpj.exe.jpg',
  `"'><script>alert(1)</script>.jpg`,
  `${'long'.repeat(62)}.jpg`,
];

/** Hands in a job as another client does, and gives its id. */
async function submit(
  url: string,
  name: string,
  body: Uint8Array,
  recipe: RecipeInput = { steps: [{ op: 'thumbnail', size: 100 }] },
): Promise<string> {
  const form = new FormData();
  form.set('recipe', JSON.stringify(recipe));
  form.set('image', new Blob([new Uint8Array(body)]), 'other.jpg');
  const response = await fetch(`${url}/v1/process?name=${encodeURIComponent(name)}`, {
    method: 'POST',
    body: form,
    headers: { prefer: 'respond-async' },
  });
  const text = await response.text();
  expect(response.status, text).toBe(202);
  return (JSON.parse(text) as { id: string }).id;
}

/** The row of a task in some state; waits until there is one. */
async function row(page: Page, name: string, state: string) {
  const found = page.locator(`.task[data-state=${state}]`).filter({ hasText: name });
  await found.first().waitFor();
  return found.first();
}

/** An address that stays the same over a restart, which a server's own may not: another could have taken its port meanwhile. */
async function proxy() {
  let port = 0;
  const door = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      one
        .on('error', () => undefined)
        .on('close', () => other.destroy())
        .pipe(other);
  }).listen(0, '127.0.0.1');
  await once(door, 'listening');
  onTestFinished(() => void door.close());
  return {
    url: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    leadTo: (url: string) => {
      port = Number(new URL(url).port);
    },
  };
}

async function live(url: string, options = {}) {
  const watched = await visit(url, options);
  await watched.page.locator('#connection[data-state=live]').waitFor();
  return watched;
}

describe.skipIf(!browses)('tasks on the page (skipped without chromium)', () => {
  it('appear when another client hands them in, progress, and end, without a reload', async () => {
    const { url } = await server({ jobs: {}, limits: { workers: 1 } });
    const { page } = await live(url);
    await page.getByText('Nothing here yet').waitFor();
    const seen = await inPage(page).evaluateHandle(({ ownerDocument: { body, defaultView } }) => {
      const states = new Set<string>();
      const watch = { subtree: true, attributes: true, attributeFilter: ['data-state'] };
      new defaultView.MutationObserver((changes: readonly { target: { dataset: { state: string } } }[]) => {
        for (const { target } of changes) states.add(target.dataset.state);
      }).observe(body, watch);
      return states;
    });
    await submit(url, 'slow.jpg', await noise(1, 1500), { steps: [{ op: 'mean', size: 101 }] });
    await submit(url, 'next.jpg', bytes);
    await row(page, 'slow.jpg', 'succeeded');
    const done = await row(page, 'next.jpg', 'succeeded');
    expect(await seen.evaluate((states) => [...states])).toEqual(
      expect.arrayContaining(['running', 'succeeded']),
    );
    expect(await done.textContent()).toMatch(/thumbnail 100/);
    expect(await page.locator('.task').allTextContents()).toEqual([
      expect.stringContaining('next.jpg'),
      expect.stringContaining('slow.jpg'),
    ]);
    await page.getByRole('status').getByText('done').waitFor({ state: 'attached' });
    await page.getByRole('img', { name: /^2 finished in the last 5 minutes/ }).waitFor();
    await page.getByRole('img', { name: /^Run times of the last 2 tasks: half within/ }).waitFor();
    await page.locator('.tile').filter({ hasText: 'Workers' }).getByText('busy, 2 ready').waitFor();
  });

  it('show their details: the picture, its results, the recipe, which can be taken over', async () => {
    const { url } = await server({ jobs: {} });
    const { page } = await live(url);
    await submit(url, 'photo.jpg', bytes);
    await (await row(page, 'photo.jpg', 'succeeded')).getByRole('button').click();
    const dialog = page.getByRole('dialog', { name: 'photo.jpg' });
    const loaded = (image: { naturalWidth: number }) => image.naturalWidth;
    await expect.poll(() => dialog.getByAltText('Original').evaluate(loaded), SOON).toBeGreaterThan(100);
    await expect.poll(() => dialog.getByAltText('100 ×').evaluate(loaded), SOON).toBe(100);
    const made = await direct(bytes, { steps: [{ op: 'thumbnail' }] });
    expect((await saved(page, dialog.getByRole('link', { name: 'Save' }))).equals(made)).toBe(true);
    expect(await dialog.locator('dl').textContent()).toMatch(/Ran for[\d.]+ m?s.*Prioritynormal/);
    await dialog.getByRole('button', { name: 'Use this recipe' }).click();
    expect(await dialog.isVisible()).toBe(false);
    expect(await page.locator('.steps > li').allTextContents()).toEqual([
      expect.stringContaining('1. Thumbnail'),
    ]);
    await page.locator('.copy-as code').getByText('--op thumbnail').waitFor();
  });

  it('that failed say why, and are tried again', async () => {
    const { url } = await server({ jobs: {} });
    const { page } = await live(url);
    await submit(url, 'cut.jpg', CUT);
    const failed = await row(page, 'cut.jpg', 'failed');
    expect(await failed.locator('.reason').textContent()).toMatch(/expected/);
    await failed.getByRole('button').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('E_DECODE').waitFor();
    await dialog.locator('dl').getByText('1', { exact: true }).waitFor();
    const [again] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('/retry')),
      dialog.getByRole('button', { name: 'Try again' }).click(),
    ]);
    expect(again.status()).toBe(202);
    await page.keyboard.press('Escape');
    await row(page, 'cut.jpg', 'failed');
  });

  it('that run or wait are cancelled', async () => {
    const { url } = await server({ jobs: {}, limits: { workers: 1 } });
    const { page } = await live(url);
    await submit(url, 'endless.jpg', await noise(2), ENDLESS);
    await submit(url, 'waiting.jpg', bytes);
    for (const [name, state] of [
      ['waiting.jpg', 'queued'],
      ['endless.jpg', 'running'],
    ] as const) {
      await (await row(page, name, state)).getByRole('button').click();
      await page.getByRole('dialog').getByRole('button', { name: 'Cancel task' }).click();
      await page.locator('dialog[data-state=cancelled]').waitFor();
      expect(await page.getByRole('button', { name: 'Cancel task' }).count()).toBe(0);
      await page.keyboard.press('Escape');
      await row(page, name, 'cancelled');
    }
  });

  it('are queued from the page, one for each picture, and filtered by state', async () => {
    const { url } = await server({ jobs: {} });
    const { page } = await live(url);
    await drop(page, { name: 'one.jpg', bytes }, { name: 'two.jpg', bytes });
    await page.locator('.facts').getByText(/→/).waitFor();
    await page.getByLabel('Priority').selectOption('urgent');
    await page.getByRole('button', { name: 'Queue all 2' }).click();
    for (const name of ['one.jpg', 'two.jpg']) await row(page, name, 'succeeded');
    await submit(url, 'cut.jpg', CUT);
    await row(page, 'cut.jpg', 'failed');
    await choose(page, 'Done');
    await expect.poll(() => page.locator('.task').count(), SOON).toBe(2);
    await choose(page, 'Failed');
    await expect.poll(() => page.locator('.task .name').allTextContents(), SOON).toEqual(['cut.jpg']);
    await submit(url, 'later.jpg', bytes);
    await submit(url, 'cut too.jpg', CUT);
    await expect
      .poll(() => page.locator('.task .name').allTextContents(), SOON)
      .toEqual(['cut too.jpg', 'cut.jpg']);
    await page.getByRole('radio', { name: /^Failed 2/ }).waitFor({ state: 'attached' });
  });

  it('stay as they are known when the answer to their handing in comes late', async () => {
    const { url } = await server({ jobs: {} });
    const { page } = await live(url);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/v1/process?priority=*', async (route) => {
      const response = await route.fetch();
      await held;
      await route.fulfill({ response });
    });
    await drop(page, { name: 'photo.jpg', bytes });
    await page.getByRole('button', { name: 'Queue it' }).click();
    await row(page, 'photo.jpg', 'succeeded');
    // the list is asked for anew
    await choose(page, 'Failed');
    await expect.poll(() => page.locator('.task').count(), SOON).toBe(0);
    await choose(page, 'All');
    await row(page, 'photo.jpg', 'succeeded');
    release();
    await page.getByRole('status').getByText('One task queued').waitFor({ state: 'attached' });
    expect(await page.locator('.task').getAttribute('data-state')).toBe('succeeded');
  });

  it('of before the page was opened are there, page by page', async () => {
    const { url, desk } = await server({ jobs: {} });
    for (let count = 1; count <= 53; count += 1) await submit(url, `photo ${count}.jpg`, bytes);
    // a task that changes while somebody looks is shown, however old it is
    await eventually(async () => expect((await desk?.queue.counts())?.finished).toBe(53));
    const { page } = await live(url);
    await expect.poll(() => page.locator('.task').count(), SOON).toBe(50);
    expect(await page.locator('.task .name').first().textContent()).toBe('photo 53.jpg');
    await page.getByRole('button', { name: 'Show older' }).click();
    await expect.poll(() => page.locator('.task').count(), SOON).toBe(53);
    expect(await page.locator('.task .name').last().textContent()).toBe('photo 1.jpg');
    expect(await page.getByRole('button', { name: 'Show older' }).count()).toBe(0);
  });

  it('stay in place and run nothing, whatever their names are', async () => {
    const { url } = await server({ jobs: {} });
    const { page } = await live(url, { viewport: { width: 360, height: 740 } });
    page.on('dialog', () => expect.unreachable('a name was run'));
    for (const name of HOSTILE) await submit(url, name, name.length > 200 ? CUT : bytes);
    await expect.poll(() => page.locator('.task').count(), SOON).toBe(HOSTILE.length);
    await page.locator('.task[data-state=failed]').waitFor();
    expect(await page.locator('.task img, .task script').count()).toBe(0);
    const rows = page.locator('.task .name');
    for (let index = 0; index < HOSTILE.length; index += 1) {
      await rows.nth(index).click();
      const dialog = page.getByRole('dialog');
      await dialog.locator('.pictures figure').first().waitFor();
      expect(await dialog.locator('h2 *').count()).toBe(0);
      expect(await dialog.textContent()).not.toMatch('\u202e');
      expect(await dialog.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
      await page.keyboard.press('Escape');
    }
    expect(await inPage(page).evaluate(({ scrollWidth }) => scrollWidth)).toBe(360);
  });

  it('come back by themselves after the server was gone, with what happened meanwhile', async () => {
    const data = await tempDir();
    const first = await serve('--data-dir', data);
    const door = await proxy();
    door.leadTo(first.url);
    const { page, forgive } = await live(door.url);
    // a browser logs each request that is not answered
    forgive();
    await submit(first.url, 'before.jpg', bytes);
    await row(page, 'before.jpg', 'succeeded');
    first.child.kill('SIGKILL');
    await first.child;
    await page.getByText('Connection lost').first().waitFor();
    const second = await serve('--data-dir', data);
    door.leadTo(second.url);
    await submit(second.url, 'meanwhile.jpg', bytes);
    await page.locator('#connection[data-state=live]').waitFor();
    await row(page, 'meanwhile.jpg', 'succeeded');
    await row(page, 'before.jpg', 'succeeded');
    await submit(second.url, 'after.jpg', bytes);
    await row(page, 'after.jpg', 'succeeded');
    second.child.kill('SIGTERM');
    // an open page does not hold a server up
    expect((await second.child).exitCode).toBe(0);
  });

  it('are not followed while nobody looks, and are there when somebody does', async () => {
    const { url } = await server({ jobs: {} });
    const { page } = await live(url);
    const look = (hidden: boolean) =>
      inPage(page).evaluate(({ ownerDocument: document }, value) => {
        Object.defineProperty(document, 'hidden', { configurable: true, value });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    // two: the first may come with the list, the second comes by the stream only
    for (const name of ['first.jpg', 'second.jpg']) {
      await submit(url, name, bytes);
      await row(page, name, 'succeeded');
    }
    const ended = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/v1/jobs/events'));
    await look(true);
    await ended;
    await submit(url, 'unseen.jpg', bytes);
    const again = page.waitForRequest((request) => request.url().endsWith('/v1/jobs/events'));
    await look(false);
    expect((await again).headers()['last-event-id']).toMatch(/^\d+$/);
    await row(page, 'unseen.jpg', 'succeeded');
    await submit(url, 'seen.jpg', bytes);
    await row(page, 'seen.jpg', 'succeeded');
  });

  it('need the token, where the server wants one', async () => {
    const { url } = await server({ jobs: {}, token: 'opensesame' });
    const { page, forgive } = await visit(url);
    await page.getByLabel('Token').fill('guessed');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('not the token').waitFor();
    forgive();
    await page.getByLabel('Token').fill('opensesame');
    await page.keyboard.press('Enter');
    await page.locator('#connection[data-state=live]').waitFor();
    await drop(page, { name: 'photo.jpg', bytes });
    await page.getByRole('button', { name: 'Queue it' }).click();
    await (await row(page, 'photo.jpg', 'succeeded')).getByRole('button').click();
    const original = page.getByRole('dialog').getByAltText('Original');
    await expect
      .poll(() => original.evaluate((image: { naturalWidth: number }) => image.naturalWidth), SOON)
      .toBeGreaterThan(100);
    await page.reload();
    await page.locator('#connection[data-state=live]').waitFor();
    expect(await page.getByLabel('Token').count()).toBe(0);
  });

  it('are said to be off with --no-jobs, and the rest is there', async () => {
    const { url } = await server();
    const { page } = await visit(url);
    await page.getByText('--no-jobs').waitFor();
    await drop(page, { name: 'photo.jpg', bytes });
    await page.locator('.facts').getByText(/→/).waitFor();
    expect(await page.getByRole('button', { name: /^Queue/ }).count()).toBe(0);
  });
});
