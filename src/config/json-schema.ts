import { z } from "../kernel/schema.js";
import type { KeyPath } from "./key-positions.js";

/** The part of JSON Schema that zod writes for a config: what explanations and the reference are made from. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** How a value is written in the file: before defaults and transforms. */
export function inputSchema(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Schema;
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Of several shapes the one whose fixed keys (such as `kind`) fit the value. */
function shapeOf(schema: Schema, value: unknown): Schema {
  const shapes = schema.oneOf ?? schema.anyOf;
  if (!shapes || !isTable(value)) return schema;
  const fits = (shape: Schema): boolean =>
    shape.properties !== undefined &&
    Object.entries(shape.properties).every(([key, property]) => property.const === undefined || property.const === value[key]);
  return shapes.find(fits) ?? schema;
}

/** The schema that rules the value at `path`, following the shape that `root` has chosen on the way. */
export function schemaAt(schema: Schema, path: KeyPath, root: unknown): Schema | undefined {
  let current: Schema | undefined = shapeOf(schema, root);
  let value = root;
  for (const step of path) {
    if (!current) return undefined;
    if (typeof step === "number") {
      current = current.items;
      value = Array.isArray(value) ? value[step] : undefined;
    } else {
      current = propertyOf(current, step);
      value = isTable(value) ? value[step] : undefined;
    }
    current = current && shapeOf(current, value);
  }
  return current;
}

function propertyOf(schema: Schema, key: string): Schema | undefined {
  if (schema.properties && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  if (isTable(schema.additionalProperties)) return schema.additionalProperties;
  // No shape fits yet, because the key that decides is wrong or missing: it may be what any of them says.
  const among = schema.oneOf?.flatMap((shape) => propertyOf(shape, key) ?? []);
  return among && among.length > 0 ? { anyOf: among } : undefined;
}

/** What the schema wants, in plain words: "a whole number from 1 to 65535". */
export function expectation(schema: Schema): string {
  const choices = choicesOf(schema);
  if (choices) return choices.length === 1 ? literal(choices[0]) : `one of ${choices.map(literal).join(", ")}`;
  const shapes = schema.oneOf ?? schema.anyOf;
  if (shapes) return shapes.every((shape) => shape.type === "object") ? "a table" : shapes.map(expectation).join(", or ");
  switch (schema.type) {
    case "integer":
      return `a whole number${range(schema)}`;
    case "number":
      return `a number${range(schema)}`;
    case "boolean":
      return "true or false";
    case "array":
      return "a list";
    case "object":
      return "a table";
    case "string":
      return (schema.minLength ?? 0) > 0 ? "a string that is not empty" : "a string";
    default:
      return "another value";
  }
}

/** The values that a schema allows, where they can be counted. */
export function choicesOf(schema: Schema): readonly unknown[] | undefined {
  if (schema.enum) return schema.enum;
  if (schema.const !== undefined) return [schema.const];
  const shapes = schema.anyOf ?? schema.oneOf;
  return shapes?.every((shape) => shape.const !== undefined) ? shapes.map((shape) => shape.const) : undefined;
}

/** Safe integers are what zod means by "any": no limit that anyone wrote. */
function range({ minimum, maximum }: Schema): string {
  const low = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const high = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  if (low !== undefined) return ` of ${low} or more`;
  return high === undefined ? "" : ` up to ${high}`;
}

function literal(value: unknown): string {
  return JSON.stringify(value);
}
