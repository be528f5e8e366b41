// Shows that the checks of draw.mjs find the mistakes that they are for: draws a dashboard with one mistake in each
// panel, and panels without a mistake, on fixed data.
import { Browser } from './browser.mjs';
import { drawDashboard, rangeOf } from './drawing.mjs';

const FROM = 1_700_000_000;
const TO = FROM + 60;
const SERIES = 12;

const times = Array.from({ length: TO - FROM + 1 }, (_, second) => FROM + second);
const constant = (metric, value) => ({ metric, values: times.map((time) => [time, String(value)]) });
const listener = (port, value) => constant({ instance: 'host-1', netns: '4026532573', port, owner: '' }, value);

// Results by query. The fullest of many listeners is the last.
const DATA = {
  listeners: [listener('9443', 0.9), listener('7001', 0.25)],
  many: Array.from({ length: SERIES }, (_, index) => listener(String(8000 + index), index)),
  nan: [listener('9443', 'NaN')],
  nothing: [],
  alerts: Array.from({ length: SERIES }, (_, index) => constant({ alertname: `Alert${index}` }, 1)),
};

class FixedPrometheus {
  async range(query) {
    if (!DATA[query]) throw new Error('parse error');
    return DATA[query];
  }

  async instant(query) {
    return (await this.range(query)).map(({ metric, values }) => ({ metric, values: values.slice(-1) }));
  }

  async labelValues(selector, label) {
    return [...new Set(DATA[selector].map(({ metric }) => metric[label]))];
  }
}

const table = ({ expr = 'listeners', defaults = {}, overrides = [], ...more }) => ({
  type: 'table',
  targets: [{ refId: 'A', expr, format: 'table', instant: true }],
  fieldConfig: { defaults, overrides },
  transformations: [{ id: 'organize', options: { excludeByName: { Time: true } } }],
  ...more,
});
const panel = (type, { expr = 'listeners', defaults = {}, overrides = [], ...more }) => ({
  type,
  targets: [{ refId: 'A', expr, legendFormat: 'port {{port}}' }],
  fieldConfig: { defaults, overrides },
  ...more,
});
const graph = (more) => panel('timeseries', more);
const override = (name, id, value) => ({ matcher: { id: 'byName', options: name }, properties: [{ id, value }] });
const linked = (url) => table({ overrides: [override('port', 'links', [{ title: 'Listener', url }])] });

