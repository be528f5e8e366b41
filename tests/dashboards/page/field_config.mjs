// The properties of fields that panels and overrides may set, for Grafana's applyFieldOverrides().
import { FieldConfigOptionsRegistry, ThresholdsMode } from '@grafana/data';

const STANDARD = [
  'color',
  'decimals',
  'description',
  'displayName',
  'fieldMinMax',
  'filterable',
  'links',
  'mappings',
  'max',
  'min',
  'noValue',
  'thresholds',
  'unit',
];

function property(id) {
  const isCustom = id.startsWith('custom.');
  return {
    id,
    path: isCustom ? id.slice('custom.'.length) : id,
    isCustom,
    name: id,
    settings: {},
    shouldApply: () => true,
    process: (value) => value,
  };
}

// JSON has no infinity.
function restoreInfinity(thresholds) {
  if (thresholds?.steps[0]) thresholds.steps[0].value = -Infinity;
}

const DEFAULT_THRESHOLDS = {
  mode: ThresholdsMode.Absolute,
  steps: [
    { color: 'green', value: -Infinity },
    { color: 'red', value: 80 },
  ],
};

/** Returns the field configuration of a panel with Grafana's defaults, and the registry of the properties in it. */
export function fieldConfigOf({ fieldConfig }, { color, custom }) {
  const { defaults = {}, overrides = [] } = structuredClone(fieldConfig ?? {});
  restoreInfinity(defaults.thresholds);
  const properties = overrides.flatMap((override) => override.properties);
  for (const { id, value } of properties) {
    if (id === 'thresholds') restoreInfinity(value);
    if (!id.startsWith('custom.') && !STANDARD.includes(id)) {
      throw new Error(`override of the unknown property "${id}": add it to STANDARD in page/field_config.mjs`);
    }
  }
  const unknown = Object.keys(defaults).find((id) => id !== 'custom' && !STANDARD.includes(id));
  if (unknown) throw new Error(`field default "${unknown}" is unknown: add it to STANDARD in page/field_config.mjs`);
  const config = {
    defaults: {
      mappings: [],
      thresholds: DEFAULT_THRESHOLDS,
      color,
      ...defaults,
      custom: { ...custom, ...defaults.custom },
    },
    overrides,
  };
  const ids = new Set([
    ...STANDARD,
    ...Object.keys(config.defaults.custom).map((name) => `custom.${name}`),
    ...properties.map(({ id }) => id),
  ]);
  return { config, registry: new FieldConfigOptionsRegistry(() => [...ids].map(property)) };
}
