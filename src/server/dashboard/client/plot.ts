import { svg } from './dom.js';

/** The space of a plot; it is stretched to the place it has. */
const [WIDTH, HEIGHT] = [300, 60];

/** Draws values as bars, the oldest left; heights are shares of the greatest. */
export function bars(values: readonly number[], label: string): SVGElement {
  const most = Math.max(1, ...values);
  const wide = WIDTH / values.length;
  const shapes = values.map((value, index) => {
    const height = (value / most) * HEIGHT;
    return svg('rect', { x: index * wide, y: HEIGHT - height, width: Math.max(1, wide - 1), height });
  });
  return drawing(label, shapes);
}

function drawing(label: string, shapes: readonly SVGElement[]): SVGElement {
  const view = `0 0 ${WIDTH} ${HEIGHT}`;
  return svg(
    'svg',
    { viewBox: view, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    ...shapes,
  );
}
