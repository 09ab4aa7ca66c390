import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAst } from "rolldown/parseAst";
import type { FaultRow } from "../support/fault.js";

/** A row with the test that it stands above. */
export interface Told extends FaultRow {
  readonly file: string;
  /** As vitest shows it: the groups around the test and its own title. */
  readonly title: string;
  /** The test's file without its rows: what they say has to be in there. */
  readonly source: string;
}

/** As much of a syntax tree as is looked at. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const FOLDERS = ["src", "simulators", "test"];
const CALL = /^\s*faultRow\(\{/m;

/** Every row that stands in a source, in the order of files and lines. Nothing is run. */
export function allFaults(): Told[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, name))
      .sort(),
  ).flatMap((file) => {
    const text = readFileSync(file, "utf8");
    return CALL.test(text) ? faultsOf(file, text) : [];
  });
}

/** The rows of one file. Throws where one stands above no test, or is not made of plain words. */
export function faultsOf(file: string, text: string): Told[] {
  const program = parseAst(text, { lang: "ts" }) as unknown as Node;
  const found: (FaultRow & { readonly title: string })[] = [];
  const calls: Node[] = [];
  const where = ({ start }: Node): string => `${file}:${text.slice(0, start).split("\n").length}`;

  const walk = (statements: readonly Node[], groups: readonly string[]): void => {
    let rows: FaultRow[] = [];
    for (const statement of statements) {
      for (const body of bodiesOf(statement)) walk(body, groups);
      const call = callOf(statement);
      if (!call) continue;
      const [first, ...rest] = call.arguments as readonly Node[];
      const name = nameOf(call);
      if (name === "faultRow" && first) {
        calls.push(statement);
        rows.push(literal(first, where) as FaultRow);
      } else if (/^(describe|it|test)$/.test(name) && first) {
        const path = [...groups, titleOf(first, text, program)];
        found.push(...rows.map((row) => ({ ...row, title: titled(path, row.case) })));
        rows = [];
        if (name === "describe") for (const argument of rest) walk(blockOf(argument), path);
      }
    }
    const [left] = rows;
    if (left) throw new RangeError(`${file}: “${left.fault}” stands above no test`);
  };
  walk(program.body as readonly Node[], []);
  const source = calls.reduceRight((left, { start, end }) => left.slice(0, start) + left.slice(end), text);
  return found.map((row) => ({ ...row, file, source }));
}

/** `it.skipIf(…).each(…)("…", …)` is a call of `it`. */
function nameOf({ callee }: Node): string {
  let node = callee as Node;
  for (;;) {
    if (node.type === "Identifier") return String(node.name);
    const inner = node.object ?? node.callee ?? node.tag;
    if (!inner) return "";
    node = inner as Node;
  }
}

function callOf({ type, expression }: Node): Node | undefined {
  const call = type === "ExpressionStatement" ? (expression as Node) : undefined;
  return call?.type === "CallExpression" ? call : undefined;
}

/** Tests also stand in functions that others call. */
function bodiesOf({ type, declaration, body }: Node): readonly (readonly Node[])[] {
  if (type === "ExportNamedDeclaration" && declaration) return bodiesOf(declaration as Node);
  return type === "FunctionDeclaration" ? [(body as { body: readonly Node[] }).body] : [];
}

function blockOf({ type, body }: Node): readonly Node[] {
  return /Function/.test(type) && (body as Node).type === "BlockStatement" ? ((body as Node).body as readonly Node[]) : [];
}

/** A literal; a template as it stands there; or the constant of the file that is named. */
function titleOf(node: Node, text: string, program: Node): string {
  if (node.type === "Literal") return String(node.value);
  if (node.type === "TemplateLiteral") return text.slice(node.start + 1, node.end - 1);
  const declared = (program.body as readonly Node[])
    .flatMap(({ declarations }) => (declarations ?? []) as readonly Node[])
    .find(({ id }) => (id as Node).name === node.name);
  if (!declared) throw new RangeError(`no title: ${text.slice(node.start, node.end)}`);
  return titleOf(declared.init as Node, text, program);
}

/** vitest puts a case where the placeholders stand. */
function titled(path: readonly string[], chosen: readonly string[] = []): string {
  const own = chosen.reduce((title, value) => title.replace(/%[a-z]|\$\w+/, () => value), path.at(-1) ?? "");
  return [...path.slice(0, -1), own]
    .filter((part) => part !== "")
    .join(" › ")
    .replaceAll("`", "'");
}

function literal(node: Node, where: (node: Node) => string): unknown {
  switch (node.type) {
    case "Literal":
      return node.value;
    case "ArrayExpression":
      return (node.elements as readonly Node[]).map((element) => literal(element, where));
    case "ObjectExpression":
      return Object.fromEntries(
        (node.properties as readonly Node[]).map(({ key, value }) => [(key as Node).name, literal(value as Node, where)]),
      );
    default:
      throw new RangeError(`${where(node)}: a row is made of plain words only`);
  }
}
