import fc from "fast-check";
import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { type KeyPath, keyPositions } from "./key-positions.js";

function place(text: string, ...path: (string | number)[]): string | undefined {
  const position = keyPositions(text)(path);
  return position && `${position.line}:${position.column}`;
}

describe("keyPositions", () => {
  it("finds keys of tables, dotted keys and quoted keys", () => {
    const text = ["top = 1 # not = this", "[a . b]", '  c.d = "x"', "[\"odd \\u0041 key\".'lit']", "z=1"].join("\n");
    expect(place(text, "top")).toBe("1:1");
    expect(place(text, "a", "b")).toBe("2:6");
    expect(place(text, "a", "b", "c")).toBe("3:3");
    expect(place(text, "a", "b", "c", "d")).toBe("3:5");
    expect(place(text, "odd A key", "lit", "z")).toBe("5:1");
  });

  it("finds keys of inline tables over several lines and entries of lists", () => {
    const text = ["link = { kind = 'tcp', # {", "  port = 'x', args = [1,", "   [2, { deep = 3 }] ] }", "next = 1"].join("\n");
    expect(place(text, "link", "port")).toBe("2:3");
    expect(place(text, "link", "args", 1)).toBe("3:4");
    expect(place(text, "link", "args", 1, 1, "deep")).toBe("3:10");
    expect(place(text, "next")).toBe("4:1");
  });

  it("counts lists of tables and means the last one by their name", () => {
    const text = ["[[server.tokens]]", "name = 1", "[[server.tokens]]", "name = 2", "[server.tokens.more]", "x = 1"].join("\n");
    expect(place(text, "server", "tokens", 0, "name")).toBe("2:1");
    expect(place(text, "server", "tokens", 1, "name")).toBe("4:1");
    expect(place(text, "server", "tokens", 1, "more", "x")).toBe("6:1");
  });

  it("is not misled by strings that look like keys", () => {
    const text = ['a = """', 'b = 1 \\"', '[c]"""""', "d = '''", "e = 1'''", 'f = "\\"#"', "g = 1"].join("\n");
    expect(place(text, "b")).toBeUndefined();
    expect(place(text, "c")).toBeUndefined();
    expect(place(text, "e")).toBeUndefined();
    expect(place(text, "g")).toBe("7:1");
  });

  it("answers with the nearest table above a key that is not there", () => {
    expect(place("[a]\n[a.b]\nc = 1", "a", "b", "missing", 3)).toBe("2:4");
    expect(place("", "a")).toBeUndefined();
  });

  it("finds every key of any document that the parser accepts", () => {
    const key = fc.constantFrom("a", "b", '"c d"', "'e.f'", '"\\t"');
    const value: fc.Arbitrary<string> = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom("1", "true", '"x = 1 # ]"', "'}'", '"""\n[x]\n"""', "1979-05-27 07:32:00", "-inf"),
        fc.array(tie("value"), { maxLength: 3 }).map((entries) => `[${entries.join(" ,\n# ]\n")}]`),
        fc
          .uniqueArray(fc.tuple(key, tie("value")), { maxLength: 3, selector: ([name]) => name })
          .map((entries) => `{${entries.map(([name, entry]) => `${name} = ${entry}`).join(", ")}}`),
      ),
    })).value as fc.Arbitrary<string>;
    const line = fc.oneof(
      fc.tuple(fc.array(key, { minLength: 1, maxLength: 2 }), value).map(([names, text]) => `${names.join(" . ")} = ${text}`),
      fc.array(key, { minLength: 1, maxLength: 2 }).map((names) => `[${names.join(".")}]`),
      key.map((name) => `[[${name}]] # [x]`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const text = lines.join("\n");
        let root: unknown;
        try {
          root = parse(text);
        } catch {
          return;
        }
        const find = keyPositions(text);
        for (const path of pathsOf(root)) {
          const position = find(path);
          const last = path.at(-1);
          const rest = text.split("\n")[(position?.line ?? 0) - 1]?.slice((position?.column ?? 0) - 1) ?? "";
          if (typeof last === "string") expect(rest.replace(/^(["']?)(\\t|[^"']*?)\1[\s\].=].*/s, "$2").replace("\\t", "\t")).toBe(last);
          else expect(position).toBeDefined();
        }
      }),
      { numRuns: 300 },
    );
  });

  it("never throws on any text", () => {
    const piece = fc.constantFrom("[", "]", "{", "}", "=", ".", ",", "'", '"', "\\", "\\U00ffffff", "#", "\n", "a", " ", '"""');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        keyPositions(pieces.join(""))(["a"]);
      }),
      { numRuns: 500 },
    );
    expect(() => keyPositions(`a = ${"[".repeat(10_000)}`)).not.toThrow();
  });
});

function pathsOf(value: unknown, path: KeyPath = []): KeyPath[] {
  if (typeof value !== "object" || value === null || value instanceof Date) return [];
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([step, inner]) => [[...path, step], ...pathsOf(inner, [...path, step])]);
}
