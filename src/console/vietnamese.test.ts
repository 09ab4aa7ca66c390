import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { vietnamese } from "../languages/vi/index.js";
import { pageInVietnamese } from "./vietnamese.js";

/** What `t` is asked for in a source, `{0}` for what is filled in. */
function asked(code: string): string[] {
  return [...code.matchAll(/(?<![\w.])t`/g)].map(({ 0: mark, index }) => {
    let [at, text, holes] = [index + mark.length, "", 0];
    while (code[at] !== "`") {
      if (!code.startsWith("${", at)) text += code[at++];
      else {
        text += `{${holes++}}`;
        let depth = 1;
        for (at += 2; depth > 0; at++) depth += code[at] === "{" ? 1 : code[at] === "}" ? -1 : 0;
      }
    }
    return text;
  });
}

const folder = "src/console";
const files = readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.includes(".test."));
const sentences = new Set(files.flatMap((name) => asked(readFileSync(`${folder}/${name}`, "utf8"))));
const holes = (text: string): string => [...text.matchAll(/\{\d+\}/g)].sort().join();

it("the page says everything in Vietnamese, with what is filled in, and nothing that it does not say", () => {
  expect(sentences.size).toBeGreaterThan(140);
  const shared = { ...vietnamese.templates, ...vietnamese.texts };
  const known: Readonly<Record<string, string>> = { ...shared, ...pageInVietnamese };
  expect([...sentences].filter((sentence) => !Object.hasOwn(known, sentence))).toEqual([]);
  expect([...sentences].filter((sentence) => holes(sentence) !== holes(known[sentence] ?? ""))).toEqual([]);
  expect(Object.keys(pageInVietnamese).filter((sentence) => !sentences.has(sentence))).toEqual([]);
  expect(Object.values(pageInVietnamese).filter((text) => text !== text.normalize("NFC"))).toEqual([]);
});
