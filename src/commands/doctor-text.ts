import type { Finding, Verdict } from "../doctor/finding.js";
import { wrap } from "./table.js";
import { type Colour, paint, plain, type Terminal } from "./terminal.js";

const MARKS: Readonly<Record<Verdict, readonly [mark: string, colour: Colour]>> = {
  failure: ["✗", "red"],
  warning: ["!", "yellow"],
  ok: ["✓", "green"],
  skipped: ["-", "grey"],
};

/** What is wrong comes last, next to the prompt; a command stands whole, to be copied. */
export function doctorText(findings: readonly Finding[], terminal: Pick<Terminal, "columns" | "colour">): string {
  const order: readonly Verdict[] = ["skipped", "ok", "warning", "failure"];
  const sorted = order.flatMap((verdict) => findings.filter((finding) => finding.verdict === verdict));
  const rooted = sorted.some(({ mend }) => mend !== undefined);
  return [
    ...sorted.map((finding) => findingText(finding, terminal)),
    `\n${summary(findings)}\n`,
    rooted ? "The commands after $ are for root's shell (sudo -i), from the top down.\n" : "",
  ].join("");
}

function findingText({ verdict, finding, why, mend, advice }: Finding, { columns, colour }: Pick<Terminal, "columns" | "colour">): string {
  const [mark, hue] = MARKS[verdict];
  const block = (text: string, first: string, rest: string): string =>
    wrap(plain(text), columns - 4)
      .map((line, index) => `${index === 0 ? first : rest}${line}\n`)
      .join("");
  return [
    block(finding, `${paint(mark, hue, colour)} `, "  "),
    why === undefined ? "" : block(why, "    ", "    "),
    mend === undefined ? "" : `    $ ${paint(plain(mend).replaceAll(" && ", " &&\n      "), "cyan", colour)}\n`,
    advice === undefined ? "" : block(advice, "  → ", "    "),
  ].join("");
}

function summary(findings: readonly Finding[]): string {
  const count = (verdict: Verdict): number => findings.filter((finding) => finding.verdict === verdict).length;
  const words = (number: number, one: string): string => `${number} ${one}${number === 1 ? "" : "s"}`;
  return `${words(count("failure"), "failure")}, ${words(count("warning"), "warning")}, ${count("ok")} good, ${count("skipped")} not looked at`;
}
