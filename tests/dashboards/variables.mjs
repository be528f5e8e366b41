// Template variables of a dashboard: their options, and the text that a query gets.
import { ALL, interpolate } from './interpolation.mjs';

export const DATASOURCE = 'inetdiag-prometheus';

const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'base' }).compare;
const escapeRegex = (value) => value.replace(/\\/g, '\\\\\\\\').replace(/[$^*{}[\]'+?.()|]/g, '\\\\$&');
const escapeString = (value) => value.replace(/[\\"]/g, '\\$&');

/** The value of a variable in a query, as Grafana's Prometheus data source formats it. */
function queryText({ value, options, allValue, isPattern }) {
  if (value === ALL) {
    if (allValue) return allValue;
    value = options;
  }
  if (!isPattern) return escapeString(String(value));
  const values = [value].flat().map(escapeRegex);
  return values.length === 1 ? values[0] : `(${values.join('|')})`;
}

/** Replaces variables and the built-in ones of a query. */
export function interpolateQuery(expression, variables, { from, to, step, rateInterval }) {
  const builtIn = {
    __rate_interval: rateInterval,
    __interval: `${step}s`,
    __interval_ms: step * 1000,
    __range: `${to - from}s`,
    __range_s: to - from,
    __range_ms: (to - from) * 1000,
  };
  return interpolate(expression, ({ name }) => {
    if (name in builtIn) return builtIn[name];
    if (/^\d+$/.test(name)) return undefined; // a group of a regular expression, in label_replace()
    if (!variables[name]) throw new Error(`"$${name}" is no variable of this dashboard, in: ${expression}`);
    return queryText(variables[name]);
  });
}

function labelQuery({ name, query }) {
  const text = typeof query === 'string' ? query : query.query;
  const match = text.match(/^label_values\((.+),\s*(\w+)\)$/s);
  if (!match)
    throw new Error(`query of variable "${name}" is not label_values(SELECTOR, LABEL): add it to variables.mjs`);
  return { selector: match[1], label: match[2] };
}

function matching(regex, values) {
  if (!regex) return values;
  const pattern = new RegExp(regex.replace(/^\/(.*)\/$/s, '$1'));
  return [...new Set(values.flatMap((value) => pattern.exec(value)?.slice(-1) ?? []))];
}

async function optionsOf(variable, variables, prometheus, range) {
  switch (variable.type) {
    case 'datasource':
      return [DATASOURCE];
    case 'constant':
    case 'textbox':
      return [variable.query];
    case 'custom':
      return variable.query.split(',').map((option) => option.trim().replace(/^.* : /, ''));
    case 'query': {
      const { selector, label } = labelQuery(variable);
      const values = await prometheus.labelValues(interpolateQuery(selector, variables, range), label, range);
      return matching(variable.regex, values).sort(natural);
    }
    default:
      throw new Error(`variable "${variable.name}" has the unknown type "${variable.type}": add it to variables.mjs`);
  }
}

function initialValue({ includeAll, multi, current }, options) {
  const saved = [current?.value ?? []].flat();
  if (includeAll && (saved.length === 0 || saved.includes(ALL))) return ALL;
  const valid = saved.filter((value) => options.includes(value));
  if (valid.length > 0) return multi ? valid : valid[0];
  return options[0] ?? '';
}

/** Resolves the variables in their order. `selected` has the values of a URL, which Grafana does not validate. */
export async function resolveVariables(dashboard, prometheus, range, selected = {}) {
  const variables = {};
  for (const variable of dashboard.templating.list) {
    const { name, label, type, multi, includeAll, allValue } = variable;
    const options = await optionsOf(variable, variables, prometheus, range);
    const value = selected[name] ?? initialValue(variable, options);
    const isPattern = Boolean(multi || includeAll);
    variables[name] = { name, label: label ?? name, type, options, value, allValue, isPattern, hide: variable.hide };
  }
  return variables;
}

/** Whether series exist that have no value of the label of this variable. */
export async function selectsUnlabelled(variable, variables, prometheus, range) {
  const { selector, label } = labelQuery(variable);
  const all = interpolateQuery(selector, variables, range);
  const unlabelled = all.endsWith('}')
    ? all.replace(/,?\s*\}$/, `,${label}=""}`).replace('{,', '{')
    : `${all}{${label}=""}`;
  return (await prometheus.instant(`count(${unlabelled})`, range.to)).length > 0;
}