const GAUGE = [
  override('Value', 'custom.cellOptions', { type: 'gauge', mode: 'basic' }),
  override('Value', 'unit', 'percentunit'),
];
const LIST = { legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: ['lastNotNull'] } };
const TABLE = { legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull'] } };
const SORTED = { legend: { ...TABLE.legend, sortBy: 'Last *', sortDesc: true } };
const CORRECT = {
  'table with a gauge': table({ overrides: GAUGE }),
  'table with an empty label': table({ defaults: { noValue: '–' } }),
  'link to a listener': linked('/d/target?var-port=${__data.fields.port}&${__url_time_range}'),
  'link to Explore': linked('/explore?left=${__value.text}'),
  'graph with a list': graph({ options: LIST, expr: 'listeners' }),
  'graph with a sorted table': graph({ options: SORTED, expr: 'many' }),
  'stat of a series': panel('stat', { defaults: { unit: 'percentunit' } }),
  'empty for a reason': table({ expr: 'nothing' }),
};

const MISTAKES = {
  'query with an error': [graph({ expr: 'up{' }), 'query A failed: parse error'],
  'unknown panel': [panel('piechart', {}), 'panel type "piechart" cannot be drawn'],
  'unknown property of a panel': [graph({ repeat: 'port' }), 'property "repeat" of a panel is unknown'],
  'unknown property of a query': [
    graph({ targets: [{ refId: 'A', expr: 'listeners', exemplar: true }] }),
    'property "exemplar" of a query is unknown',
  ],
  'unknown property of a field': [
    table({ overrides: [override('port', 'colour', 'red')] }),
    'unknown property "colour"',
  ],
  'unit of a label': [table({ defaults: { unit: 'short' } }), 'label "9443" is shown as "9.44 K"'],
  'unit of a label in a stat': [
    panel('stat', {
      defaults: { unit: 'short' },
      options: { reduceOptions: { calcs: ['lastNotNull'], fields: '/^port$/', values: true } },
      targets: table({}).targets,
    }),
    'label "9443" is shown as "9.44 K"',
  ],
  'link with a formatted value': [
    table({
      defaults: { unit: 'short' },
      overrides: [override('port', 'links', [{ title: 'Listener', url: '/d/target?var-port=${__data.fields.port}' }])],
    }),
    'no series has the value "9.44 K" of the variable "port"',
  ],
  'link to no dashboard': [linked('/d/missing'), 'there is no dashboard with the uid "missing"'],
  'link to no variable': [linked('/d/target?var-address=a'), '"address" is no variable of the dashboard "target"'],
  'link with an unknown reference': [linked('/explore?left=${missing}'), 'a variable is not replaced'],
  'text of empty cells': [
    table({ defaults: { noValue: 'no alert fires' } }),
    'noValue "no alert fires" fills empty cells',
  ],
  'value that is none': [table({ expr: 'nan' }), '"NaN" is shown'],
  'cut label': [table({ overrides: [override('netns', 'custom.width', 60)] }), 'text is cut: "4026532573"'],
  'cut title because it is longer than the width of its panel': [table({}), 'text is cut: "cut title'],
  'columns outside': [
    table({ overrides: [override('netns', 'custom.width', 900)] }),
    'columns need horizontal scrolling',
  ],
  'unsorted legend': [graph({ options: TABLE, expr: 'many' }), 'the legend hides the series with the greatest value'],
  'no data': [graph({ expr: 'nothing' }), 'nothing is drawn: no query has data'],
  'no values': [graph({ expr: 'nan' }), 'nothing is drawn: the plot area is empty'],
};

// Two panels in a row.
const placed = (definitions, firstId) =>
  Object.entries(definitions).map(([title, definition], index) => ({
    ...definition,
    title,
    id: firstId + index,
    gridPos: { x: (index % 2) * 12, y: 1 + Math.floor(index / 2) * 7, w: title.startsWith('cut title') ? 4 : 12, h: 7 },
  }));
const wrongPanels = Object.fromEntries(Object.entries(MISTAKES).map(([title, [wrong]]) => [title, wrong]));
const panels = [
  {
    type: 'row',
    id: 0,
    title: 'Collapsed row',
    gridPos: { x: 0, y: 0, w: 24, h: 1 },
    collapsed: true,
    panels: placed(CORRECT, 1),
  },
  ...placed(wrongPanels, 100),
];
const alerts = { enable: true, iconColor: 'red', target: { refId: 'Alerts', expr: 'alerts' } };
const port = { name: 'port', type: 'query', query: 'label_values(listeners, port)', multi: true, includeAll: true };
const dashboards = {
  mistakes: { uid: 'mistakes', title: 'Mistakes', panels, templating: { list: [] }, annotations: { list: [alerts] } },
  target: { uid: 'target', title: 'Target', panels: [], templating: { list: [port] } },
};

const browser = await Browser.launch();
const { faults } = await drawDashboard('mistakes', {
  browser,
  prometheus: new FixedPrometheus(),
  dashboards,
  range: rangeOf({ from: FROM, to: TO, rateInterval: '5s' }),
  themeName: 'dark',
  allowedEmpty: { 'empty for a reason': 'it is a test' },
}).finally(() => browser.close());

const expected = [
  ['annotations', `${SERIES} at the same time cover the graphs`],
  ...Object.entries(MISTAKES).map(([title, [, message]]) => [title, message]),
];
const missed = expected.filter(
  ([title, message]) => !faults.some((fault) => fault.startsWith(`mistakes: ${title}: `) && fault.includes(message)),
);
const wrong = faults.filter((fault) => !expected.some(([title]) => fault.startsWith(`mistakes: ${title}: `)));
for (const [title, message] of missed) console.log(`not found: ${title}: ${message}`);
for (const fault of wrong) console.log(`not a mistake: ${fault}`);
console.log(`${expected.length - missed.length} of ${expected.length} mistakes found, ${wrong.length} false faults`);
process.exit(missed.length === 0 && wrong.length === 0 ? 0 : 1);
