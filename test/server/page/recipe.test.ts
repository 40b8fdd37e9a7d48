import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { RecipeInput } from '../../../src/recipe.js';
import { imgtool } from '../../support/cli.js';
import { fixture, photos, tempDir } from '../../support/fixtures.js';
import { grpcClient } from '../grpc-client.js';
import { bytesOf, direct, eventually, server } from '../workshop.js';
import { browses, choose, drop, inPage, saved, visit } from './browser.js';

const [photo = ''] = photos();
const bytes = await bytesOf(photo);

/** A name that would be markup, flags, a substitution or another direction to whoever reads it carelessly. */
const HOSTILE = [
  '<img src=x onerror=alert(1)>.jpg',
  "it's $(touch x) `y` \\ ;rm.jpg",
  '-rf --out.jpg',
  'new\nline\u202egpj.exe.jpg',
  `${'w'.repeat(240)}ü.jpg`,
];

function result(page: Page): Promise<Buffer> {
  return saved(page, page.getByRole('link', { name: 'Save result' }));
}

/** Waits for the next result after something was changed. */
async function afterwards(page: Page, change: () => Promise<unknown>): Promise<void> {
  const answered = page.waitForResponse((response) => response.url().endsWith('/v1/process'));
  await change();
  await answered;
  await page.locator('.facts').getByText(/→/).waitFor();
}

async function add(page: Page, operation: string): Promise<void> {
  await page
    .getByRole('group', { name: 'Add a step' })
    .getByRole('button', { name: operation, exact: true })
    .click();
}

/** The text that the page copies, once it is on the clipboard. */
async function copied(page: Page, way: string): Promise<string> {
  await choose(page, way);
  await page.evaluate(`navigator.clipboard.writeText('')`);
  await page.locator('.copy-as').getByRole('button').click();
  return eventually(async () => {
    const text = String(await page.evaluate('navigator.clipboard.readText()'));
    expect(text).not.toBe('');
    return text;
  });
}

async function picked(url: string, name = 'photo.jpg') {
  const watched = await visit(url, { permissions: ['clipboard-read', 'clipboard-write'] });
  await afterwards(watched.page, () => drop(watched.page, { name, bytes }));
  return watched;
}

