/**
 * Brings a clone to where it can run: packages installed, sources compiled. Both only when something changed.
 * Node builtins only, and no syntax newer than Node 16, so that an old Node gets as far as its one clear sentence.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OLDEST_NODE = [20, 19];
const SOURCES = ["src", "simulators", "test", "bench", "scripts/bundle.js", "tsconfig.json", "package-lock.json"];

/** One sentence for a person; anything else that is thrown is our fault. */
export class SetupFault extends Error {}

/** Installs and builds where needed, telling on stderr. @throws SetupFault */
export function setUp() {
  requireNode();
  install();
  build();
}

/** Runs `work`, turning a SetupFault into its sentence and exit code 1. */
export async function orSentence(work) {
  try {
    await work();
  } catch (thrown) {
    if (!(thrown instanceof SetupFault)) throw thrown;
    console.error(`stationd: ${thrown.message}`);
    process.exitCode = 1;
  }
}

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new SetupFault(
    `needs Node ${OLDEST_NODE.join(".")} or newer, this is ${process.versions.node}: install Node 24 from https://nodejs.org`,
  );
}

function install() {
  const lock = join(ROOT, "package-lock.json");
  const stamp = join(ROOT, "node_modules", ".stationd-installed");
  const wanted = hashOf([readFileSync(lock), readFileSync(join(ROOT, "package.json"))]);
  if (existsSync(stamp)) {
    if (readFileSync(stamp, "utf8") === wanted) return;
  } else if (installedByHand(lock)) {
    writeFileSync(stamp, wanted);
    return;
  }
  console.error("stationd: installing packages (npm ci) …");
  const npm = process.env.npm_execpath;
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=2000"];
  const { status, stderr, error } = /[.]c?js$/.test(npm || "") ? run(process.execPath, [npm].concat(args)) : run("npm", args);
  if (error) throw new SetupFault(`npm could not be started (${error.message}): install npm along with Node`);
  if (status !== 0) throw new SetupFault(`the packages could not be installed: ${complaint(stderr)}`);
  writeFileSync(stamp, wanted);
}

/** npm leaves its own record in node_modules as the last thing it does. */
function installedByHand(lock) {
  const record = join(ROOT, "node_modules", ".package-lock.json");
  return existsSync(record) && statSync(record).mtimeMs >= statSync(lock).mtimeMs;
}

function build() {
  const stamp = join(ROOT, "dist", ".built");
  const wanted = hashOf([process.versions.node].concat(SOURCES.reduce((all, place) => all.concat(fingerprints(join(ROOT, place))), [])));
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  console.error("stationd: building …");
  // Aside and then swapped: what is gone from the sources leaves no compiled ghost, and a running agent keeps its files until then.
  const fresh = join(ROOT, `dist-${process.pid}`);
  try {
    const { status, stdout, error } = run(process.execPath, [join(ROOT, "node_modules", "typescript", "bin", "tsc"), "--outDir", fresh]);
    if (error) throw new SetupFault(`the compiler could not be started: ${error.message}`);
    if (status !== 0) {
      process.stderr.write(stdout);
      throw new SetupFault("the build failed, the compiler's words are above: a fresh clone of a released version builds");
    }
    const bundled = run(process.execPath, [join(ROOT, "scripts", "bundle.js"), fresh]);
    if (bundled.status !== 0) {
      process.stderr.write(bundled.stderr || "");
      throw new SetupFault("the build failed, the bundler's words are above: a fresh clone of a released version builds");
    }
    writeFileSync(join(fresh, ".built"), wanted);
    rmSync(join(ROOT, "dist"), { recursive: true, force: true });
    renameSync(fresh, join(ROOT, "dist"));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function run(command, args) {
  return spawnSync(command, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}

/** What npm complains of first, without its prefix, its codes and its stack. */
function complaint(stderr) {
  const lines = stderr.split("\n").map((line) => line.replace(/^npm (error|ERR!) ?/, "").trim());
  return lines.find((line) => line && !/^(npm warn|code|errno|syscall|path|dest|at) /.test(line)) || "npm gave no reason";
}

function fingerprints(place) {
  const facts = statSync(place);
  if (!facts.isDirectory()) return [`${relative(ROOT, place)} ${facts.size} ${facts.mtimeMs}`];
  return readdirSync(place)
    .sort()
    .reduce((all, name) => all.concat(fingerprints(join(place, name))), []);
}

function hashOf(parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\n");
  return hash.digest("hex");
}
