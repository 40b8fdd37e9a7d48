import sharp from 'sharp';

/** The versions of everything that can change a result's bytes. */
export function engineVersions(): Readonly<Record<string, string | undefined>> {
  return { ...sharp.versions, platform: `${process.platform}-${process.arch}` };
}

/** Sets up sharp for images side by side: one thread each, nothing cached. AVIF bytes depend on the thread count. */
export function tuneEngine(): void {
  sharp.concurrency(1);
  sharp.cache(false);
}
