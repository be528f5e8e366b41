// The type of a dashboard file of this repository: Grafana's types, limited to the panels, overrides and
// transformations in use. Add a line to use another one.
import type {
  AnnotationQuery,
  Dashboard,
  DataQuery,
  FieldColor,
  FieldConfig,
  GraphFieldConfig,
  HideSeriesConfig,
  LineStyle,
  Panel,
  RowPanel,
  TableCellOptions,
  TableFieldOptions,
  TableOptions,
  ThresholdsConfig,
  ValueMapping,
  VariableModel,
} from '@grafana/schema';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as TimeSeriesOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** T in a JSON file, with the value of an enum instead of the enum. */
type Json<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? Json<Item>[]
      : T extends object
        ? { [Key in keyof T]: Json<T[Key]> }
        : T;

// @grafana/schema has no fields of the Prometheus data source.
interface Query extends DataQuery {
  expr: string;
  editorMode: 'code';
  format?: 'table';
  instant?: boolean;
  legendFormat?: string;
  range: boolean;
}
interface Annotation extends Omit<AnnotationQuery, 'target'> {
  target: DataQuery & { expr: string };
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
}

interface Link {
  title: string;
  url: string;
  targetBlank: boolean;
}

type Override =
  | { id: 'unit'; value: string }
  | { id: 'min' | 'max'; value: number }
  | { id: 'color'; value: FieldColor }
  | { id: 'links'; value: Link[] }
  | { id: 'mappings'; value: ValueMapping[] }
  | { id: 'thresholds'; value: ThresholdsConfig }
  | { id: 'custom.cellOptions'; value: TableCellOptions }
  | { id: 'custom.fillOpacity' | 'custom.lineWidth' | 'custom.width' | 'decimals'; value: number }
  | { id: 'custom.hideFrom'; value: HideSeriesConfig }
  | { id: 'custom.hidden'; value: boolean }
  | { id: 'custom.lineStyle'; value: LineStyle };

type Transformation =
  | { id: 'filterFieldsByName'; options: { include: { names: string[] } } }
  | { id: 'merge'; options: Record<string, never> }
  | {
      id: 'organize';
      options: {
        excludeByName: Record<string, true>;
        indexByName: Record<string, number>;
        renameByName: Record<string, string>;
      };
    };

type PanelOf<Type extends string, Options, Custom> = Omit<
  Panel,
  'type' | 'options' | 'fieldConfig' | 'targets' | 'transformations'
> &
  Required<Pick<Panel, 'id' | 'title' | 'description' | 'datasource' | 'gridPos'>> & {
    type: Type;
    options: Options;
    targets: Query[];
    transformations?: Transformation[];
    fieldConfig: {
      defaults: Omit<FieldConfig, 'custom'> & { unit: string; custom?: Custom };
      overrides: {
        matcher: { id: 'byName' | 'byRegexp'; options: string };
        properties: Override[];
      }[];
    };
  };

type AnyPanel =
  | RowPanel
  | PanelOf<'stat', StatOptions, Record<string, never>>
  | PanelOf<'table', Omit<TableOptions, 'frameIndex'>, TableFieldOptions>
  | PanelOf<'timeseries', TimeSeriesOptions, GraphFieldConfig>;

export type DashboardFile = Json<
  Omit<Dashboard, 'panels' | 'annotations' | 'templating'> &
    Required<Pick<Dashboard, 'uid' | 'title' | 'description'>> & {
      panels: AnyPanel[];
      annotations: { list: Annotation[] };
      templating: { list: VariableModel[] };
    }
>;
