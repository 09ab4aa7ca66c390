/**
 * Adds to package-lock.json the platform packages (`@napi-rs/canvas-darwin-arm64`, …) that npm left out: it drops those
 * that its registry or the installed tree does not show, and `npm ci` then refuses the lock elsewhere.
 * Versions are the exact ones that the parent pins; `os`, `cpu` and `libc` follow from the name. Run after changing a dependency.
 */
import { readFileSync, writeFileSync } from "node:fs";

const SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const PROCESSORS = ["arm64", "armv7", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"];

/** Other names of the same things. */
const ALIASES = { macos: "darwin", windows: "win32", aarch64: "arm64", x86_64: "x64", x86: "ia32" };

const file = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8"));
const packages = lock.packages;
let added = 0;

for (const [place, parent] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (packages[`${place}/node_modules/${name}`] || packages[`node_modules/${name}`]) continue;
    const words = name
      .split("/")
      .at(-1)
      .split(/[-.]/)
      .map((word) => ALIASES[word] ?? word);
    const os = SYSTEMS.find((system) => words.includes(system));
    const cpu = PROCESSORS.find((processor) => words.includes(processor) || words.some((word) => word.startsWith(processor)));
    if (!os || !cpu || !/^\d/.test(version))
      throw new Error(`${name}@${version}: not a platform package of an exact version, add it by hand`);
    const libc = words.some((word) => word.startsWith("musl")) ? "musl" : os === "linux" ? "glibc" : undefined;
    packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu === "armv7" ? "arm" : cpu],
      ...(parent.dev ? { dev: true } : {}),
      ...(libc ? { libc: [libc] } : {}),
      optional: true,
      os: [os],
    };
    added++;
  }
}

const [root, ...rest] = Object.entries(packages);
lock.packages = Object.fromEntries([root, ...rest.sort(([a], [b]) => a.localeCompare(b, "en"))]);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} platform packages added`);
