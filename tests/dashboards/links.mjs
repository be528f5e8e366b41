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

/** Returns what is wrong with a link, or undefined. */
export async function checkLink(href, dashboards, prometheus, range) {
  const url = new URL(href, 'http://grafana.test/');
  if (/\$\{|\[\[|\$__(?!all\b)|undefined/.test(decodeURIComponent(href))) return 'a variable is not replaced';
  const uid = url.pathname.match(/^\/d\/([^/]+)/)?.[1];
  if (!uid) return undefined;
  const dashboard = dashboards.find((one) => one.uid === uid);
  if (!dashboard) return `there is no dashboard with the uid "${uid}"`;
  const definitions = Object.fromEntries(dashboard.templating.list.map((variable) => [variable.name, variable]));
  const chosen = {};
  for (const [key, value] of url.searchParams) {
    if (key.startsWith('var-')) (chosen[key.slice(4)] ??= []).push(value);
    else if (!BUILT_IN.has(key)) return `"${key}" is no parameter of a dashboard`;
  }
  const unknown = Object.keys(chosen).find((name) => !definitions[name]);
  if (unknown) return `"${unknown}" is no variable of the dashboard "${uid}"`;
  for (const [name, values] of Object.entries(chosen)) {
    chosen[name] = values.includes(ALL) ? ALL : definitions[name].multi ? values : values[0];
  }
  if (chosen.datasource && chosen.datasource !== DATASOURCE) return `there is no data source "${chosen.datasource}"`;
  const variables = await resolveVariables(dashboard, prometheus, range, chosen);
  for (const name of Object.keys(chosen)) {
    const wrong = await wrongValue(variables[name], definitions[name], variables, prometheus, range);
    if (wrong !== undefined) return `no series has the value "${wrong}" of the variable "${name}"`;
  }
  return undefined;
}
