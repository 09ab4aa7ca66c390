import type { JsonSchema } from "./openrpc.js";

/** How deep the fields of unnamed objects are spelled out as rows of their own. */
const DEPTH = 3;

const refName = (ref: string): string => ref.slice(ref.lastIndexOf("/") + 1);
const code = (text: string): string => `\`${text}\``;
const LINE_CHARACTERS = 110;
/** More values than this are no list to read in a cell. */
const LONGEST_CHOICE = 12;

/** A cell must not end its table's row. */
export function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

/** A schema's type in a few words: `text`, `whole number (1 to 600000)`, `"a" or "b"`, a link to a named one. */
export function typeOf(schema: JsonSchema): string {
  if (schema.$ref) return `[${refName(schema.$ref)}](#${refName(schema.$ref).toLowerCase()})`;
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum && schema.enum.length > LONGEST_CHOICE) return "word of a list";
  if (schema.enum) return schema.enum.map((value) => code(JSON.stringify(value))).join(" · ");
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map(typeOf).join(" or ");
  switch (schema.type) {
    case "array":
      return `list${range(schema.minItems, schema.maxItems, "")} of ${schema.items ? typeOf(schema.items) : "anything"}`;
    case "object":
      return schema.properties ? "object" : "object by name";
    case "string":
      if (schema.format) return `text, ${schema.format}`;
      return schema.pattern ? `text like ${code(schema.pattern)}` : `text${range(schema.minLength, schema.maxLength, " characters")}`;
    case "integer":
      return `whole number${range(schema.minimum, schema.maximum, "")}`;
    case "number":
      return `number${range(schema.minimum, schema.maximum, "")}`;
    case "boolean":
      return "true or false";
    default:
      return "any JSON";
  }
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (least !== undefined && most !== undefined) return ` (${least} to ${most}${unit})`;
  if (most !== undefined) return ` (at most ${most}${unit})`;
  return least === undefined ? "" : ` (at least ${least}${unit})`;
}

interface Field {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/** Fields of an object with those of unnamed objects inside it, by path: `queue.length`, `checks[].ok`. */
function fieldsOf(schema: JsonSchema, prefix = "", depth = DEPTH): readonly Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const path = `${prefix}${name}`;
    const field: Field = { path, schema: inner, required: schema.required?.includes(name) ?? false };
    const [nested, nestedPrefix] = inner.type === "array" && inner.items ? [inner.items, `${path}[].`] : [inner, `${path}.`];
    return nested.properties && depth > 0 ? [field, ...fieldsOf(nested, nestedPrefix, depth - 1)] : [field];
  });
}

function meaning(schema: JsonSchema): string {
  const parts = [schema.description, schema.default === undefined ? undefined : `Default: ${code(JSON.stringify(schema.default))}`];
  return parts.filter((part) => part !== undefined).join(". ");
}

/** A table of an object's fields; optional ones are marked with `?` as in TypeScript. */
export function fieldTable(schema: JsonSchema): string {
  return table(
    ["field", "type", "meaning"],
    fieldsOf(schema).map(({ path, schema: inner, required }) => [code(required ? path : `${path}?`), typeOf(inner), meaning(inner)]),
  );
}

/** What a schema says, in whatever shape suits it: fields, variants, or one line. */
export function describeSchema(schema: JsonSchema): string {
  if (schema.$ref) return `${typeOf(schema)}${schema.description ? `: ${schema.description}` : ""}`;
  if (schema.properties) return Object.keys(schema.properties).length > 0 ? fieldTable(schema) : "Nothing: an empty object.";
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants) return variants.map(describeVariant).join("\n\n");
  return typeOf(schema);
}

/** JSON with what fits into a line on one line. */
export function compactJson(value: unknown, indent = ""): string {
  const line = JSON.stringify(value)?.replaceAll(/("(?:[^"\\]|\\.)*")|([,:])/g, (_, text, mark) => text ?? `${mark} `) ?? "null";
  if (typeof value !== "object" || value === null || indent.length + line.length <= LINE_CHARACTERS) return line;
  const inner = `${indent}  `;
  const rows = Array.isArray(value)
    ? value.map((item) => compactJson(item, inner))
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => `${JSON.stringify(key)}: ${compactJson(item, inner)}`);
  const [left, right] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return `${left}\n${rows.map((row) => inner + row).join(",\n")}\n${indent}${right}`;
}

/** One of several objects that are told apart by a constant field. */
function describeVariant(variant: JsonSchema): string {
  if (!variant.properties) return `- ${typeOf(variant)}`;
  const [tag, rest] = Object.entries(variant.properties).reduce<[string, Record<string, JsonSchema>]>(
    ([label, fields], [name, inner]) =>
      label === "" && inner.const !== undefined
        ? [`${name}: ${JSON.stringify(inner.const)}`, fields]
        : [label, { ...fields, [name]: inner }],
    ["", {}],
  );
  const heading = `**${code(tag)}**${variant.description ? `: ${variant.description}` : ""}`;
  return Object.keys(rest).length > 0 ? `${heading}\n\n${fieldTable({ ...variant, properties: rest })}` : heading;
}
