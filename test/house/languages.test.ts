import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AT_A_TERMINAL } from "../../src/commands/command-hint.js";
import { ERROR_KINDS } from "../../src/kernel/errors.js";
import { translator } from "../../src/languages/translate.js";
import { vietnamese } from "../../src/languages/vi/index.js";
import { DEVICE_STATES } from "../../src/protocol/devices.js";
import { PRINT_STATES } from "../../src/protocol/jobs.js";
import { methods } from "../../src/protocol/methods.js";
import { PAYMENT_STATES } from "../../src/protocol/payment-terminal.js";
import { MODES } from "../../src/protocol/session.js";
import { type Sentence, sentencesOf, untranslated } from "./sentences.js";

/** Begins with a hole and says nearly nothing: looked for in a text it would be found in sentences that mean something else. */
const isTooShort = ({ text, template }: Sentence): boolean =>
  !template && text.startsWith("{0}") && text.replaceAll(/\{\d+\}/g, "").length < 9;

const spaced = (name: string): string => name.replaceAll("_", " ");
/** Words that are asked for by a value. A trace's stages are told by arrows. */
const WORDS: readonly string[] = [
  ...Object.keys(ERROR_KINDS).map(spaced),
  ...[...DEVICE_STATES, ...PRINT_STATES, ...PAYMENT_STATES, ...MODES],
  ...Object.values(methods).flatMap((method) => ("stages" in method ? method.stages.map(spaced) : [])),
  "paper near end",
  "works",
];
const UNSPOKEN = new Set(["agent", "device"]);

/** What commander says by itself. */
const OF_THE_LIBRARY = /^(error: |Allowed choices are |(Usage|Options|Arguments|Commands):$)/;

const found = sentencesOf("src");
const { templates, texts } = vietnamese;
const known: Readonly<Record<string, string>> = { ...texts, ...templates };
const holesOf = (text: string): string =>
  [...text.matchAll(/\{(\d+)!?\}/g)]
    .map(([, number]) => number)
    .sort()
    .join();

test("every sentence for people has a translation", () => {
  expect(found.length).toBeGreaterThan(1_400);
  const missing = found.filter((sentence) => !isTooShort(sentence) && !Object.hasOwn(sentence.template ? known : texts, sentence.text));
  expect(missing.map(({ place, text }) => `${place}: ${text}`)).toEqual([]);
  expect(WORDS.filter((word) => !Object.hasOwn(known, word) && !UNSPOKEN.has(word))).toEqual([]);
});

test("what the command says instead of a hint is said instead of one that there is", () => {
  const said = new Set(found.map(({ text }) => text));
  expect(Object.keys(AT_A_TERMINAL).filter((hint) => !said.has(hint))).toEqual([]);
});

test("a command prints nothing that it did not ask for in the reader's language", () => {
  expect(untranslated("src/commands")).toEqual([]);
});

test("every translation is of a sentence that there is", () => {
  const said = new Set([...found.filter((sentence) => !isTooShort(sentence)).map(({ text }) => text), ...WORDS]);
  expect(Object.keys(known).filter((text) => !said.has(text) && !OF_THE_LIBRARY.test(text))).toEqual([]);
});

test("a translation has the holes of its sentence, and is written as it is typed", () => {
  const wrong = Object.entries(known).filter(
    ([text, translation]) =>
      holesOf(text) !== holesOf(translation) || translation !== translation.normalize("NFC") || translation.trim() !== translation,
  );
  expect(wrong).toEqual([]);
});

test("each is found by a text that was made from it", () => {
  const t = translator(vietnamese);
  const lost = Object.entries(texts).flatMap(([text, translation]) => {
    const made = (sentence: string): string => sentence.replaceAll(/\{(\d+)!?\}/g, "Q$1q");
    const told = t(made(text));
    return told === made(translation) ? [] : [`${text} → ${told}`];
  });
  expect(lost).toEqual([]);
});

test("no sentence stands in two files of a catalogue", () => {
  const folder = "src/languages/vi";
  const keys = readdirSync(folder).flatMap((name) =>
    [...readFileSync(join(folder, name), "utf8").matchAll(/^ {2}(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(\w+)):/gm)].map(
      ([, quoted, single, bare]) => quoted ?? single ?? bare ?? "",
    ),
  );
  expect(keys.length).toBeGreaterThan(1_400);
  expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
});