describe.skipIf(!browses)('a recipe on the page (skipped without chromium)', () => {
  it('is built from controls, and makes the bytes that the server makes of it anywhere', async () => {
    const { url } = await server();
    const { page } = await picked(url);
    const steps = page.locator('.steps > li');
    await afterwards(page, () => add(page, 'Resize'));
    await afterwards(page, async () => {
      await steps.getByLabel('Width').fill('320');
      await steps.getByLabel('Width').press('Tab');
    });
    await afterwards(page, () => add(page, 'Rotate'));
    await afterwards(page, () => add(page, 'Grayscale'));
    await afterwards(page, () => steps.nth(2).getByLabel('Channels').selectOption('3'));
    await afterwards(page, () => page.getByRole('button', { name: 'Move grayscale up' }).click());
    await afterwards(page, () => page.getByLabel('Format').selectOption('webp'));
    const recipe: RecipeInput = {
      steps: [
        { op: 'resize', width: 320 },
        { op: 'grayscale', channels: 3 },
        { op: 'rotate', angle: 90 },
      ],
      outputs: [{ format: 'webp' }],
    };
    expect((await result(page)).equals(await direct(bytes, recipe))).toBe(true);
    expect(JSON.parse(await copied(page, 'Recipe'))).toEqual(recipe);
    const facts = await page.locator('.facts').textContent();
    expect(facts).toMatch(/photo\.jpg.* → [\d.]+ kB \([\d.]+%\).*\d+ × 320 webp.* m?s$/);
    await afterwards(page, () => page.getByRole('button', { name: 'Remove rotate' }).click());
    const shorter = {
      ...recipe,
      steps: [
        { op: 'resize', width: 320 },
        { op: 'grayscale', channels: 3 },
      ],
    };
    expect((await result(page)).equals(await direct(bytes, shorter))).toBe(true);
  });

  it('has a control for everything that the registry knows', async () => {
    const { url } = await server();
    const { page } = await visit(url);
    const { operations, output } = (await (await fetch(`${url}/v1/operations`)).json()) as {
      operations: { name: string; params: { properties: object } }[];
      output: { properties: object };
    };
    const adders = page.getByRole('group', { name: 'Add a step' }).getByRole('button');
    // the page asks for the operations too
    await adders.first().waitFor();
    expect(await adders.count()).toBe(operations.length);
    for (const [index, { params }] of operations.entries()) {
      await adders.nth(index).click();
      const controls = page.locator('.steps > li').nth(index).locator('.control');
      expect(await controls.count()).toBe(Object.keys(params.properties).length);
    }
    const made = page.getByRole('group', { name: 'Result' }).locator('.control');
    expect(await made.count()).toBe(Object.keys(output.properties).length);
  });

  it('takes a picture that is dropped, pasted or chosen, whatever it is called', async () => {
    const { url } = await server();
    const { page } = await visit(url, { viewport: { width: 360, height: 740 } });
    for (const name of HOSTILE) {
      await afterwards(page, () => drop(page, { name, bytes }));
      expect(await page.locator('.facts .name').textContent()).toMatch(/[^\n\u202e]{5}/);
      expect(await page.locator('.facts').textContent()).not.toMatch(/[\n\u202e]/);
      expect(await inPage(page).evaluate(({ scrollWidth }) => scrollWidth)).toBe(360);
    }
    expect(await page.locator('.facts img').count()).toBe(0);
    const png = await bytesOf(fixture('png/rgb16.png'));
    await afterwards(page, () =>
      inPage(page).evaluate(({ ownerDocument: { defaultView, body } }, text) => {
        const { DataTransfer, File, ClipboardEvent } = defaultView;
        const clipboardData = new DataTransfer();
        const file = Uint8Array.from(atob(text), (character: string) => character.charCodeAt(0));
        clipboardData.items.add(new File([file], 'pasted.png', { type: 'image/png' }));
        body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
      }, png.toString('base64')),
    );
    expect(await page.locator('.facts .name').textContent()).toBe('pasted.png');
    expect((await result(page)).equals(await direct(png, {}))).toBe(true);
    await afterwards(page, () => page.locator('input[type=file]').setInputFiles(photo));
    expect((await result(page)).equals(await direct(bytes, {}))).toBe(true);
  });

  it('that is refused says why at the control, and a file that is no picture says what it is', async () => {
    const { url } = await server();
    const { page, forgive } = await picked(url);
    await afterwards(page, () => add(page, 'Mean'));
    const size = page.locator('.steps').getByLabel('Size');
    await size.fill('4');
    await size.press('Tab');
    await page
      .locator('.problem')
      .getByText(/odd window/)
      .waitFor();
    expect(await page.locator('.steps .complaint').first().textContent()).toMatch(/odd window/);
    expect(await size.getAttribute('aria-invalid')).toBe('true');
    await afterwards(page, async () => {
      await size.fill('5');
      await size.press('Tab');
    });
    expect(await size.getAttribute('aria-invalid')).toBeNull();
    expect(await page.locator('.problem').first().isVisible()).toBe(false);
    await drop(page, { name: 'notes.txt', bytes: Buffer.from('no picture at all') });
    await page.locator('.problem').getByText('E_UNSUPPORTED').waitFor();
    // a browser logs each answer that is an error
    forgive();
  });

  it('shows before and after over each other, with a slider, or beside each other', async () => {
    const { url } = await server();
    const { page } = await picked(url);
    const stage = page.locator('.stage');
    // a picture that comes to its size later would move what a pointer aims at
    const widths = () =>
      stage.locator('img').evaluateAll((images) => images.map(({ naturalWidth }) => naturalWidth));
    await eventually(async () => expect(Math.min(...(await widths()))).toBeGreaterThan(0));
    const covered = () => stage.evaluate((element) => element.style.getPropertyValue('--at'));
    await page.getByRole('slider').focus();
    await page.keyboard.press('Home');
    expect(await covered()).toBe('0%');
    const box = await stage.boundingBox();
    if (box === null) throw new Error('expected a stage');
    await page.mouse.move(box.x + box.width / 4, box.y + 50);
    await page.mouse.down();
    await page.mouse.up();
    expect(await covered()).toBe('25%');
    await choose(page, 'Side by side');
    const [before, after] = await Promise.all(
      ['.before', '.after'].map((name) => page.locator(name).boundingBox()),
    );
    expect((before?.x ?? 0) + (before?.width ?? 0)).toBeLessThanOrEqual(after?.x ?? 0);
  });
});

