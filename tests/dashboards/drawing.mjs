// Draws a dashboard on the data of a Prometheus, and returns what is wrong with it.
import { checkLink } from './links.mjs';
import { interpolateQuery, resolveVariables } from './variables.mjs';

const POINTS = 700; // about the width of a panel in pixels
const QUERIES_AT_ONCE = 8;

/** Returns the range with a step of seconds, from which Grafana would take about a point for each pixel. */
export function rangeOf({ from, to, rateInterval }) {
  const step = Math.max(1, Math.ceil((to - from) / POINTS));
  return { from: Math.floor(from / step) * step, to: Math.ceil(to / step) * step, step, rateInterval };
}

async function mapLimited(items, limit, work) {
  const waiting = [...items.entries()];
  const results = [];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}

const KEYS = new Set([
  'datasource',
  'editorMode',
  'expr',
  'format',
  'hide',
  'instant',
  'legendFormat',
  'range',
  'refId',
]);
const FORMATS = new Set([undefined, 'time_series', 'table']);

async function runQuery(target, variables, prometheus, range) {
  const { refId, expr, format, instant, legendFormat } = target;
  const query = { refId, expr, format, legendFormat, series: [] };
  try {
    const unknown = Object.keys(target).find((key) => !KEYS.has(key));
    if (unknown) throw new Error(`property "${unknown}" of a query is unknown: add it to drawing.mjs`);
    if (!FORMATS.has(format)) throw new Error(`format "${format}" is unknown: add it to page/frames.mjs`);
    if (instant && target.range) throw new Error('it is both instant and a range');
    const expression = interpolateQuery(expr, variables, range);
    query.series = instant
      ? await prometheus.instant(expression, range.to)
      : await prometheus.range(expression, range.from, range.to, range.step);
  } catch (error) {
    query.error = error.message;
  }
  return query;
}

const panelsOf = (panels) => panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);

async function runQueries(dashboard, variables, prometheus, range) {
  const panels = panelsOf(dashboard.panels);
  const targets = panels.flatMap(({ id, targets: queries = [] }) =>
    queries.filter(({ hide }) => !hide).map((target) => ({ id, target })),
  );
  const results = await mapLimited(targets, QUERIES_AT_ONCE, ({ target }) =>
    runQuery(target, variables, prometheus, range),
  );
  const byPanel = Object.fromEntries(panels.map(({ id }) => [id, []]));
  targets.forEach(({ id }, index) => byPanel[id].push(results[index]));
  return byPanel;
}

/** The times in which a query of annotations has values, as [{ from, to, color }] in milliseconds. */
async function annotationsOf(dashboard, variables, prometheus, range) {
  const annotations = [];
  for (const { enable, target, iconColor } of dashboard.annotations?.list ?? []) {
    if (!enable || !target?.expr) continue;
    const { series, error } = await runQuery(target, variables, prometheus, range);
    if (error) throw new Error(`annotation query failed: ${error}`);
    for (const { values } of series) {
      let last;
      for (const [time] of values) {
        const milliseconds = time * 1000;
        if (last && milliseconds <= last.to + range.step * 1000) last.to = milliseconds;
        else annotations.push((last = { from: milliseconds, to: milliseconds, color: iconColor }));
      }
    }
  }
  return annotations;
}

const MAX_OVERLAP = 6; // each annotation covers the graphs with 10% of its colour

function annotationFaults(annotations) {
  const overlaps = annotations.map(
    ({ from: time }) => annotations.filter(({ from, to }) => from <= time && time <= to).length,
  );
  const most = Math.max(0, ...overlaps);
  return most > MAX_OVERLAP ? [`annotations: ${most} at the same time cover the graphs`] : [];
}

async function linkFaults(links, dashboards, prometheus, range) {
  for (const { href, of } of links) {
    const fault = await checkLink(href, dashboards, prometheus, range);
    if (fault) return [`${of}: ${fault}: ${href}`];
  }
  return [];
}

/**
 * Returns { faults: ["NAME: PANEL: what"], png }. `dashboards` has all dashboards by name, `selected` the values of
 * variables, `allowedEmpty` the titles of panels that may lack data.
 */
export async function drawDashboard(
  name,
  { browser, prometheus, dashboards, range, themeName, selected, allowedEmpty },
) {
  const dashboard = dashboards[name];
  const variables = await resolveVariables(dashboard, prometheus, range, selected);
  const [results, annotations] = await Promise.all([
    runQueries(dashboard, variables, prometheus, range),
    annotationsOf(dashboard, variables, prometheus, range),
  ]);
  const { panels, errors, png } = await browser.draw({
    dashboard,
    variables,
    range,
    results,
    annotations,
    themeName,
    allowedEmpty,
  });
  const faults = [...errors, ...annotationFaults(annotations)].map((error) => `${name}: ${error}`);
  for (const { title, faults: found, links } of panels) {
    const wrongLinks = await linkFaults(links, Object.values(dashboards), prometheus, range);
    faults.push(...[...found, ...wrongLinks].map((fault) => `${name}: ${title}: ${fault}`));
  }
  return { faults, png };
}
