import { english, type Translate, translator } from "./translate.js";

export const LANGUAGES = ["en", "vi"] as const;
export type Language = (typeof LANGUAGES)[number];

/**
 * The language to speak: `--lang` of the command line, then STATIOND_LANG, then what POSIX says of messages (XBD 8.2: LC_ALL, LC_MESSAGES,
 * LANG; the first that is set and not empty). C, POSIX and what is not spoken here mean English.
 */
export function languageOf(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Language {
  const told = toldLanguage(args) || env.STATIOND_LANG || env.LC_ALL || env.LC_MESSAGES || env.LANG || "";
  // vi_VN.UTF-8@modifier
  const [language] = told.toLowerCase().split(/[_.@-]/);
  return LANGUAGES.find((known) => known === language) ?? "en";
}

/** The last one counts, as with every option. Before the command line is parsed, because help and its mistakes are said while it is parsed. */
function toldLanguage(args: readonly string[]): string | undefined {
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  return options
    .flatMap((arg, index) => {
      if (arg === "--lang") return options[index + 1] ?? [];
      return arg.startsWith("--lang=") ? arg.slice("--lang=".length) : [];
    })
    .at(-1);
}

/** Loads a catalogue only where it is spoken: a start in English does not pay for it. */
export async function speak(language: Language): Promise<Translate> {
  if (language === "en") return english;
  return translator((await import("./vi/index.js")).vietnamese);
}
