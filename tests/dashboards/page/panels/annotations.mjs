// Annotations as dashed lines and shaded times, as Grafana draws them.

/** Adds a hook that draws annotations, as [{ from, to, color }] in milliseconds, over the plot. */
export function drawAnnotations(config, annotations, theme) {
  config.addHook('draw', ({ ctx, bbox, scales, valToPos }) => {
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.lineWidth = 2;
    ctx.setLineDash([5, 5]);
    for (const { from, to, color } of annotations) {
      if (to < scales.x.min || from > scales.x.max) continue;
      const stroke = theme.visualization.getColorByName(color);
      const [left, right] = [from, to].map((time) => Math.round(valToPos(time, 'x', true)));
      ctx.strokeStyle = stroke;
      ctx.globalAlpha = 1;
      for (const x of new Set([left, right])) {
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
      }
      ctx.globalAlpha = 0.1;
      ctx.fillStyle = stroke;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
    }
    ctx.restore();
  });
}
