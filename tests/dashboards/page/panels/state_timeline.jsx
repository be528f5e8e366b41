// State timeline, which is not among Grafana's published components: a row for each series, a box for each state.
import { FieldType, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import {
  defaultFieldConfig,
  defaultOptions,
} from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import {
  AxisPlacement,
  ScaleDirection,
  ScaleOrientation,
  UPlotChart,
  UPlotConfigBuilder,
  VizLayout,
  VizLegend,
} from '@grafana/ui';
import { useMemo } from 'react';
import { checkPixels, countPixels } from './plot_area.mjs';

const PADDING = 4;

function rowsOf(frames) {
  return frames.flatMap((frame) => {
    const time = frame.fields.find(({ type }) => type === FieldType.time);
    return frame.fields
      .filter((field) => field !== time)
      .map((field) => ({
        name: getFieldDisplayName(field, frame, frames),
        field,
        times: time.values,
        step: time.config.interval,
      }));
  });
}

/** Consecutive equal values, as { from, to, value }. A gap longer than a step ends a state. */
function statesOf({ field, times, step }) {
  const states = [];
  times.forEach((time, i) => {
    const last = states.at(-1);
    const value = field.values[i];
    if (last && last.value === value && time <= last.to) last.to = time + step;
    else states.push({ from: time, to: time + step, value });
  });
  return states;
}

function drawRow({ ctx, bbox, valToPos, scales }, row, index, count, { rowHeight, showValue }) {
  const height = bbox.height / count;
  const top = Math.round(bbox.top + height * index + (height * (1 - rowHeight)) / 2);
  const { fillOpacity } = row.field.config.custom;
  ctx.font = '12px Inter, sans-serif';
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  for (const { from, to, value } of statesOf(row)) {
    const shown = row.field.display(value);
    const left = valToPos(Math.max(from, scales.x.min), 'x', true);
    const width = valToPos(Math.min(to, scales.x.max), 'x', true) - left;
    ctx.fillStyle = shown.color;
    ctx.globalAlpha = fillOpacity / 100;
    ctx.fillRect(left, top, width, Math.round(height * rowHeight));
    ctx.globalAlpha = 1;
    const text = formattedValueToString(shown);
    if (showValue === 'never' || ctx.measureText(text).width + 2 * PADDING > width) continue;
    ctx.fillStyle = '#fff';
    ctx.fillText(text, left + PADDING, bbox.top + height * (index + 0.5));
  }
}

function configOf({ panel, rows }) {
  const { theme, context, options } = panel;
  const builder = new UPlotConfigBuilder('utc');
  const { from, to } = context.timeRange;
  builder.addScale({
    scaleKey: 'x',
    isTime: true,
    orientation: ScaleOrientation.Horizontal,
    direction: ScaleDirection.Right,
    range: () => [from.valueOf(), to.valueOf()],
  });
  builder.addScale({
    scaleKey: 'y',
    orientation: ScaleOrientation.Vertical,
    direction: ScaleDirection.Up,
    range: () => [0, rows.length],
  });
  builder.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone: 'utc', theme });
  builder.addAxis({
    scaleKey: 'y',
    placement: AxisPlacement.Left,
    splits: () => rows.map((_, index) => rows.length - index - 0.5),
    values: () => rows.map(({ name }) => name),
    grid: { show: false },
    ticks: { show: false },
    gap: 16,
    theme,
  });
  builder.addSeries({ scaleKey: 'y', theme, pathBuilder: () => null, pointsBuilder: () => null });
  builder.setPrepData(() => [
    [from.valueOf(), to.valueOf()],
    [null, null],
  ]);
  builder.addHook('drawSeries', (plot) =>
    rows.forEach((row, index) => drawRow(plot, row, index, rows.length, options)),
  );
  countPixels(builder, panel.drawn);
  return builder;
}

function legendItems(rows) {
  const items = new Map();
  for (const { field } of rows) {
    for (const value of new Set(field.values)) {
      const { color, ...shown } = field.display(value);
      items.set(formattedValueToString(shown), color);
    }
  }
  return [...items].map(([label, color]) => ({ label, color, yAxis: 1 }));
}

function Timeline({ panel, width, height }) {
  const rows = useMemo(() => rowsOf(panel.frames), [panel]);
  const config = useMemo(() => configOf({ panel, rows }), [panel, rows]);
  const { legend } = panel.options;
  const data = useMemo(() => config.prepData([]), [config]);
  const items = legend.showLegend && (
    <VizLayout.Legend placement={legend.placement}>
      <VizLegend items={legendItems(rows)} displayMode={legend.displayMode} placement={legend.placement} readonly />
    </VizLayout.Legend>
  );
  return (
    <VizLayout {...{ width, height }} legend={items || null}>
      {(plotWidth, plotHeight) => <UPlotChart config={config} data={data} width={plotWidth} height={plotHeight} />}
    </VizLayout>
  );
}

export const stateTimeline = {
  options: { ...defaultOptions, legend: { displayMode: 'list', placement: 'bottom', showLegend: true } },
  fieldConfig: { color: { mode: 'thresholds' }, custom: defaultFieldConfig },
  Component: Timeline,
  check: (element, { drawn }) => checkPixels(drawn),
};
