// Where links lead: the dashboard exists, and each variable has a value that its data has.
import { ALL } from './interpolation.mjs';
import { DATASOURCE, resolveVariables, selectsUnlabelled } from './variables.mjs';

const BUILT_IN = new Set(['from', 'to', 'timezone', 'refresh', 'viewPanel', 'kiosk', 'orgId']);

async function wrongValue(variable, definition, variables, prometheus, range) {
  for (const value of [variable.value].flat()) {
    if (value === ALL || variable.type === 'textbox' || variable.options.includes(value)) continue;
    const isUnlabelled = value === '' && variable.type === 'query';
    if (isUnlabelled && (await selectsUnlabelled(definition, variables, prometheus, range))) continue;
    return value;
  }
  return undefined;
}

/** The values of a dashboard's variables in the query of a URL. */
export function selectedValues(dashboard, parameters) {
  const selected = {};
  for (const { name, multi } of dashboard.templating.list) {
    const values = parameters.getAll(`var-${name}`);
    if (values.length > 0) selected[name] = values.includes(ALL) ? ALL : multi ? values : values[0];
  }
  return selected;
}

/** Returns what is wrong with a link, or undefined. */
export async function checkLink(href, dashboards, prometheus, range) {
  const url = new URL(href, 'http://grafana.test/');
  if (/\$\{|\[\[|\$__(?!all\b)|undefined/.test(decodeURIComponent(href))) return 'a variable is not replaced';
  const uid = url.pathname.match(/^\/d\/([^/]+)/)?.[1];
  if (!uid) return undefined;
  const dashboard = dashboards.find((one) => one.uid === uid);
  if (!dashboard) return `there is no dashboard with the uid "${uid}"`;
  const definitions = Object.fromEntries(dashboard.templating.list.map((variable) => [variable.name, variable]));
  for (const key of url.searchParams.keys()) {
    if (BUILT_IN.has(key)) continue;
    if (!key.startsWith('var-')) return `"${key}" is no parameter of a dashboard`;
    if (!definitions[key.slice(4)]) return `"${key.slice(4)}" is no variable of the dashboard "${uid}"`;
  }
  const selected = selectedValues(dashboard, url.searchParams);
  if ((selected.datasource ?? DATASOURCE) !== DATASOURCE) return `there is no data source "${selected.datasource}"`;
  const variables = await resolveVariables(dashboard, prometheus, range, selected);
  for (const name of Object.keys(selected)) {
    const wrong = await wrongValue(variables[name], definitions[name], variables, prometheus, range);
    if (wrong !== undefined) return `no series has the value "${wrong}" of the variable "${name}"`;
  }
  return undefined;
}
