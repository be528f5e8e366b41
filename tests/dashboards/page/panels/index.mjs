// The panel types that can be drawn. Each has Grafana's defaults, a component, and optionally checks of its own.
import { stat } from './stat.jsx';
import { table } from './table.jsx';
import { timeSeries } from './time_series.jsx';

const TYPES = { stat, table, timeseries: timeSeries };

export function panelType(type) {
  if (!TYPES[type]) throw new Error(`panel type "${type}" cannot be drawn: add it to page/panels`);
  return TYPES[type];
}
