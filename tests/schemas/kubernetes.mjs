// Validates Kubernetes objects (a JSON array on standard input) against the schemas of three releases: unknown fields
// and types with the TypeScript types of each, values with the validation of the newest. Prints the errors.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const directory = dirname(fileURLToPath(import.meta.url));
const given = JSON.parse(readFileSync(0, "utf8"));
const objects = [...new Map(given.map((object) => [JSON.stringify(object), object])).values()];

const isOperator = ({ apiVersion }) => apiVersion.startsWith("monitoring.coreos.com/");

/** Objects of the Prometheus operator do not depend on the release. */
function modelOf(object) {
  const models = isOperator(object) ? "@kubernetes-models/prometheus-operator" : "kubernetes-models";
  return `${models}/${object.apiVersion}/${object.kind}`;
}

/** networking.k8s.io/v1 is networking/v1 there, v1 is core/v1. */
function typesOf({ apiVersion }) {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion];
  return `${group.split(".")[0]}/${version}`;
}

const older = ["1.26", "1.30"];
const newest = "1.36"; // that of kubernetes-models

const nameOf = ({ kind, metadata }) => `${kind} ${metadata.name}`;

/** TypeScript rejects unknown fields in object literals. Each source is one line. */
function typeErrors() {
  const sources = objects.flatMap((object) => {
    const { apiVersion, kind, ...fields } = object;
    const model = [newest, `import { ${kind} as M } from "${modelOf(object)}"; new M(${JSON.stringify(fields)});`];
    const types = older.map((release) => [
      release,
      `import type { ${kind} as M } from "kubernetes-types-${release}/${typesOf(object)}"; ` +
        `const object: M = ${JSON.stringify(object)};`,
    ]);
    return (isOperator(object) ? [model] : [model, ...types]).map(([release, text]) => ({ object, release, text }));
  });
  const files = new Map(sources.map((source, i) => [join(directory, `object${i}.ts`), source]));
  const options = {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.getSourceFile = (name, ...rest) =>
    files.has(name)
      ? ts.createSourceFile(name, files.get(name).text, ...rest)
      : getSourceFile.call(host, name, ...rest);
  return ts.getPreEmitDiagnostics(ts.createProgram([...files.keys()], options, host)).map((diagnostic) => {
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, " ");
    const source = files.get(diagnostic.file?.fileName);
    return source ? `${source.release}: ${nameOf(source.object)}: ${text}` : text;
  });
}

async function invalidValues(object) {
  try {
    const { [object.kind]: Model } = await import(modelOf(object));
    new Model(object).validate();
    return [];
  } catch (error) {
    return [`${nameOf(object)}: ${error.message}`];
  }
}

const errors = [...typeErrors(), ...(await Promise.all(objects.map(invalidValues))).flat()];
for (const line of errors) console.log(line);
process.exitCode = errors.length > 0 ? 1 : 0;
