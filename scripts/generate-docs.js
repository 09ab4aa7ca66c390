// Writes the documents that come from the built schemas, and from the rows above the tests. With --check: only says whether they are current.
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const root = new URL("../", import.meta.url);
const built = new URL(`${process.env.STATIOND_DIST ?? "dist"}/src/`, root);
if (!existsSync(built)) {
  console.error("Nothing is built yet: run `npm run build` first.");
  process.exit(1);
}
const load = (module) => import(new URL(module, built).href);
const { openRpcDocument } = await load("protocol/openrpc.js");
const { protocolReference } = await load("protocol/reference.js");
const { configReference } = await load("config/reference.js");
const { simulatorReference } = await load("../simulators/reference.js");
const { faultsPage } = await load("../test/house/faults-page.js");

const documents = {
  "docs/protocol.md": protocolReference(),
  "docs/openrpc.json": `${JSON.stringify(openRpcDocument(), null, 2)}\n`,
  "docs/configuration.md": configReference(),
  "simulators/README.md": simulatorReference(),
  "docs/faults.md": faultsPage(),
};

const check = process.argv.includes("--check");
for (const [path, text] of Object.entries(documents)) {
  const file = new URL(path, root);
  if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
  if (check) {
    console.error(`${path} is stale: run \`npm run docs\` and commit the result.`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, text);
    console.log(`wrote ${path}`);
  }
}
