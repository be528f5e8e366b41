import { BarGauge, BarGaugeDisplayMode } from '@grafana/ui';
import { defaultOptions } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import { Repeater, checkReduced, displayValues } from './reduced.jsx';

function Bars({ panel, width, height }) {
  const { options, theme } = panel;
  const itemSpacing = options.displayMode === BarGaugeDisplayMode.Lcd ? 2 : 10;
  return (
    <Repeater
      {...{ panel, width, height, itemSpacing }}
      values={displayValues(panel)}
      minVizWidth={options.minVizWidth}
      minVizHeight={options.minVizHeight}
      maxVizHeight={options.maxVizHeight}
      orientation={options.orientation}
    >
      {({ value, alignmentFactors, orientation, width: barWidth, height: barHeight, isOverflow }) => (
        <BarGauge
          value={value.display}
          field={value.field}
          display={value.view?.getFieldDisplayProcessor(value.colIndex)}
          width={barWidth}
          height={barHeight}
          text={options.text}
          displayMode={options.displayMode}
          showUnfilled={options.showUnfilled}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement}
          {...{ alignmentFactors, orientation, itemSpacing, isOverflow, theme }}
        />
      )}
    </Repeater>
  );
}

export const barGauge = {
  options: {
    ...defaultOptions,
    orientation: 'auto',
    reduceOptions: { calcs: ['lastNotNull'], values: false, fields: '' },
  },
  fieldConfig: { color: { mode: 'thresholds' }, custom: {} },
  Component: Bars,
  check: checkReduced,
};
