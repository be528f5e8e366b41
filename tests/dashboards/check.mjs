// Type-checks the dashboards of grafana/ against types.ts. Each dashboard is checked as a TypeScript
// expression, because imported JSON has no literal types ("line" becomes string).
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

// Typical mistakes. The check must reject each of them.
const mistakes = [
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
// The expression begins in the first line, so that line numbers are those of the JSON file.
const add = (name, json) =>
  texts.set(join(here, `${name}.ts`), `export default ${json} satisfies import('./types').DashboardFile;`);

const files = readdirSync(dashboards).filter((name) => name.endsWith('.json'));
for (const file of files) {
  const json = readFileSync(join(dashboards, file), 'utf8').trimEnd();
  add(file, json);
  if (file === 'overview.json') {
    mistakes.forEach(([valid, invalid], i) => add(`mistake-${i}`, json.replace(valid, invalid)));
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
const diagnostics = ts.getPreEmitDiagnostics(program);
const isMistake = (name) => basename(name).startsWith('mistake-');
const errors = diagnostics.filter(({ file }) => !file || !isMistake(file.fileName));
const rejected = new Set(diagnostics.map(({ file }) => file?.fileName).filter((name) => name && isMistake(name)));

console.log(
  ts.formatDiagnostics(errors, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => here,
    getNewLine: () => '\n',
  }),
);
console.log(
  `${files.length} dashboards checked, ${errors.length} errors; ${rejected.size} of ${mistakes.length} mistakes rejected`,
);
process.exit(files.length > 0 && errors.length === 0 && rejected.size === mistakes.length ? 0 : 1);
