import type { z } from "../kernel/schema.js";
import { didYouMean } from "./did-you-mean.js";
import { choicesOf, expectation, type Schema, schemaAt } from "./json-schema.js";
import type { KeyPath } from "./key-positions.js";

export interface Explained {
  readonly path: KeyPath;
  readonly message: string;
}

/** Keys that are allowed where a driver's own settings stand, beside those of its schema. */
export interface ExplainOptions {
  readonly siblings?: readonly string[];
}

/**
 * The schema library's issues in plain words. Keys of the file are repeated, values never: what was typed into
 * the wrong line may be a password.
 */
export function explain(
  issues: readonly z.core.$ZodIssue[],
  schema: Schema,
  root: unknown,
  { siblings = [] }: ExplainOptions = {},
): Explained[] {
  return issues.flatMap((issue): Explained[] => {
    const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
    const here = schemaAt(schema, path, root);
    if (issue.code === "unrecognized_keys") {
      const known = [...Object.keys(here?.properties ?? {}), ...(path.length === 0 ? siblings : [])];
      return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, known) }));
    }
    if (issue.code === "custom") return [{ path, message: issue.message }];
    const value = valueAt(root, path);
    if (issue.code === "invalid_key") return [{ path, message: issue.issues[0]?.message ?? "this name is not allowed" }];
    if (issue.code === "invalid_format") {
      return [{ path, message: `expected ${here?.description ?? `text that matches ${issue.pattern ?? issue.format}`}, got other text` }];
    }
    if (issue.code === "too_small" || issue.code === "too_big") return [{ path, message: outOfRange(issue, here) }];
    return [{ path, message: expected(here ? expectation(here) : "another value", value, here && choicesOf(here)) }];
  });
}

export function unknownKey(key: string, known: readonly string[]): string {
  const meant = didYouMean(key, known);
  if (meant !== undefined) return `unknown key; did you mean "${meant}"?`;
  return known.length === 0 ? "unknown key" : `unknown key; known here: ${known.join(", ")}`;
}

function expected(what: string, value: unknown, choices: readonly unknown[] = []): string {
  if (value === undefined) return `is missing: expected ${what}`;
  const words = choices.filter((choice) => typeof choice === "string");
  const meant = typeof value === "string" ? didYouMean(value, words) : undefined;
  if (meant !== undefined) return `expected ${what}; did you mean "${meant}"?`;
  return `expected ${what}, got ${kindOf(value)}`;
}

function outOfRange(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, schema: Schema | undefined): string {
  if (issue.code === "too_small" && Number(issue.minimum) === 1 && issue.origin !== "number" && issue.origin !== "int")
    return "must not be empty";
  const limit = issue.code === "too_small" ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
  switch (issue.origin) {
    case "string":
      return `expected ${limit} characters`;
    case "array":
    case "set":
      return `expected ${limit} entries`;
    default:
      return `expected ${schema ? expectation(schema) : `a number of ${limit}`}, got a ${issue.code === "too_small" ? "smaller" : "larger"} one`;
  }
}

/** What was found, without saying which. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date";
  switch (typeof value) {
    case "string":
      return value === "" ? "an empty string" : "a string";
    case "number":
      return Number.isInteger(value) ? "a whole number" : "a number with a fraction";
    case "boolean":
      return String(value);
    default:
      return "a table";
  }
}

function valueAt(root: unknown, path: KeyPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
