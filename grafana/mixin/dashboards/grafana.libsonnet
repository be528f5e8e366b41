/**
 * Panels of Grafana with the conventions of these dashboards. Titles, descriptions and queries of a panel come from
 * its caller, which formats queries with `vars`.
 */
local datasource = { type: 'prometheus', uid: '${datasource}' };

local letters = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P'];

local color(name) = { id: 'color', value: { mode: 'fixed', fixedColor: name } };

// Values at which a color begins.
local color_steps(colors) = {
  mode: 'absolute',
  steps: [{ color: step[0], value: step[1] } for step in colors],
};
local fill_steps = [['green', null], ['orange', 0.8], ['red', 1]];

local override(matcher, options, properties) = { matcher: { id: matcher, options: options }, properties: properties };

local one_line(text) = std.strReplace(std.rstripChars(text, '\n'), '\n', ' ');

local panel(type, title, description, w, h) = {
  type: type,
  title: title,
  description: one_line(description),
  datasource: datasource,
  gridPos:: { w: w, h: h },
};

local targets(queries, common) = std.mapWithIndex(
  function(i, query) { refId: letters[i], datasource: datasource, editorMode: 'code' } + common + query,
  queries
);

{
  /** A query of a graph or a stat, and the name of its series. */
  query(expr, legend=''):: { expr: expr } + if legend == '' then {} else { legendFormat: legend },

  /** The unit of a rate: 'drops' gives "1.20 K drops/s". */
  per_second(things):: 'count:' + things + '/s',

  /**
   * Lines over time. A series whose name begins with "limit " is a dashed red line. The legend is sorted by the last
   * value; it is at the right, where it has room for ten series, unless the panel is narrow.
   */
  graph(title, unit, queries, description, w=12, h=8, stacked=false)::
    panel('timeseries', title, description, w, h) {
      // The names of listeners and their owners are long.
      local has_owner = std.length([q for q in queries if std.endsWith(q.legendFormat, '{{owner_name}}')]) > 0,
      local has_limit = std.length([q for q in queries if std.startsWith(q.legendFormat, 'limit ')]) > 0,
      fieldConfig: {
        defaults: {
          unit: unit,
          min: 0,
          color: { mode: 'palette-classic' },
          custom: {
            drawStyle: 'line',
            lineInterpolation: 'linear',
            lineWidth: if stacked then 1 else 2,
            fillOpacity: if stacked then 30 else 0,
            showPoints: 'auto',
            spanNulls: false,
            stacking: { mode: if stacked then 'normal' else 'none', group: 'A' },
          },
        },
        overrides: if !has_limit then [] else [
          override('byRegexp', '/^limit /', [
            { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } },
            { id: 'custom.fillOpacity', value: 0 },
            { id: 'custom.lineWidth', value: 1 },
            // Otherwise limits would fill the sorted legend.
            { id: 'custom.hideFrom', value: { legend: true, tooltip: false, viz: false } },
            color('red'),
          ]),
        ],
      },
      options: {
        legend: {
          displayMode: 'table',
          placement: if w < 12 then 'bottom' else 'right',
          showLegend: true,
          calcs: ['lastNotNull', 'max'],
          sortBy: 'Last *',
          sortDesc: true,
        } + (if has_owner then { width: 440 } else {}),
        tooltip: { mode: 'multi', sort: 'desc' },
      },
      targets: targets(queries, { range: true }),
    },

  /** A graph of fill ratios, with lines at nearly full and at full. */
  fill_graph(title, queries, description, w=12, h=8)::
    self.graph(title, 'percentunit', queries, description, w, h) {
      fieldConfig+: { defaults+: {
        custom+: { thresholdsStyle: { mode: 'dashed' }, axisSoftMax: 1 },
        thresholds: color_steps([['transparent', null]] + fill_steps[1:]),
      } },
    },

  /** A number on a color: green at 0 and `bad` above, or that of the step that it has reached. */
  stat(title, unit, queries, description, bad='red', steps=[['green', null], [bad, 0.000001]], w=3, h=4)::
    panel('stat', title, description, w, h) {
      fieldConfig: {
        defaults: {
          unit: unit,
          color: { mode: 'thresholds' },
          thresholds: color_steps(steps),
        },
        overrides: [],
      },
      options: {
        colorMode: 'background',
        graphMode: 'none',
        justifyMode: 'auto',
        textMode: 'auto',
        orientation: 'auto',
        wideLayout: true,
        showPercentChange: false,
        percentChangeColorMode: 'standard',
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      },
      targets: targets(queries, { instant: true, range: false }),
    },

  /**
   * A column with a label. The cells of a label that is a number, such as a port, are text all the same. `texts` are
   * shown instead of values: { '1': { text: 'critical', color: 'red' } }.
   */
  label(name, title, width=null, link=null, texts=null):: {
    field: name,
    title: title,
    properties:
      (if width == null then [] else [{ id: 'custom.width', value: width }])
      + (if link == null then [] else [{ id: 'links', value: [link] }])
      + if texts == null then [] else [
        { id: 'custom.cellOptions', value: { type: 'color-text' } },
        { id: 'mappings', value: [{
          type: 'value',
          options: texts,
        }] },
      ],
  },

  /** A label that links need, without a column. */
  hidden(name):: {
    field: name,
    title: name,
    properties: [
      { id: 'custom.hideFrom', value: { viz: true, legend: false, tooltip: false } },
      { id: 'custom.hidden', value: true },  // before Grafana 13
    ],
  },

  /** A column with the values of a query. */
  value(title, expr, unit='none', width=null, properties=[]):: {
    expr: expr,
    title: title,
    properties:
      [{ id: 'unit', value: unit }]
      + (if width == null then [] else [{ id: 'custom.width', value: width }])
      + properties,
  },

  /** A column with a fill ratio, as a bar. */
  fill(title, expr, width=125):: self.value(title, expr, 'percentunit', width, [
    { id: 'decimals', value: 0 },
    { id: 'min', value: 0 },
    { id: 'max', value: 1 },
    { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' } },
    { id: 'thresholds', value: color_steps(fill_steps) },
    { id: 'color', value: { mode: 'thresholds' } },
  ]),

  /** A column with a ratio whose background is colored from `warning` and `critical` on. */
  ratio(title, expr, width=null, warning=0.8, critical=1, decimals=0)::
    self.value(title, expr, 'percentunit', width, [
      { id: 'decimals', value: decimals },
      { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
      { id: 'thresholds', value: color_steps([['transparent', null], ['orange', warning], ['red', critical]]) },
      { id: 'color', value: { mode: 'thresholds' } },
    ]),

  /** A column with a rate or a number that is red unless it is 0. */
  bad(title, expr, unit='none', width=null):: self.value(title, expr, unit, width, [
    { id: 'custom.cellOptions', value: { type: 'color-text' } },
    { id: 'thresholds', value: color_steps([['text', null], ['red', 0.000001]]) },
    { id: 'color', value: { mode: 'thresholds' } },
  ]),

  /** A column with a text for each of the values: `texts` is { '0': 'no', '1': 'yes' }. */
  choice(title, expr, texts, width=null):: self.value(title, expr, 'none', width, [
    { id: 'mappings', value: [{
      type: 'value',
      options: { [value]: { text: texts[value] } for value in std.objectFields(texts) },
    }] },
  ]),

  /**
   * A table of label, hidden and value columns. The rows of the queries are merged by the labels that all of them
   * have. `info` are queries that only have labels.
   */
  table(title, columns, description, info=[], w=24, h=9, sort_by=null, descending=true)::
    panel('table', title, description, w, h) {
      local exprs = [column.expr for column in columns if 'expr' in column] + info,
      local field(column) =
        if 'field' in column then column.field
        else if std.length(exprs) == 1 then 'Value'
        else 'Value #' + letters[std.find(column.expr, exprs)[0]],
      fieldConfig: {
        defaults: {
          unit: 'string',
          custom: { align: 'auto', filterable: false, cellOptions: { type: 'auto' }, inspect: false },
        },
        overrides: [override('byName', column.title, column.properties) for column in columns if column.properties != []],
      },
      options: {
        showHeader: true,
        cellHeight: 'sm',
        sortBy: if sort_by == null then [] else [{ displayName: sort_by, desc: descending }],
      },
      targets: targets([{ expr: expr } for expr in exprs], { format: 'table', instant: true, range: false }),
      transformations:
        (if std.length(exprs) > 1 then [{ id: 'merge', options: {} }] else [])
        + [
          { id: 'filterFieldsByName', options: { include: { names: [field(column) for column in columns] } } },
          {
            id: 'organize',
            options: {
              excludeByName: {},
              indexByName: { [field(columns[i])]: i for i in std.range(0, std.length(columns) - 1) },
              renameByName: { [field(column)]: column.title for column in columns if field(column) != column.title },
            },
          },
        ],
    },

  /** A row of panels, from left to right. */
  row(title, panels, collapsed=false):: { title: title, panels: panels, collapsed: collapsed },

  /** A link to another dashboard of this project, with the labels of the table's row. */
  link(title, dashboard, variables):: {
    title: title,
    url: std.join('&', [
      '/d/inetdiag-' + dashboard + '?var-datasource=${datasource}',
    ] + [
      'var-%s=${__data.fields.%s:percentencode}' % [name, variables[name]]
      for name in std.objectFields(variables)
    ] + ['${__url_time_range}']),
    targetBlank: false,
  },

  /** A variable with the values of a label. */
  variable(name, label, query, all_value=null):: {
    name: name,
    label: label,
    type: 'query',
    datasource: datasource,
    query: query,
    refresh: 2,
    sort: 7,
    multi: true,
    includeAll: true,
    hide: 0,
    regex: '',
    current: { text: ['All'], value: ['$__all'] },
  } + if all_value == null then {} else { allValue: all_value },

  /** Events as vertical lines in all graphs. */
  annotation(name, expr, color, title, text, tags='', enabled=true):: {
    name: name,
    datasource: datasource,
    enable: enabled,
    hide: false,
    iconColor: color,
    target: { refId: name, expr: expr },
    titleFormat: title,
    textFormat: text,
    tagKeys: tags,
  },

  /** A dashboard of rows. */
  dashboard(name, title, description, variables, annotations, rows):: {
    // Places panels from left to right, and a row below the other.
    local place(panels, top) = std.foldl(
      function(done, panel)
        local fits = done.x + panel.gridPos.w <= 24;
        local x = if fits then done.x else 0;
        local y = if fits then done.y else done.y + done.height;
        {
          panels: done.panels + [panel { gridPos::: { x: x, y: y, w: panel.gridPos.w, h: panel.gridPos.h } }],
          x: x + panel.gridPos.w,
          y: y,
          height: if fits then std.max(done.height, panel.gridPos.h) else panel.gridPos.h,
        },
      panels,
      { panels: [], x: 0, y: top, height: 0 }
    ),
    local placed = std.foldl(
      function(done, row)
        local inner = place(row.panels, done.y + 1);
        local header = {
          type: 'row',
          title: row.title,
          collapsed: row.collapsed,
          gridPos: { x: 0, y: done.y, w: 24, h: 1 },
          panels: if row.collapsed then inner.panels else [],
        };
        {
          panels: done.panels + [header] + (if row.collapsed then [] else inner.panels),
          // Grafana moves the rows below a collapsed one when it is opened.
          y: if row.collapsed then done.y + 1 else inner.y + inner.height,
        },
      rows,
      { panels: [], y: 0 }
    ).panels,
    // Ids in the order of the panels, those of collapsed rows included.
    local numbered = std.foldl(
      function(done, panel)
        local inner = if 'panels' in panel then panel.panels else [];
        {
          panels: done.panels + [panel { id: done.next } + (
            if 'panels' in panel then {
              panels: [inner[i] { id: done.next + 1 + i } for i in std.range(0, std.length(inner) - 1)],
            } else {}
          )],
          next: done.next + 1 + std.length(inner),
        },
      placed,
      { panels: [], next: 1 }
    ).panels,

    uid: 'inetdiag-' + name,
    title: 'Queues and limits: ' + title,
    description: one_line(description),
    tags: ['inetdiag'],
    editable: false,
    graphTooltip: 1,
    refresh: '1m',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    schemaVersion: 39,
    links: [{
      type: 'dashboards',
      title: 'Queues and limits',
      tags: ['inetdiag'],
      asDropdown: false,
      icon: 'external link',
      includeVars: true,
      keepTime: true,
      targetBlank: false,
      tooltip: '',
    }],
    annotations: { list: annotations },
    templating: {
      list: [{
        name: 'datasource',
        label: 'Data source',
        type: 'datasource',
        query: 'prometheus',
        refresh: 1,
        hide: 0,
        multi: false,
        includeAll: false,
        regex: '',
      }] + variables,
    },
    panels: numbered,
  },
}
