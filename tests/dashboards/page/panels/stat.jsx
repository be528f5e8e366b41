import { BigValue, BigValueGraphMode } from '@grafana/ui';
import { defaultOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import { Repeater, checkReduced, displayValues } from './reduced.jsx';

const EMPTY_AREA = 0.2;

function Stat({ panel, width, height }) {
  const { options, theme, context } = panel;
  const hasGraph = options.graphMode !== BigValueGraphMode.None;
  const values = displayValues(panel, hasGraph);
  const yMax = Math.max(...values.map(({ sparkline }) => sparkline?.y.state?.calcs?.max ?? -Infinity));
  return (
    <Repeater {...{ panel, width, height, values }} itemSpacing={3} orientation={options.orientation}>
      {({ value, alignmentFactors, width: valueWidth, height: valueHeight, count }) => (
        <BigValue
          value={value.display}
          sparkline={
            value.sparkline && {
              ...value.sparkline,
              timeRange: context.timeRange,
              yMax: Number.isFinite(yMax) ? yMax * (1 + EMPTY_AREA) : undefined,
            }
          }
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={options.textMode}
          wideLayout={options.wideLayout}
          text={options.text}
          width={valueWidth}
          height={valueHeight}
          {...{ alignmentFactors, count, theme }}
        />
      )}
    </Repeater>
  );
}

export const stat = {
  options: {
    ...defaultOptions,
    orientation: 'auto',
    reduceOptions: { calcs: ['lastNotNull'], values: false, fields: '' },
  },
  fieldConfig: { color: { mode: 'thresholds' }, custom: {} },
  Component: Stat,
  check: checkReduced,
};
