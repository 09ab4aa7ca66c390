/** English with `{0}`, `{1}` … for what is filled in → the same in another language; `{0!}` there: what is filled in is a sentence, too. */
export type Sentences = Readonly<Record<string, string>>;

export interface Catalogue {
  /** What the command says itself, asked for by its words: what is as short as `{0} at {1}` must not be looked for in other texts. */
  readonly templates: Sentences;
  /** What comes as a text. */
  readonly texts: Sentences;
}

/**
 * What is said to people, in their language. As a tag of a template it finds the sentence by its words around the holes; called with
 * a text it finds the sentence that the text was made from: errors, hints and findings come in English, some over the wire.
 * What the catalogue does not know stays English.
 */
export interface Translate {
  (words: TemplateStringsArray, ...values: readonly (string | number)[]): string;
  (text: string): string;
}

/** The language of the code itself: nothing is looked up. */
export const english: Translate = (said: string | TemplateStringsArray, ...values: readonly (string | number)[]) =>
  typeof said === "string" ? said : said.map((part, index) => (index === 0 ? part : `${values[index - 1]}${part}`)).join("");

/** Longer texts are no sentences of ours; nor is a hole so long. They stay as they are. */
const MOST_CHARACTERS = 2_000;
const MOST_IN_A_HOLE = 400;

/** A catalogue's sentence with holes, ready to be found in a text. */
interface Pattern {
  readonly parts: readonly string[];
  /** Letters outside the holes: of two that fit, the one that says more is meant. */
  readonly weight: number;
  readonly translation: string;
}

export function translator(catalogue: Catalogue): Translate {
  const texts = new Map(Object.entries(catalogue.texts));
  const sentences = new Map([...texts, ...Object.entries(catalogue.templates)]);
  let patterns: ReadonlyMap<string, readonly Pattern[]> | undefined;

  const ofTemplate = (words: TemplateStringsArray, values: readonly (string | number)[]): string => {
    const [before, key, after] = trimmed(words.map((part, index) => (index === 0 ? part : `{${index - 1}}${part}`)).join(""));
    const found = sentences.get(key);
    return found === undefined ? english(words, ...values) : `${before}${filled(found, values, ofText)}${after}`;
  };

  /** Undefined: no sentence of the catalogue. */
  const known = (said: string): string | undefined => {
    const found = sentences.get(said);
    if (found !== undefined) return found;
    patterns ??= patternsOf(texts);
    let best: { readonly pattern: Pattern; readonly values: readonly string[] } | undefined;
    // By their first word, and those that begin with a hole.
    const word = firstWord(said);
    for (const pattern of [...(word === "" ? [] : (patterns.get(word) ?? [])), ...(patterns.get("") ?? [])]) {
      if (best && best.pattern.weight >= pattern.weight) continue;
      const values = valuesIn(said, pattern.parts);
      if (values) best = { pattern, values };
    }
    return best && filled(best.pattern.translation, best.values, ofText);
  };

  const ofText = (text: string): string => {
    if (text.length > MOST_CHARACTERS) return text;
    const [before, said, after] = trimmed(text);
    const whole = known(said);
    if (whole !== undefined) return `${before}${whole}${after}`;
    // Who says it, and a code, may stand around a sentence: `pcsc ACS: the reader is gone (UnknownReader)`.
    const [, who = "", inner = said, code = ""] = /^([^:]{1,200}: )?(.*?)( \([^()]{1,60}\))?$/s.exec(said) ?? [];
    for (const [head, sentence, tail] of [
      [who, `${inner}${code}`, ""],
      ["", `${who}${inner}`, code],
      [who, inner, code],
    ] as const) {
      const found = sentence === said ? undefined : known(sentence);
      if (found !== undefined) return `${before}${head}${found}${tail}${after}`;
    }
    return text;
  };

  return (said: string | TemplateStringsArray, ...values: readonly (string | number)[]) =>
    typeof said === "string" ? ofText(said) : ofTemplate(said, values);
}

/** White space around a sentence belongs to where it stands. */
function trimmed(text: string): readonly [before: string, inner: string, after: string] {
  const inner = text.trim();
  const from = text.length - text.trimStart().length;
  return [text.slice(0, from), inner, text.slice(from + inner.length)];
}

/** A value that looks like a hole is a value: nothing is filled into it. */
function filled(translation: string, values: readonly (string | number)[], say: (text: string) => string): string {
  return translation
    .split(/\{(\d+!?)\}/)
    .map((part, index) => {
      if (index % 2 === 0) return part;
      const value = String(values[Number.parseInt(part, 10)] ?? "");
      return part.endsWith("!") ? say(value) : value;
    })
    .join("");
}

/** Up to the first blank; empty where that is within a hole, or nowhere. */
function firstWord(text: string): string {
  return text.slice(0, Math.max(0, text.indexOf(" ")));
}

function patternsOf(sentences: ReadonlyMap<string, string>): ReadonlyMap<string, readonly Pattern[]> {
  const found = new Map<string, Pattern[]>();
  for (const [sentence, translation] of sentences) {
    const parts = sentence.split(/\{\d+\}/);
    if (parts.length === 1) continue;
    const word = firstWord(parts[0] ?? "");
    const pattern = { parts, weight: parts.join("").length, translation };
    found.set(word, [...(found.get(word) ?? []), pattern]);
  }
  return found;
}

/**
 * What stands in the holes where the text is made of the parts, each as early as it can be: linear in the text, whatever it holds.
 * @returns undefined where it does not fit, or a hole would be empty or too long
 */
function valuesIn(text: string, parts: readonly string[]): readonly string[] | undefined {
  const [first = "", ...rest] = parts;
  if (!text.startsWith(first)) return undefined;
  const values: string[] = [];
  let at = first.length;
  for (const [index, part] of rest.entries()) {
    // The last one ends the text; an empty one takes all that is left.
    const found = index === rest.length - 1 ? text.length - part.length : text.indexOf(part, at + 1);
    if (found <= at || found - at > MOST_IN_A_HOLE || !text.startsWith(part, found)) return undefined;
    values.push(text.slice(at, found));
    at = found + part.length;
  }
  return values;
}
