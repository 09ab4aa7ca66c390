// The command as one bundle: an agent of two hundred small modules starts twice as slowly as one of a few files
// (docs/adr/0007). Run by `npm run build` after tsc; what runs in children and workers stays as compiled.
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const dist = resolve(fileURLToPath(new URL("..", import.meta.url)), process.argv[2] ?? "dist");
const out = resolve(dist, "bundle");

/** Modules find their workers, children and files relative to themselves: they are told where they stood. */
const standWhereTheyWere = {
  name: "stand-where-they-were",
  transform(code, id) {
    if (!code.includes("import.meta.url") || id.includes("node_modules")) return null;
    const from = JSON.stringify(relative(out, id).replaceAll("\\", "/"));
    return code.replaceAll("import.meta.url", `new URL(${from}, import.meta.url).href`);
  },
};

const bundle = await rolldown({
  input: { stationd: resolve(dist, "src/cli.js") },
  platform: "node",
  // Only what every start needs is bundled; native and heavy packages are loaded when a device needs them.
  external: (id) => !/^[./]/.test(id) && !/^(zod|ws|commander|smol-toml)$/.test(id),
  plugins: [standWhereTheyWere],
  onLog(level, log, handler) {
    if (level !== "debug") handler(level, log);
  },
});
await bundle.write({ dir: out, format: "esm", chunkFileNames: "[name]-[hash].js", cleanDir: true });
await bundle.close();
