// Whether series are visible in the plot area of a uPlot canvas.

const pixels = ({ ctx, bbox }) => ctx.getImageData(bbox.left, bbox.top, bbox.width, bbox.height).data;

/** Counts, in `counter.pixels`, the pixels that the series add to grid and thresholds. */
export function countPixels(config, counter) {
  let before;
  config.addHook('drawAxes', (plot) => (before = pixels(plot)));
  config.addHook('draw', (plot) => {
    const after = pixels(plot);
    counter.pixels = 0;
    for (let i = 0; i < after.length; i += 4) {
      if (after[i] !== before[i] || after[i + 1] !== before[i + 1] || after[i + 2] !== before[i + 2]) counter.pixels++;
    }
  });
}

export const checkPixels = ({ pixels: count = 0 }) => (count > 0 ? [] : ['nothing is drawn: the plot area is empty']);
