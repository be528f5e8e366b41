// Texts with variables, and links of values, as Grafana resolves them.
import { formattedValueToString, getFieldDisplayValuesProxy, getFrameDisplayName } from '@grafana/data';
import { formatValue, interpolate } from '../interpolation.mjs';

const readPath = (object, path) =>
  path
    .replace(/\[["']?(.+?)["']?\]/g, '.$1')
    .split('.')
    .reduce((value, key) => value?.[key], object);

// What ${__data}, ${__value}, ${__field} and ${__series} are, for a value of a data frame.
const DATA = {
  __data: (path, { frame, rowIndex }) =>
    rowIndex === undefined
      ? undefined
      : (readPath({ refId: frame.refId, fields: getFieldDisplayValuesProxy({ frame, rowIndex }) }, path) ?? ''),
  __value: (path, { frame, field, rowIndex, calculatedValue }) => {
    if (rowIndex === undefined && !calculatedValue) return undefined;
    if (path === 'time') return frame.fields.find(({ type }) => type === 'time')?.values[rowIndex] ?? '';
    const shown = calculatedValue ?? field.display(field.values[rowIndex]);
    if (path === 'numeric') return shown.numeric;
    if (path === 'raw') return calculatedValue ? shown.numeric : field.values[rowIndex];
    return formattedValueToString(shown);
  },
  __field: (path, { field }) =>
    readPath(
      { name: field.name, displayName: field.state?.displayName ?? field.name, labels: field.labels ?? {} },
      path,
    ) ?? '',
  __series: (path, { frame, frameIndex }) => getFrameDisplayName(frame, frameIndex),
};

/** Returns Grafana's replaceVariables() for a dashboard. */
export function replacer({ dashboard, variables, range }) {
  const time = `from=${range.from * 1000}&to=${range.to * 1000}`;
  const shown = Object.values(variables).filter(({ hide }) => hide !== 2);
  const builtIn = {
    __from: range.from * 1000,
    __to: range.to * 1000,
    __url_time_range: time,
    __all_variables: shown.map(({ name, value }) => formatValue(value, name, 'queryparam')).join('&'),
  };
  return (text, scopedVars, format) =>
    interpolate(text ?? '', (reference) => {
      const { name, path } = reference;
      // Grafana's interpolation calls a function for its own kinds of text only.
      const wanted = reference.format ?? (typeof format === 'string' ? format : undefined);
      if (name in builtIn) return builtIn[name];
      if (name === '__dashboard') return dashboard[path];
      if (DATA[name]) {
        const context = scopedVars?.__dataContext?.value;
        const value = context && DATA[name](path ?? '', context);
        return value === undefined ? undefined : formatValue(value, name, wanted);
      }
      return variables[name] && formatValue(variables[name].value, name, wanted);
    });
}
