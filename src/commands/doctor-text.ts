import type { Finding, Verdict } from "../doctor/finding.js";
import type { Translate } from "../languages/translate.js";
import { commandHint } from "./command-hint.js";
import { wrap } from "./table.js";
import { type Colour, paint, plain, type Terminal } from "./terminal.js";

const MARKS: Readonly<Record<Verdict, readonly [mark: string, colour: Colour]>> = {
  failure: ["✗", "red"],
  warning: ["!", "yellow"],
  ok: ["✓", "green"],
  skipped: ["-", "grey"],
};

/** What is wrong comes last, next to the prompt; a command stands whole, to be copied. */
export function doctorText(findings: readonly Finding[], terminal: Pick<Terminal, "columns" | "colour" | "t">): string {
  const { t } = terminal;
  const order: readonly Verdict[] = ["skipped", "ok", "warning", "failure"];
  const sorted = order.flatMap((verdict) => findings.filter((finding) => finding.verdict === verdict));
  const rooted = sorted.some(({ mend }) => mend !== undefined);
  return [
    ...sorted.map((finding) => findingText(finding, terminal)),
    `\n${summary(findings, t)}\n`,
    rooted ? t`The commands after $ are for root's shell (sudo -i), from the top down.\n` : "",
  ].join("");
}

function findingText(
  { verdict, finding, why, mend, advice }: Finding,
  { columns, colour, t }: Pick<Terminal, "columns" | "colour" | "t">,
): string {
  const [mark, hue] = MARKS[verdict];
  const block = (text: string, first: string, rest: string): string =>
    wrap(plain(commandHint(text, t)), columns - 4)
      .map((line, index) => `${index === 0 ? first : rest}${line}\n`)
      .join("");
  return [
    block(finding, `${paint(mark, hue, colour)} `, "  "),
    why === undefined ? "" : block(why, "    ", "    "),
    mend === undefined ? "" : `    $ ${paint(plain(mend).replaceAll(" && ", " &&\n      "), "cyan", colour)}\n`,
    advice === undefined ? "" : block(advice, "  → ", "    "),
  ].join("");
}

function summary(findings: readonly Finding[], t: Translate): string {
  const count = (verdict: Verdict): number => findings.filter((finding) => finding.verdict === verdict).length;
  const [failures, warnings] = [count("failure"), count("warning")];
  return [
    failures === 1 ? t`1 failure` : t`${failures} failures`,
    warnings === 1 ? t`1 warning` : t`${warnings} warnings`,
    t`${count("ok")} good`,
    t`${count("skipped")} not looked at`,
  ].join(", ");
}
