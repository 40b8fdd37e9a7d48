import sharp from 'sharp';

/** Classes of libvips loaders; `VipsForeignLoadJpegFile` and its like would leave buffers blocked. */
const LOADERS = ['Jpeg', 'Png', 'Nsgif', 'Webp', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}`);

/** Leaves this whole process only the loaders that a server reads with; SVG only where it is switched on. */
export function allowLoaders(svg: boolean): void {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: svg ? [...LOADERS, 'VipsForeignLoadSvg'] : LOADERS });
}

/** Makes a first picture: it loads code of libvips and starts its threads, 20 ms that no caller should wait for. */
export async function warmUp(): Promise<void> {
  const blank = { width: 16, height: 16, channels: 3, background: 'white' } as const;
  const bytes = await sharp({ create: blank }).jpeg().toBuffer();
  await sharp(bytes).resize(8, 8).jpeg().toBuffer();
}
