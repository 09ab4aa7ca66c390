/**
 * `npm run lab -- [--only DEVICE,…] [--cycles N] [--write-figures]`: the agent as it is shipped, on a kernel of its own, with devices that come
 * and go. Debian, as root. Leaves in `lab-results/` (or `$STATIOND_LAB_RESULTS`) the table, the agent's log, the guest's console and pictures;
 * with `--write-figures` the times of the rows that went well are those of docs/faults.md from then on.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writeFigures } from "../support/measured.js";
import { boot } from "./boot.js";
import { prepare } from "./packages.js";
import { faultsOf, type Row, tableOf, wantedRows } from "./rows.js";

const { values } = parseArgs({
  options: { only: { type: "string" }, cycles: { type: "string" }, "write-figures": { type: "boolean", default: false } },
});
const project = resolve(fileURLToPath(new URL("../../..", import.meta.url)));
const dist = resolve(fileURLToPath(new URL("../..", import.meta.url)));
const cache = process.env.STATIOND_LAB_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "stationd-lab");
const results = resolve(process.env.STATIOND_LAB_RESULTS ?? join(project, "lab-results"));
const limitMs = values.cycles === undefined ? 425_000 : 60_000 + Number(values.cycles) * 60_000;
/** What a healthy kernel does not say. */
const KERNEL_FAULT = /kernel BUG|BUG:|Oops|WARNING: CPU|Call Trace|Kernel panic/;

const text = (name: string): string => (existsSync(join(results, name)) ? readFileSync(join(results, name), "utf8") : "");

const scratch = mkdtempSync(join(tmpdir(), "stationd-lab-"));
const faults: string[] = [];
const began = performance.now();
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
try {
  const kernel = prepare(cache);
  await boot({ kernel, project, dist, results, scratch, args: process.argv.slice(2).filter((arg) => arg !== "--write-figures"), limitMs });
} catch (thrown) {
  faults.push(thrown instanceof Error ? thrown.message : String(thrown));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

const rows = text("rows.jsonl")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line) as Row);
faults.push(...faultsOf(rows, wantedRows(values)));
if (text("end") === "") faults.push("the guest's program never reported its end: see lab.log and start.log");
const said = KERNEL_FAULT.exec(text("console.log"));
if (said) faults.push(`the kernel said “${said[0]}”: see console.log`);

if (values["write-figures"]) {
  const timed = rows.filter(({ ok, goneMs, backMs }) => ok && (goneMs ?? backMs) !== undefined);
  writeFigures(
    Object.fromEntries(timed.map(({ device, action, goneMs, backMs }) => [`lab: ${device}, ${action}`, { seenMs: goneMs, backMs }])),
  );
}

const summary = `${rows.length} rows, ${faults.length} faults, ${Math.round((performance.now() - began) / 1_000)} s`;
const report = [tableOf(rows), ...faults.map((fault) => `✗ ${fault}\n`), `${summary}\n`].join("\n");
writeFileSync(join(results, "table.txt"), report);
process.stdout.write(report);
process.exitCode = faults.length > 0 ? 1 : 0;
