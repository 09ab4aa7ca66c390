import type { HelpConfiguration } from "commander";
import type { Translate } from "../languages/translate.js";

/** Help in the reader's language. Commander hands each text to its style before it is wrapped: there it is said. */
export function helpIn(t: Translate): HelpConfiguration {
  const said = (text: string): string => t(text);
  const described = (text: string): string => describedIn(text, t);
  return {
    styleTitle: said,
    styleDescriptionText: said,
    styleCommandDescription: said,
    styleSubcommandDescription: said,
    styleArgumentDescription: described,
    styleOptionDescription: described,
  };
}

/** Commander has put choices and default behind the words: `glass or feeder (choices: "auto", "glass", default: "auto")`. */
function describedIn(text: string, t: Translate): string {
  const at = text.search(/\((?:choices|default): .*\)$/s);
  if (at < 0) return t(text);
  const facts = text
    .slice(at)
    .replace(/^\(choices: /, () => `(${t("choices:")} `)
    .replace(/(^\(|, )default: /, (_, before) => `${before}${t("default:")} `);
  return `${t(text.slice(0, at))}${facts}`;
}
