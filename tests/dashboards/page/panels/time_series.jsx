import { FieldType, getFieldDisplayName } from '@grafana/data';
import { TimeSeries } from '@grafana/ui';
import { useLayoutEffect } from 'react';
import { drawAnnotations } from './annotations.mjs';
import { checkPixels, countPixels } from './plot_area.mjs';

// Added before the plot is made, as Grafana's plugins of the plot are.
function Hooks({ config, panel }) {
  useLayoutEffect(() => {
    countPixels(config, panel.drawn);
    drawAnnotations(config, panel.context.annotations, panel.theme);
  }, [config, panel]);
  return null;
}

const finite = (frame) => ({
  ...frame,
  fields: frame.fields.map((field) =>
    field.type === FieldType.number
      ? { ...field, values: field.values.map((value) => (Number.isFinite(value) ? value : null)) }
      : field,
  ),
});

function Graph({ panel, width, height }) {
  const { options, frames, theme, context } = panel;
  return (
    <TimeSeries
      frames={frames.map(finite)}
      structureRev={1}
      timeRange={context.timeRange}
      timeZone="utc"
      legend={options.legend}
      options={options}
      {...{ width, height, theme }}
    >
      {(config) => <Hooks {...{ config, panel }} />}
    </TimeSeries>
  );
}

const seriesOf = (frames) =>
  frames.flatMap((frame) =>
    frame.fields
      .filter(({ type, config }) => type === FieldType.number && !config.custom?.hideFrom?.legend)
      .map((field) => ({
        name: getFieldDisplayName(field, frame, frames),
        last: field.values.findLast((value) => Number.isFinite(value)) ?? -Infinity,
        // A limit is a dashed line. It may be greater than what it limits.
        isLimit: field.config.custom?.lineStyle?.fill === 'dash',
      })),
  );

function isVisible(element, legend) {
  const box = element.getBoundingClientRect();
  const area = legend.getBoundingClientRect();
  return box.top >= area.top - 1 && box.bottom <= area.bottom + 1 && box.left >= area.left - 1;
}

function checkLegend(element, { frames, options }) {
  if (!options.legend.showLegend || options.legend.displayMode === 'hidden') return [];
  const legend = element.querySelector('[data-testid="data-testid viz-layout-legend"]');
  const items = [...(legend?.querySelectorAll('tbody tr, [data-testid*="VizLegend series"]') ?? [])];
  const nameOf = (item) => item.querySelector('button').title || item.querySelector('button').textContent;
  const series = seriesOf(frames);
  const faults = series
    .filter(({ name }) => !items.some((item) => nameOf(item) === name))
    .map(({ name }) => `series "${name}" is not in the legend`)
    .slice(0, 1);
  const values = series.filter(({ isLimit }) => !isLimit);
  const greatest = Math.max(...values.map(({ last }) => last));
  const culprits = values.filter(({ last }) => last === greatest).map(({ name }) => name);
  if (greatest > 0 && !items.some((item) => culprits.includes(nameOf(item)) && isVisible(item, legend))) {
    faults.push(`the legend hides the series with the greatest value, "${culprits[0]}"`);
  }
  return faults;
}

export const timeSeries = {
  options: { legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] } },
  fieldConfig: {
    color: { mode: 'palette-classic' },
    custom: {
      drawStyle: 'line',
      lineWidth: 1,
      fillOpacity: 0,
      pointSize: 5,
      showPoints: 'auto',
      axisPlacement: 'auto',
    },
  },
  Component: Graph,
  check: (element, panel) => [...checkPixels(panel.drawn), ...checkLegend(element, panel)],
};
