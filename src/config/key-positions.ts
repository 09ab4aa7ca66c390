/** One step per table key or list index: `["devices", "receipt", "link", "port"]`, `["server", "tokens", 0, "role"]`. */
export type KeyPath = readonly (string | number)[];

/** Both count from 1, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where the key at `path` is written, or else the nearest table above it that is. Undefined: nothing of it is in the text. */
export type FindKey = (path: KeyPath) => Position | undefined;

const BLANK = new Set([" ", "\t"]);
const VOID = new Set([" ", "\t", "\r", "\n"]);
/** Deeper values are refused by the TOML parser before anybody asks for a position. */
const MAX_DEPTH = 64;

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  e: "\u001b",
  '"': '"',
  "\\": "\\",
};

/**
 * Finds where each key stands in a TOML text. The TOML parser tells positions of syntax errors only, so
 * this reads the text once more, just closely enough to know keys from values. It is meant for text that the
 * parser has accepted; on any other it ends early and never throws.
 */
export function keyPositions(text: string): FindKey {
  const offsets = new Map<string, number>();
  const listLengths = new Map<string, number>();
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;

  const id = (path: KeyPath): string => JSON.stringify(path);
  const note = (path: KeyPath, offset: number): void => {
    if (!offsets.has(id(path))) offsets.set(id(path), offset);
  };
  const skip = (what: ReadonlySet<string>): void => {
    while (at < text.length && what.has(text.charAt(at))) at++;
  };
  const skipLine = (): void => {
    while (at < text.length && text.charAt(at) !== "\n") at++;
  };
  const skipVoidAndComments = (): void => {
    for (skip(VOID); text.charAt(at) === "#"; skip(VOID)) skipLine();
  };

  const quoted = (): string => {
    const quote = text.charAt(at);
    const long = text.startsWith(quote.repeat(3), at);
    at += long ? 3 : 1;
    let value = "";
    while (at < text.length) {
      if (long ? text.startsWith(quote.repeat(3), at) : text.charAt(at) === quote) {
        at += long ? 3 : 1;
        // A long string may end in up to two quotes of its own: """a"""""
        while (long && text.charAt(at) === quote) at++;
        break;
      }
      if (quote === '"' && text.charAt(at) === "\\") {
        const code = /^\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U00([0-9a-f]{6}))/i.exec(text.slice(at, at + 10));
        const point = code ? Number.parseInt(code[1] ?? code[2] ?? code[3] ?? "", 16) : undefined;
        if (code && point !== undefined && point <= 0x10ffff) {
          value += String.fromCodePoint(point);
          at += code[0].length;
        } else {
          value += ESCAPES[text.charAt(at + 1)] ?? "";
          at += 2;
        }
        continue;
      }
      value += text.charAt(at++);
    }
    return value;
  };

  /** `a.b."c d"` with the offset of each part. */
  const dottedKey = (): { name: string; offset: number }[] => {
    const parts: { name: string; offset: number }[] = [];
    for (;;) {
      skip(BLANK);
      const offset = at;
      if (text.charAt(at) === '"' || text.charAt(at) === "'") parts.push({ name: quoted(), offset });
      else {
        while (at < text.length && /[A-Za-z0-9_-]/.test(text.charAt(at))) at++;
        if (at === offset) return parts;
        parts.push({ name: text.slice(offset, at), offset });
      }
      skip(BLANK);
      if (text.charAt(at) !== ".") return parts;
      at++;
    }
  };

  const noteKey = (base: KeyPath, parts: readonly { name: string; offset: number }[]): KeyPath => {
    let path = base;
    for (const { name, offset } of parts) {
      path = [...path, name];
      note(path, offset);
    }
    return path;
  };

  const value = (path: KeyPath, depth: number): void => {
    const first = text.charAt(at);
    if (depth > MAX_DEPTH) at = text.length;
    else if (first === '"' || first === "'") quoted();
    else if (first === "[") list(path, depth);
    else if (first === "{") inlineTable(path, depth);
    else while (at < text.length && !/[,\]}#\r\n]/.test(text.charAt(at))) at++;
  };

  const list = (path: KeyPath, depth: number): void => {
    at++;
    for (let index = 0; at < text.length; index++) {
      skipVoidAndComments();
      if (text.charAt(at) !== "]") {
        note([...path, index], at);
        value([...path, index], depth + 1);
        skipVoidAndComments();
      }
      if (text.charAt(at++) !== ",") return;
    }
  };

  const inlineTable = (path: KeyPath, depth: number): void => {
    at++;
    while (at < text.length) {
      skipVoidAndComments();
      if (text.charAt(at) !== "}") {
        keyAndValue(path, depth + 1);
        skipVoidAndComments();
      }
      if (text.charAt(at++) !== ",") return;
    }
  };

  const keyAndValue = (base: KeyPath, depth: number): void => {
    const path = noteKey(base, dottedKey());
    skip(BLANK);
    if (text.charAt(at) !== "=") return;
    at++;
    skip(BLANK);
    value(path, depth);
  };

  /** `[a.b]` or `[[a.b]]`; a name that is a list means its last entry, as in the TOML specification, "Array of Tables". */
  const header = (): KeyPath => {
    const isList = text.startsWith("[[", at);
    at += isList ? 2 : 1;
    const parts = dottedKey();
    let path: KeyPath = [];
    parts.forEach(({ name, offset }, index) => {
      path = [...path, name];
      note(path, offset);
      const length = listLengths.get(id(path)) ?? 0;
      if (isList && index === parts.length - 1) {
        listLengths.set(id(path), length + 1);
        path = [...path, length];
        note(path, offset);
      } else if (length > 0) path = [...path, length - 1];
    });
    return path;
  };

  let table: KeyPath = [];
  while (at < text.length) {
    skipVoidAndComments();
    if (text.charAt(at) === "[") table = header();
    else keyAndValue(table, 0);
    skipLine();
  }

  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const offset = offsets.get(id(path.slice(0, length)));
      if (offset !== undefined) return positionAt(text, offset);
    }
    return undefined;
  };
}

/** Line and column of an offset in UTF-16 units. */
function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}
