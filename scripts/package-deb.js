/**
 * `npm run package:deb`: makes `dist-package/stationd_VERSION_amd64.deb`, with a Node of its own and the production dependencies.
 * Twice from the same sources it is the same, byte by byte: owners, modes, order and times are told here (SOURCE_DATE_EPOCH, else
 * that of the last commit). `--out DIR`, `--dist DIR` (compiled and bundled already), `--version VERSION`, `--fast` (hardly compressed).
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { orSentence, ROOT, SetupFault, setUp } from "./setup.js";

const DEBIAN = join(ROOT, "systemd", "debian");
/** Of dependencies: what no running agent reads. */
const LEFT_OUT = /\.(map|[cm]?ts|c|cc|cpp|h|hpp|gypi?|target\.mk)$|(^|\/)\.(package-lock\.json|bin)$/;

orSentence(async () => {
  const options = { out: { type: "string" }, dist: { type: "string" }, version: { type: "string" }, fast: { type: "boolean" } };
  const { values } = parseArgs({ options });
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new SetupFault("the Debian package is made on Linux on x64, for the same");
  if (!values.dist) setUp();
  const work = mkdtempSync(join(tmpdir(), "stationd-deb-"));
  try {
    const file = await build(work, { dist: join(ROOT, "dist"), out: join(ROOT, "dist-package"), ...values });
    console.log(`${file}: ${megabytes(statSync(file).size)}, installed ${megabytes(treeSize(join(work, "tree")))}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});

async function build(work, { dist, out, version, fast }) {
  const [stage, tree] = [join(work, "stage"), join(work, "tree")];
  const { HOME, PLACES } = await import(pathToFileURL(resolve(dist, "src", "install", "places.js")).href);
  const home = join(tree, HOME);
  const description = stagePackage(stage, resolve(dist), version);
  for (const name of packedFiles(stage)) copy(join(stage, name), join(home, name));
  cpSync(join(stage, "node_modules"), join(home, "node_modules"), { recursive: true, filter: (path) => wanted(relative(stage, path)) });
  addNode(work, join(home, "node"));
  for (const { file, to, mode } of PLACES) {
    copy(join(ROOT, "systemd", file), join(tree, to));
    chmodSync(join(tree, to), mode);
  }
  copy(join(DEBIAN, "copyright"), join(tree, "usr/share/doc/stationd/copyright"));

  // 1.0.0-rc.1 comes before 1.0.0, which Debian writes as 1.0.0~rc.1.
  const debian = description.version.replace("-", "~");
  const control = join(tree, "DEBIAN");
  mkdirSync(control);
  const facts = `Version: ${debian}\nInstalled-Size: ${Math.ceil(treeSize(tree) / 1024)}\n`;
  writeFileSync(join(control, "control"), readFileSync(join(DEBIAN, "control"), "utf8").replace(/^(Architecture: )/m, `${facts}$1`));
  writeFileSync(join(control, "md5sums"), md5sums(tree));
  for (const script of ["postinst", "prerm", "postrm"]) {
    copy(join(DEBIAN, script), join(control, script));
    chmodSync(join(control, script), 0o755);
  }

  const epoch = sourceDate();
  makeEqual(tree, epoch);
  mkdirSync(out, { recursive: true });
  const file = join(resolve(out), `stationd_${debian}_amd64.deb`);
  // The number of threads changes what xz makes: always the same.
  const compression = fast ? ["-Zgzip", "-z1"] : ["-Zxz", "--threads-max=2"];
  run("dpkg-deb", ["--root-owner-group", ...compression, "--build", tree, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
  });
  return file;
}

/** The package as it is released, with production dependencies as the lock pins them. No install script runs. */
function stagePackage(stage, dist, version) {
  const description = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const ours = description.files.filter((entry) => !/^!|^dist\//.test(entry));
  for (const name of [...ours, "LICENSE", "README.md", "package-lock.json", ".npmrc", "vendor"]) {
    cpSync(join(ROOT, name), join(stage, name), { recursive: true });
  }
  cpSync(dist, join(stage, "dist"), { recursive: true });
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
  run("npm", ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"], { cwd: stage });
  if (version !== undefined) description.version = version;
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
  return description;
}

/** What npm would pack, without the dependencies. */
function packedFiles(stage) {
  const [{ files }] = JSON.parse(run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=error"], { cwd: stage }));
  return files.map(({ path }) => path).filter((path) => !path.startsWith("node_modules/"));
}

/** Binaries for other machines stay behind, and what only compilers read. */
function wanted(path) {
  const platform = /\/prebuilds\/(?:HID(?:_hidraw)?-)?([^/]+)/.exec(path)?.[1];
  if (platform !== undefined && platform !== "linux-x64") return false;
  return !LEFT_OUT.test(path) && !path.endsWith(".musl.node");
}

/** The pinned Node, out of npm's registry. @throws SetupFault where it is not the one that was pinned */
function addNode(work, folder) {
  const pin = JSON.parse(readFileSync(join(DEBIAN, "node.json"), "utf8"));
  const fetched = run("npm", ["pack", `${pin.package}@${pin.version}`, "--json", "--pack-destination", work, "--loglevel=error"], {
    cwd: work,
  });
  const archive = join(work, JSON.parse(fetched)[0].filename);
  const integrity = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (integrity !== pin.integrity) {
    throw new SetupFault(`${pin.package}@${pin.version} is not what systemd/debian/node.json pins: got ${integrity}`);
  }
  mkdirSync(folder, { recursive: true });
  run("tar", ["-xzf", archive, "-C", folder, "--strip-components=1", "package/bin/node", "package/LICENSE"]);
}

function md5sums(tree) {
  return filesOf(tree)
    .map((path) => relative(tree, path))
    .filter((path) => !path.startsWith("DEBIAN/"))
    .sort()
    .map(
      (path) =>
        `${createHash("md5")
          .update(readFileSync(join(tree, path)))
          .digest("hex")}  ${path}\n`,
    )
    .join("");
}

/** Whatever umask and clock this machine has. */
function makeEqual(tree, epoch) {
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) throw new SetupFault(`${relative(tree, path)}: a link, which a package would have to explain`);
    chmodSync(path, entry.isDirectory() || statSync(path).mode & 0o100 ? 0o755 : 0o644);
    lutimesSync(path, epoch, epoch);
  }
  chmodSync(tree, 0o755);
  lutimesSync(tree, epoch, epoch);
}

function sourceDate() {
  const told = process.env.SOURCE_DATE_EPOCH || run("git", ["log", "-1", "--format=%ct"], { cwd: ROOT });
  if (!/^\d+\s*$/.test(told)) throw new SetupFault("the time of the sources is not known: set SOURCE_DATE_EPOCH");
  return Number(told);
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function treeSize(tree) {
  return filesOf(tree).reduce((sum, path) => sum + statSync(path).size, 0);
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

/** What it says. @throws SetupFault with its complaint */
function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024, ...options });
  if (error) throw new SetupFault(`${command} could not be started: ${error.message}`);
  if (status !== 0) throw new SetupFault(`${command} ${args[0]} failed: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}
