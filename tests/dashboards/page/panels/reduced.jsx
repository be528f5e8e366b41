// Panels that show one value for each series.
import {
  FieldType,
  formattedValueToString,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
} from '@grafana/data';
import { VizRepeater } from '@grafana/ui';

export const displayValues = ({ frames, fieldConfig, options, context, theme }, sparkline = false) =>
  getFieldDisplayValues({
    fieldConfig,
    reduceOptions: options.reduceOptions,
    replaceVariables: context.replaceVariables,
    theme,
    data: frames,
    sparkline,
    timeZone: 'utc',
  });

export const Repeater = ({ panel, width, height, values, itemSpacing, children, ...more }) => (
  <VizRepeater
    getValues={() => values}
    getAlignmentFactors={getDisplayValueAlignmentFactors}
    renderValue={children}
    source={panel.frames}
    renderCounter={0}
    autoGrid
    {...{ width, height, itemSpacing, ...more }}
  />
);

const isLabel = ({ field, view, colIndex }) =>
  !field.mappings?.length && view?.dataFrame.fields[colIndex]?.type === FieldType.string;

/** A label is a value if the panel reduces a field of strings. */
export function checkReduced(element, panel) {
  return displayValues(panel)
    .filter(isLabel)
    .flatMap(({ display, view, colIndex, rowIndex }) => {
      const label = view.dataFrame.fields[colIndex].values[rowIndex ?? 0];
      const shown = formattedValueToString(display);
      return shown === label ? [] : [`label "${label}" is shown as "${shown}"`];
    });
}
