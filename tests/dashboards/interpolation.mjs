// Template variables in texts, in Grafana's spellings: $name, [[name]], ${name}, ${name.path}, ${name:format}.
const REFERENCE = /\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}/g;

export const ALL = '$__all';

/** Replaces each reference by what `resolve({ name, path, format })` returns; undefined keeps the reference. */
export const interpolate = (text, resolve) =>
  text.replace(
    REFERENCE,
    (match, short, brackets, bracketsFormat, name, path, format) =>
      resolve({ name: short ?? brackets ?? name, path, format: bracketsFormat ?? format }) ?? match,
  );

const strict = (encoded) =>
  encoded.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
const glob = (value) => (Array.isArray(value) && value.length > 1 ? `{${value.join(',')}}` : String(value));

const FORMATS = {
  raw: (value) => String(value),
  glob,
  csv: (value) => String(value),
  pipe: (value) => [value].flat().join('|'),
  percentencode: (value) => strict(encodeURIComponent(glob(value))),
  uriencode: (value) => strict(encodeURI(glob(value))),
  queryparam: (value, name) =>
    [value]
      .flat()
      .map((one) => `var-${name}=${strict(encodeURIComponent(one))}`)
      .join('&'),
};

/** Formats the value of a variable as `${name:format}` asks for. */
export function formatValue(value, name, format = 'glob') {
  if (!FORMATS[format]) {
    throw new Error(`format "${format}" of variable "${name}" is unknown: add it to FORMATS in interpolation.mjs`);
  }
  return FORMATS[format](value, name);
}
