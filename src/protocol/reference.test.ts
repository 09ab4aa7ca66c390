import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ERROR_KINDS } from "../kernel/errors.js";
import { examples } from "./examples.js";
import type { MethodDefinition } from "./method.js";
import { type MethodName, methods } from "./methods.js";
import { openRpcDocument } from "./openrpc.js";
import { protocolReference } from "./reference.js";

const names = Object.keys(methods) as MethodName[];
const committed = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), "utf8");
const REMEDY = "stale: run `npm run docs`";

describe("the documents", () => {
  it("are those of the schemas", () => {
    expect(committed("protocol.md") === protocolReference(), `docs/protocol.md is ${REMEDY}`).toBe(true);
    expect(committed("openrpc.json") === `${JSON.stringify(openRpcDocument(), null, 2)}\n`, `docs/openrpc.json is ${REMEDY}`).toBe(true);
  });

  it("hold every method and error, and only links that lead somewhere", () => {
    const reference = protocolReference();
    for (const name of names) expect(reference).toContain(`\n### ${name}\n`);
    for (const kind of Object.keys(ERROR_KINDS)) expect(reference).toContain(`| \`${kind}\` |`);
    const headings = new Set(
      [...reference.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
        heading
          .toLowerCase()
          .replaceAll(/[^a-z0-9 -]/g, "")
          .replaceAll(" ", "-"),
      ),
    );
    const broken = [...reference.matchAll(/\]\(#([^)]+)\)/g)].map(([, target = ""]) => target).filter((target) => !headings.has(target));
    expect(broken).toEqual([]);
  });

  it("refer in OpenRPC only to what the document holds", () => {
    const document = openRpcDocument() as { components: Record<string, Record<string, unknown>> };
    const text = JSON.stringify(document);
    for (const [, section = "", name = ""] of text.matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)) {
      expect(document.components[section]).toHaveProperty(name);
    }
    expect(text).not.toContain("$defs");
  });
});

describe("the examples", () => {
  it.each(names)("%s fits its schemas", (name) => {
    const method: MethodDefinition = methods[name];
    const { params, result } = examples[name];
    expect(method.params.safeParse(params).error).toBeUndefined();
    expect(method.result.safeParse(JSON.parse(JSON.stringify(result))).error).toBeUndefined();
  });

  it("show bytes that are the text", () => {
    const { text, base64 } = examples["barcodeScanner.scan"].result;
    expect(Buffer.from(base64, "base64").toString()).toBe(text);
  });
});
