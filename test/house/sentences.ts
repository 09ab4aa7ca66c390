import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAst } from "rolldown/parseAst";

/** A sentence for people as it stands in the code, `{0}` for what is filled in. */
export interface Sentence {
  readonly place: string;
  readonly text: string;
  /** Asked for with its words apart; else it comes as a whole text, and is found by what it looks like. */
  readonly template: boolean;
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string; readonly start: number };
/** Undefined: a hole. */
type Piece = string | undefined;
type Constants = ReadonlyMap<string, Node | undefined>;

/** What an error, a finding of doctor or a job says to people. */
const SAID = new Set(["hint", "message", "finding", "why", "advice", "problem", "question"]);
/** Some of these are codes for programs: one word. */
const OFTEN_SAID = new Set(["reason", "meaning", "form"]);
/** Functions that put together what a problem of a configuration says. */
const SAYING = new Set([
  "unknownKey",
  "expected",
  "outOfRange",
  "kindOf",
  "expectation",
  "range",
  "unreadable",
  "problemOf",
  "damagedHint",
  "hintOf",
  "unknownDriver",
  "originProblem",
  "hostProblem",
]);
/** Names of commands of a chip, and what a test page's code says. */
const NAMES = /^(INSTRUCTIONS|TEST_CODE)$/;
/** Tables of sentences, for the rooms that speak to people only. */
const TABLE = /^[A-Z][A-Z_]+$/;
/** What programs read, what a page says in its own way, the demo, and what goes into files and documents. */
const ELSEWHERE =
  /^(protocol|languages|console|formats|observability)\/|^testing\.ts|(?:commands\/)?(demo|demo-bank|demo-page|exit-codes|completion-scripts|support-bundle-parts)\.ts/;
/** No conditional in one sentence makes more of it. */
const MOST_VARIANTS = 64;

/** Every sentence of src: hints, messages, doctor's findings, what `t` is asked for, and commander's descriptions. */
export function sentencesOf(folder: string): Sentence[] {
  const files = sourcesIn(folder);
  const saying = new Map(files.flatMap(({ nodes }) => [...sayingFunctions(nodes)]));
  return files.flatMap((file) => inFile(file, saying));
}

/** What a command prints without asking for it in the reader's language. */
export function untranslated(folder: string): string[] {
  return sourcesIn(folder).flatMap(({ file, code, nodes }) => {
    const constants = constantsOf(nodes);
    const printed = nodes.filter(({ type, callee }) => type === "CallExpression" && ["out", "note"].includes(nameOf(callee)));
    return printed.flatMap((node) =>
      variants((node.arguments as readonly unknown[])[0], constants)
        .map((pieces) => keyOf(pieces))
        .filter((text) => /\p{L}{2} \p{L}{2}/u.test(text))
        .map((text) => `${file}:${code.slice(0, node.start).split("\n").length}: ${text}`),
    );
  });
}

interface Parsed {
  readonly file: string;
  readonly code: string;
  readonly nodes: readonly Node[];
}

function sourcesIn(folder: string): Parsed[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !/\.test\.|\/testing\/|fixture|\/_template\//.test(name) && !ELSEWHERE.test(name))
    .map((name) => {
      const file = join(folder, name);
      const code = readFileSync(file, "utf8");
      return { file, code, nodes: [...walk(parseAst(code, { lang: "ts" }) as unknown)] };
    });
}

function inFile({ file, code, nodes }: Parsed, everywhere: ReadonlyMap<string, readonly string[]>): Sentence[] {
  const constants = constantsOf(nodes);
  const imported = nodes.flatMap(({ type, local }) => (type === "ImportSpecifier" ? [nameOf(local)] : []));
  const others = imported.flatMap((name) => [...everywhere].filter(([known]) => known === name));
  const saying = new Map([...others, ...sayingFunctions(nodes)]);
  const found: Sentence[] = [];
  const add = (node: unknown): void => {
    if (!isNode(node)) return;
    const place = `${file}:${code.slice(0, node.start).split("\n").length}`;
    const texts = variants(node, constants).map((pieces) => keyOf(pieces));
    found.push(...[...new Set(texts)].filter(hasWords).map((text) => ({ place, text, template: false })));
  };
  for (const node of nodes) {
    if (node.type === "TaggedTemplateExpression" && nameOf(node.tag) === "t") {
      // Its holes stay holes: what is in them is asked for by itself.
      const { quasis } = node.quasi as { readonly quasis: readonly { readonly value: { readonly cooked: string } }[] };
      const pieces = quasis.flatMap(({ value }, index): Piece[] => (index === 0 ? [value.cooked] : [undefined, value.cooked]));
      const place = `${file}:${code.slice(0, node.start).split("\n").length}`;
      if (/\p{L}/u.test(pieces.join(""))) found.push({ place, text: keyOf(pieces, false), template: true });
    } else for (const said of saidBy(node, saying, file)) add(said);
  }
  return found;
}