describe.skipIf(!browses)('what is copied from the page (skipped without chromium)', () => {
  const recipe: RecipeInput = {
    steps: [
      { op: 'scale', size: '64x48', fit: 'contain', background: '#aabbcc' },
      { op: 'rotate', angle: 12.5 },
    ],
    frames: 'first',
    outputs: [{ format: 'png', within: 60, keepProfile: true }],
  };

  /** Builds that recipe by hand. */
  async function built(page: Page): Promise<void> {
    await add(page, 'Scale');
    const [scale, rotate] = [page.locator('.steps > li').nth(0), page.locator('.steps > li').nth(1)];
    await scale.getByLabel('Size').fill('64x48');
    await scale.getByLabel('Fit').selectOption('contain');
    await scale.getByText('more settings').click();
    await scale.getByLabel('Background').fill('#aabbcc');
    await add(page, 'Rotate');
    await rotate.getByLabel('Angle').fill('12.5');
    const made = page.getByRole('group', { name: 'Result' });
    await made.getByLabel('Format').selectOption('png');
    await made.getByLabel('Within').fill('60');
    await made.getByText('more settings').click();
    await made.getByLabel('Keep profile').check();
    await page.getByText('Input', { exact: true }).click();
    await page.getByLabel('Frames').fill('first');
    await page.getByLabel('Frames').press('Tab');
  }

  it('is a command line and a curl line that make the same bytes, whatever the picture is called', async () => {
    const { url } = await server();
    const { page } = await picked(url);
    await built(page);
    const expected = await direct(bytes, recipe);
    for (const name of ['photo.jpg', ...HOSTILE]) {
      // no file system has a name with a slash in it
      const local = name.replaceAll('/', '');
      await afterwards(page, () => drop(page, { name: local, bytes }));
      const folder = await tempDir();
      await writeFile(join(folder, local), bytes);
      const line = await copied(page, 'Command line');
      expect(line).toMatch(/^imgtool run /);
      const { exitCode, stderr } = await imgtool(await words(line.slice('imgtool '.length)), { cwd: folder });
      expect(exitCode, `${line}\n${stderr}`).toBe(0);
      expect((await bytesOf(join(folder, 'result.png'))).equals(expected)).toBe(true);
      const curl = (await copied(page, 'curl')).replace('result.png', 'curled.png');
      const ran = await execa('bash', ['-c', curl], { cwd: folder, reject: false });
      expect(ran.exitCode, ran.stderr).toBe(0);
      expect((await bytesOf(join(folder, 'curled.png'))).equals(expected)).toBe(true);
    }
  }, 180_000);

  it('is a message of gRPC that makes the same bytes', async () => {
    const { url, port } = await server();
    const { page } = await picked(url);
    const client = grpcClient(port, 'imgtool.v1.ImageService');
    const made = async () => {
      const message = JSON.parse(await copied(page, 'gRPC JSON')) as { recipe: object; image: string };
      const { images } = await client.unary<{ images: { data: Buffer }[] }>('Process', {
        ...message,
        image: Buffer.from(message.image, 'base64'),
      });
      return images[0]?.data;
    };
    await afterwards(page, () => add(page, 'Thumbnail'));
    expect((await made())?.equals(await direct(bytes, { steps: [{ op: 'thumbnail' }] }))).toBe(true);
    await page.getByRole('button', { name: 'Remove thumbnail' }).click();
    await built(page);
    expect((await made())?.equals(await direct(bytes, recipe))).toBe(true);
  });

  it('is said to be copied once the clipboard has it, at every press', async () => {
    const { url } = await server();
    const { page } = await picked(url);
    await copied(page, 'Recipe');
    await page.evaluate(`{
      const { clipboard } = navigator;
      const write = clipboard.writeText.bind(clipboard);
      const held = new Promise((release) => (globalThis.release = release));
      clipboard.writeText = (text) => held.then(() => write(text));
    }`);
    const button = page.locator('.copy-as').getByRole('button');
    // it says so for two seconds only
    const said = await button.evaluateHandle((element) => {
      const labels: string[] = [];
      const { MutationObserver } = element.ownerDocument.defaultView;
      new MutationObserver(() => labels.push(element.textContent)).observe(element, { childList: true });
      return labels;
    });
    await button.click();
    expect(await button.textContent()).toBe('Copy');
    await said.evaluate((labels) => labels.splice(0));
    await page.evaluate('release()');
    await eventually(async () => expect(await said.jsonValue()).toContain('Copied'));
  });

  it('holds no token, but says where it goes', async () => {
    const { url } = await server({ token: 'opensesame' });
    const { page } = await visit(url, { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByLabel('Token').fill('opensesame');
    await page.getByRole('button', { name: 'Open' }).click();
    await afterwards(page, () => drop(page, { name: 'photo.jpg', bytes }));
    await add(page, 'Thumbnail');
    const curl = await copied(page, 'curl');
    expect(curl).not.toMatch('opensesame');
    const folder = await tempDir();
    await writeFile(join(folder, 'photo.jpg'), bytes);
    const ran = await execa('bash', ['-c', curl], {
      cwd: folder,
      env: { IMGTOOL_TOKEN: 'opensesame' },
      reject: false,
    });
    expect(ran.exitCode, ran.stderr).toBe(0);
    const expected = await direct(bytes, { steps: [{ op: 'thumbnail' }] });
    expect((await bytesOf(join(folder, 'result.jpg'))).equals(expected)).toBe(true);
  });
});

/** The words that a shell makes of a line. */
async function words(line: string): Promise<string[]> {
  const { stdout } = await execa('bash', ['-c', `printf '%s\\0' ${line}`], { stripFinalNewline: false });
  return stdout.split('\0').slice(0, -1);
}
