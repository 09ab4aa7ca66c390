// `npm run -s bench -- NAME… | all [--json | --write]`: ours and the floor interleaved in one run, medians. `--write` puts the table and
// the machine into docs/performance.md.
import { readFileSync, writeFileSync } from "node:fs";
import { asJson, asMarkdown, asText, type BenchResult, machine } from "./report.js";

const DOCUMENT = "docs/performance.md";
const BLOCK = /(?<=<!-- bench all -->\n)[\s\S]*(?=<!-- end -->)/;

const benches: Record<string, () => Promise<BenchResult>> = {
  startup: async () => (await import("./startup.js")).startup(),
  rpc: async () => (await import("./rpc.js")).rpc(),
  flood: async () => (await import("./flood.js")).flood(),
  isolation: async () => (await import("./isolation.js")).isolation(),
  print: async () => (await import("./print.js")).print(),
  chip: async () => (await import("./chip.js")).chip(),
  pay: async () => (await import("./pay.js")).pay(),
  scan: async () => (await import("./scan.js")).scan(),
  camera: async () => (await import("./camera.js")).camera(),
};

const flags = new Set(process.argv.slice(2).filter((word) => word.startsWith("--")));
const names = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const whole = names.length === 0 || names[0] === "all";
const unknown = names.find((name) => name !== "all" && !Object.hasOwn(benches, name));
if (unknown !== undefined || (flags.has("--write") && !whole)) {
  process.stderr.write(
    unknown === undefined ? "--write is for all of them\n" : `no bench ${unknown}: there are ${Object.keys(benches).join(", ")}, all\n`,
  );
  process.exit(2);
}

const results: BenchResult[] = [];
for (const name of whole ? Object.keys(benches) : names) {
  const result = await (benches[name] as () => Promise<BenchResult>)();
  results.push(result);
  if (flags.has("--json")) process.stdout.write(`${asJson(result)}\n`);
  else process.stderr.write(`${name} done\n`);
}
if (!flags.has("--json")) process.stdout.write(asText(results));
if (flags.has("--write")) {
  const text = readFileSync(DOCUMENT, "utf8");
  writeFileSync(DOCUMENT, text.replace(BLOCK, `Measured on ${machine()}.\n\n${asMarkdown(results)}\n`));
}
