/**
 * `npm run soak -- [--hours H | --minutes M] [--seed S] [--sessions N]`: one agent as it is shipped, simulators at the far ends of real wires,
 * people who come and go, and faults on every device. What each journey said is held against paper, ledger, codes and cards; memory and files
 * must stay what they are. STATIOND_SOAK_RESULTS names a file for the figures. Ends early and whole on Ctrl-C.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { soak } from "./soak.js";
import { faultsIn, journeysOf, reportOf, tableOf } from "./table.js";

const { values } = parseArgs({
  options: { hours: { type: "string" }, minutes: { type: "string" }, seed: { type: "string" }, sessions: { type: "string" } },
});
const number = (given: string | undefined, fallback: number): number => {
  const found = given === undefined ? fallback : Number(given);
  if (Number.isFinite(found) && found >= 0) return found;
  process.stderr.write(`soak: ${given} is no number\n`);
  process.exit(2);
};
const minutes = values.hours === undefined ? number(values.minutes, 2) : number(values.hours, 2) * 60;
const stop = new AbortController();
process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());

const result = await soak({
  totalMs: minutes * 60_000,
  seed: number(values.seed, Date.now() % 1_000_000),
  sessions: number(values.sessions, 4),
  stop: stop.signal,
  progress: process.stdout.isTTY ? (line) => void process.stdout.write(`\r\u001b[K${line}`) : () => {},
  say: (text) => void process.stdout.write(`${process.stdout.isTTY ? "\r\u001b[K" : ""}${text}`),
});
const file = process.env.STATIOND_SOAK_RESULTS;
if (file) writeFileSync(file, `${JSON.stringify(reportOf(result), undefined, 2)}\n`);
const { book } = result;
process.stdout.write(`${process.stdout.isTTY ? "\r\u001b[K" : ""}\n${tableOf(result)}\n`);
process.stdout.write(`soak: ${journeysOf(book)} journeys, ${faultsIn(book)} faults, ${book.wrongs.length} wrong\n`);
process.exit(book.wrongs.length > 0 ? 1 : 0);
