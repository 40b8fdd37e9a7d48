import { liveStands } from './live-line.js';

const REDRAW_MS = 100;

/** How a line on the terminal begins. */
export interface DrawnStart {
  readonly text: string;
  /** Of the spinner; what the terminal bears when left out. */
  readonly color?: 'cyan' | false;
}

/** Starts a line on standard error that is drawn anew all the time, since time goes on and windows change; gives what takes it away. */
export async function drawnLine(start: DrawnStart, draw: () => string): Promise<() => void> {
  const { default: ora } = await import('ora');
  const spinner = ora({ stream: process.stderr, discardStdin: false, ...start }).start();
  const redraw = setInterval(() => {
    spinner.text = draw();
  }, REDRAW_MS);
  redraw.unref();
  const stop = (): void => {
    clearInterval(redraw);
    spinner.stop();
    liveStands(undefined);
  };
  liveStands(stop);
  return stop;
}
