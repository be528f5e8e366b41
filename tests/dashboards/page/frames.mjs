// Data frames of query results, as Grafana's Prometheus data source makes them.
import { FieldType } from '@grafana/data';

const number = (text) => Number(text.replace(/Inf$/, 'Infinity'));

function legend({ legendFormat, expr }, metric) {
  if (legendFormat === '__auto') return undefined;
  if (legendFormat) return legendFormat.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => metric[label] ?? '');
  const { __name__ = '', ...labels } = metric;
  const text = Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(', ');
  return text ? `${__name__}{${text}}` : __name__ || expr;
}

const seriesFrame =
  (query, step) =>
  ({ metric, values }) => {
    const name = legend(query, metric);
    return {
      refId: query.refId,
      name,
      length: values.length,
      fields: [
        {
          name: 'Time',
          type: FieldType.time,
          config: { interval: step * 1000 },
          values: values.map(([time]) => time * 1000),
        },
        {
          name: 'Value',
          type: FieldType.number,
          labels: metric,
          config: name === undefined ? {} : { displayNameFromDS: name },
          values: values.map(([, value]) => number(value)),
        },
      ],
    };
  };

function tableFrame({ refId, series }, isOnlyTable) {
  const rows = series.flatMap(({ metric, values }) => values.map(([time, value]) => ({ metric, time, value })));
  const labels = [];
  for (const { metric } of series) {
    for (const label of Object.keys(metric).sort()) if (!labels.includes(label)) labels.push(label);
  }
  return {
    refId,
    length: rows.length,
    fields: [
      { name: 'Time', type: FieldType.time, config: {}, values: rows.map(({ time }) => time * 1000) },
      ...labels.map((label) => ({
        name: label,
        type: FieldType.string,
        config: { filterable: true },
        values: rows.map(({ metric }) => metric[label] ?? ''),
      })),
      {
        name: isOnlyTable ? 'Value' : `Value #${refId}`,
        type: FieldType.number,
        config: {},
        values: rows.map(({ value }) => number(value)),
      },
    ],
  };
}

/** `results` are the queries of a panel with their series. */
export function framesOf(results, step) {
  const tables = results.filter(({ format }) => format === 'table');
  const others = results.filter(({ format }) => format !== 'table');
  return [
    ...others.flatMap((query) => query.series.map(seriesFrame(query, step))),
    ...tables.map((query) => tableFrame(query, tables.length === 1)),
  ];
}
