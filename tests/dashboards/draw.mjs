// Draws the dashboards of grafana/ with Grafana's components on the data of a Prometheus, writes PNGs, and fails where
// a panel has an error, shows a label as a number, has a link that leads nowhere, cuts text, or draws nothing.
// Usage: node draw.mjs --prometheus URL --from UNIX --to UNIX --out DIRECTORY
//   [--only NAME,...] [--theme dark|light] [--rate-interval DURATION] [--variables QUERY] [--allow-empty FILE]
//   [--until TITLE]
//   QUERY selects values as a URL does: "var-instance=a&var-port=80". FILE is JSON: for each name of a dashboard, the
//   titles of panels that may be empty, with the reason. TITLE is that of a panel: only those above it are drawn.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Browser } from './browser.mjs';
import { drawDashboard, rangeOf } from './drawing.mjs';
import { selectedValues } from './links.mjs';
import { Prometheus } from './prometheus.mjs';

const directory = join(dirname(fileURLToPath(import.meta.url)), '../../grafana');
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

const { values: options } = parseArgs({
  options: {
    prometheus: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    out: { type: 'string' },
    only: { type: 'string' },
    theme: { type: 'string', default: 'dark' },
    'rate-interval': { type: 'string', default: '1m' },
    variables: { type: 'string', default: '' },
    'allow-empty': { type: 'string' },
    until: { type: 'string' },
  },
});
for (const name of ['prometheus', 'from', 'to', 'out']) {
  if (!options[name]) throw new Error(`--${name} is required`);
}

const names = readdirSync(directory)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -5));
const wanted = options.only?.split(',') ?? names;
const dashboards = Object.fromEntries(names.map((name) => [name, readJson(join(directory, `${name}.json`))]));
if (options.until) {
  for (const name of wanted) {
    const { panels } = dashboards[name];
    const end = panels.find(({ title }) => title === options.until)?.gridPos.y;
    if (end === undefined) throw new Error(`${name} has no panel "${options.until}"`);
    dashboards[name].panels = panels.filter(({ gridPos }) => gridPos.y < end);
  }
}
const allowEmpty = options['allow-empty'] ? readJson(options['allow-empty']) : {};
const range = rangeOf({ from: Number(options.from), to: Number(options.to), rateInterval: options['rate-interval'] });
const prometheus = new Prometheus(options.prometheus);

mkdirSync(options.out, { recursive: true });
const browser = await Browser.launch();
const all = [];
try {
  for (const name of wanted) {
    const { faults, png } = await drawDashboard(name, {
      browser,
      prometheus,
      dashboards,
      range,
      themeName: options.theme,
      selected: selectedValues(dashboards[name], new URLSearchParams(options.variables)),
      allowedEmpty: allowEmpty[name] ?? {},
    });
    writeFileSync(join(options.out, `${name}.png`), png);
    all.push(...faults);
  }
} finally {
  await browser.close();
}
for (const fault of all) console.log(fault);
console.log(`${wanted.length} dashboards drawn, ${all.length} faults`);
process.exit(all.length === 0 ? 0 : 1);
