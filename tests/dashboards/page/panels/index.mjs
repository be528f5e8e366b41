// The panel types that can be drawn. Each has Grafana's defaults, a component, and optionally checks of its own.
import { barGauge } from './bar_gauge.jsx';
import { stat } from './stat.jsx';
import { stateTimeline } from './state_timeline.jsx';
import { table } from './table.jsx';
import { text } from './text.jsx';
import { timeSeries } from './time_series.jsx';

const TYPES = { bargauge: barGauge, stat, 'state-timeline': stateTimeline, table, text, timeseries: timeSeries };

export function panelType(type) {
  if (!TYPES[type]) throw new Error(`panel type "${type}" cannot be drawn: add it to page/panels`);
  return TYPES[type];
}