/** The expressions in a node that are said to people. */
function saidBy(node: Node, saying: ReadonlyMap<string, readonly string[]>, file: string): readonly unknown[] {
  const inCommands = file.startsWith("src/commands/");
  const codes = file.endsWith("/result-codes.ts");
  const speaks = inCommands || codes || file.startsWith("src/technician/");
  switch (node.type) {
    case "Property":
      if (speaks && nameOf(node.key) === "notes") return elementsOf(node.value);
      return isSaid(nameOf(node.key), node.value) || (codes && nameOf(node.key) === "text") ? [node.value] : [];
    case "VariableDeclarator":
      if (isSaid(nameOf(node.id), node.init)) return [node.init];
      return speaks && TABLE.test(nameOf(node.id)) && !NAMES.test(nameOf(node.id)) ? [...walk(node.init)].filter(isSentence) : [];
    case "FunctionDeclaration":
      return SAYING.has(nameOf(node.id))
        ? [...walk(node.body)].flatMap(({ type, argument }) => (type === "ReturnStatement" ? [argument] : []))
        : [];
    case "NewExpression": {
      const given = node.arguments as readonly unknown[];
      const name = nameOf(node.callee);
      if (name === "InvalidArgumentError") return given.slice(0, 1);
      return ["StationError", "Option", "Argument"].includes(name) ? given.slice(1, 2) : [];
    }
    case "CallExpression": {
      const given = node.arguments as readonly Node[];
      const name = nameOf(node.callee);
      if (name === "t") return given.slice(0, 1);
      if (name === "push" && isNode(node.callee) && nameOf(node.callee.object) === "notes") return given;
      if (file.startsWith("src/doctor/") && (name === "ok" || name === "skipped")) return given.slice(1, 2);
      if (inCommands && ["description", "summary", "error", "styleTitle"].includes(name)) return given.slice(0, 1);
      if (inCommands && ["option", "requiredOption", "argument", "version", "helpOption", "helpCommand"].includes(name)) {
        return given.slice(name === "version" ? 2 : 1, name === "version" ? 3 : 2);
      }
      if (name === "withExamples") return elementsOf(given[1]).map((example) => elementsOf(example)[1]);
      if (name === "formatTable") return elementsOf(given[0]);
      return (saying.get(name) ?? []).flatMap((said, index) => (isSaid(said, given[index]) ? [given[index]] : []));
    }
    default:
      return [];
  }
}

function constantsOf(nodes: readonly Node[]): Constants {
  const constants = new Map<string, Node | undefined>();
  for (const { type, id, init } of nodes) {
    if (type !== "VariableDeclarator" || !isNode(init)) continue;
    const name = nameOf(id);
    // Two of a name: which one is meant is not looked for.
    constants.set(name, constants.has(name) ? undefined : init);
  }
  return constants;
}

/** Functions of this file that take a hint or message, with the names of what they take. */
function sayingFunctions(nodes: readonly Node[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const node of nodes) {
    const made = node.type === "VariableDeclarator" && isNode(node.init) ? node.init : node;
    if (!Array.isArray(made.params) || !/Function/.test(made.type)) continue;
    found.set(nameOf(node.id), (made.params as readonly unknown[]).map(nameOf));
  }
  found.delete("");
  return found;
}

