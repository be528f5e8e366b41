// Type-checks each dashboard of grafana/ against types.ts. An imported JSON file loses its literals
// ("line" becomes string), so each one is checked as the text of a TypeScript expression.
import { readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const here = dirname(fileURLToPath(import.meta.url));
const dashboards = join(here, '../../grafana');
const options = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  target: ts.ScriptTarget.ES2022,
};

// What a slip of the hand looks like: were one of these taken, the check would check nothing.
const slips = [
  ['"mode": "palette-classic"', '"mode": "palette-clasic"'],
  ['"drawStyle": "line"', '"drawStile": "line"'],
  ['"showLegend": true', '"showLegend": "yes"'],
  ['"cellHeight": "sm"', '"cellHeight": "small"'],
  ['"type": "timeseries"', '"type": "graph"'],
  ['"legendFormat":', '"legend":'],
  ['"colorMode": "background"', '"colour": "background"'],
  ['"graphTooltip": 1', '"graphTooltip": 7'],
];

const texts = new Map();
// The first line stays the first: the line of a message is the line in the JSON file.
const add = (name, json) =>
  texts.set(join(here, `${name}.ts`), `export default ${json} satisfies import('./types').DashboardFile;`);

const files = readdirSync(dashboards).filter((name) => name.endsWith('.json'));
for (const file of files) {
  const json = readFileSync(join(dashboards, file), 'utf8').trimEnd();
  add(file, json);
  if (file === 'overview.json') {
    slips.forEach(([right, wrong], i) => add(`slip-${i}`, json.replace(right, wrong)));
  }
}

const host = ts.createCompilerHost(options);
const { fileExists, readFile, getSourceFile } = host;
host.fileExists = (name) => texts.has(name) || fileExists(name);
host.readFile = (name) => texts.get(name) ?? readFile(name);
host.getSourceFile = (name, version, ...rest) =>
  texts.has(name)
    ? ts.createSourceFile(name, texts.get(name), version)
    : getSourceFile(name, version, ...rest);

const program = ts.createProgram([...texts.keys(), join(here, 'types.ts')], options, host);
const found = ts.getPreEmitDiagnostics(program);
const isSlip = (name) => basename(name).startsWith('slip-');
const faults = found.filter(({ file }) => !file || !isSlip(file.fileName));
const caught = new Set(found.map(({ file }) => file?.fileName).filter((name) => name && isSlip(name)));

console.log(
  ts.formatDiagnostics(faults, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => here,
    getNewLine: () => '\n',
  }),
);
console.log(
  `${files.length} dashboards checked, ${faults.length} faults; ${caught.size} of ${slips.length} slips caught`,
);
process.exit(files.length > 0 && faults.length === 0 && caught.size === slips.length ? 0 : 1);
