// Validates Kubernetes objects (a JSON array on standard input) against their schemas: values with the
// validation of the models, unknown fields with their TypeScript types. Prints the errors.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const directory = dirname(fileURLToPath(import.meta.url));
const objects = JSON.parse(readFileSync(0, "utf8"));

function moduleOf({ apiVersion }) {
  const models = apiVersion.startsWith("monitoring.coreos.com/")
    ? "@kubernetes-models/prometheus-operator"
    : "kubernetes-models";
  return `${models}/${apiVersion}`;
}

const nameOf = ({ kind, metadata }) => `${kind} ${metadata.name}`;

/** TypeScript rejects unknown fields in object literals. Line i of the source is object i. */
function unknownFields() {
  const lines = objects.map((object, i) => {
    const { apiVersion, kind, ...fields } = object;
    return (
      `import { ${kind} as M${i} } from ${JSON.stringify(moduleOf(object))}; ` +
      `new M${i}(${JSON.stringify(fields)});`
    );
  });
  const file = join(directory, "objects.ts");
  const options = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === file || fileExists.call(host, name);
  host.getSourceFile = (name, ...rest) =>
    name === file
      ? ts.createSourceFile(name, lines.join("\n"), ...rest)
      : getSourceFile.call(host, name, ...rest);
  return ts.getPreEmitDiagnostics(ts.createProgram([file], options, host)).map((diagnostic) => {
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, " ");
    if (!diagnostic.file) return text;
    const { line } = ts.getLineAndCharacterOfPosition(diagnostic.file, diagnostic.start);
    return `${nameOf(objects[line])}: ${text}`;
  });
}

async function invalidValues(object) {
  try {
    const { [object.kind]: Model } = await import(moduleOf(object));
    new Model(object).validate();
    return [];
  } catch (error) {
    return [`${nameOf(object)}: ${error.message}`];
  }
}

const errors = [...unknownFields(), ...(await Promise.all(objects.map(invalidValues))).flat()];
for (const line of errors) console.log(line);
process.exitCode = errors.length > 0 ? 1 : 0;