function variants(node: unknown, constants: Constants, seen: readonly string[] = []): Piece[][] {
  const hole: Piece[][] = [[undefined]];
  if (!isNode(node)) return hole;
  const of = (inner: unknown): Piece[][] => variants(inner, constants, seen);
  // A path or a name that has a name in the code is filled in; a part of the sentence is not.
  const within = (inner: unknown): Piece[][] => {
    const found = of(inner);
    const isName = isNode(inner) && inner.type === "Identifier";
    return isName && !found.flat().some((piece) => piece !== undefined && /\p{L}\s|\s\p{L}/u.test(piece)) ? hole : found;
  };
  switch (node.type) {
    case "Literal":
      return typeof node.value === "string" ? [[node.value]] : hole;
    case "TemplateLiteral": {
      const expressions = node.expressions as readonly Node[];
      const quasis = node.quasis as readonly { readonly value: { readonly cooked: string } }[];
      return product(
        quasis.flatMap(({ value }, index) => [[[value.cooked]], ...(index < expressions.length ? [within(expressions[index])] : [])]),
      );
    }
    case "ConditionalExpression":
      return [...of(node.consequent), ...of(node.alternate)];
    case "LogicalExpression":
      return [...of(node.left), ...of(node.right)];
    case "BinaryExpression":
      return node.operator === "+" ? product([of(node.left), of(node.right)]) : hole;
    case "TSAsExpression":
    case "TSSatisfiesExpression":
    case "TSNonNullExpression":
    case "ParenthesizedExpression":
    case "ChainExpression":
      return of(node.expression);
    case "Identifier": {
      const name = nameOf(node);
      const made = constants.get(name);
      return made === undefined || seen.includes(name) ? hole : variants(made, constants, [...seen, name]);
    }
    case "MemberExpression": {
      const table = node.computed === true ? constants.get(nameOf(node.object)) : undefined;
      const values = table === undefined ? [] : valuesOf(table);
      return values.length === 0 ? hole : values.flatMap(of);
    }
    default:
      return hole;
  }
}

/** Values of an object that is a table of texts. */
function valuesOf(table: Node): readonly Node[] {
  if (table.type === "TSAsExpression" || table.type === "TSSatisfiesExpression") return valuesOf(table.expression as Node);
  if (table.type !== "ObjectExpression") return [];
  return (table.properties as readonly Node[]).flatMap(({ value }) => (isNode(value) ? [value] : []));
}

function product(parts: readonly Piece[][][]): Piece[][] {
  let all: Piece[][] = [[]];
  for (const part of parts) all = all.flatMap((before) => part.map((piece) => [...before, ...piece])).slice(0, MOST_VARIANTS);
  return all;
}

/** As the catalogue has it: holes numbered, two that touch are one where `merged`, no blanks at the ends. */
function keyOf(pieces: readonly Piece[], merged = true): string {
  let text = "";
  let holes = 0;
  let open = false;
  for (const piece of pieces) {
    if (piece === "") continue;
    if (piece !== undefined) text += piece;
    else if (!(open && merged)) text += `{${holes++}}`;
    open = piece === undefined;
  }
  return text.trim();
}

function isSaid(name: string, node: unknown): boolean {
  return SAID.has(name) || (OFTEN_SAID.has(name) && [...walk(node)].some(isSentence));
}

/** A text of several words, or one that a table of words has. */
function isSentence(node: Node): boolean {
  return node.type === "TemplateLiteral" || (node.type === "Literal" && typeof node.value === "string" && /\S \p{L}/u.test(node.value));
}

function hasWords(text: string): boolean {
  return /\p{L}{2}/u.test(text.replaceAll(/\{\d+\}/g, ""));
}

function elementsOf(node: unknown): readonly unknown[] {
  return isNode(node) && Array.isArray(node.elements) ? (node.elements as readonly unknown[]) : [];
}

function nameOf(node: unknown): string {
  if (!isNode(node)) return "";
  if (node.type === "MemberExpression") return nameOf(node.property);
  if (node.type === "AssignmentPattern") return nameOf(node.left);
  return typeof node.name === "string" ? node.name : typeof node.value === "string" ? node.value : "";
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function* walk(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const entry of value) yield* walk(entry);
  else if (isNode(value)) {
    yield value;
    for (const inner of Object.values(value)) if (typeof inner === "object") yield* walk(inner);
  }
}
