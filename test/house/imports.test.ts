import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

/**
 * Who may import whom: room → what it may import, `type ROOM` where only types may pass. Tests and their rigs may import
 * anything. The plan of the house is in CONTRIBUTING.md.
 */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  formats: ["kernel"],
  protocol: ["kernel"],
  client: ["type kernel", "type protocol", "protocol/version", "protocol/binary-frame", "protocol/messages.vi"],
  contracts: ["kernel", "type protocol"],
  "citizen-id": ["kernel", "formats"],
  emrtd: ["kernel", "formats"],
  trust: ["kernel", "emrtd"],
  child: ["kernel"],
  imaging: ["kernel", "child", "formats", "type contracts"],
  transports: ["kernel", "child"],
  journal: ["kernel"],
  audit: ["kernel"],
  observability: ["kernel"],
  config: ["kernel", "contracts", "protocol", "transports/settings", "drivers/index"],
  drivers: ["kernel", "contracts", "formats", "emrtd", "type protocol", "type transports"],
  devices: ["kernel", "contracts", "journal", "formats", "emrtd", "citizen-id", "trust", "protocol"],
  server: ["kernel", "protocol", "type audit"],
  technician: ["type client", "type protocol"],
  console: ["client", "languages", "technician", "type protocol"],
  install: ["kernel"],
  languages: [],
  simulators: ["kernel", "formats"],
  doctor: ["kernel", "config", "drivers/index", "type transports", "transports/hid-sysfs", "transports/usb-sysfs"],
  detect: ["kernel", "doctor/machine", "doctor/nodes", "doctor/devices", "transports/hid-sysfs", "transports/usb-sysfs"],
  commands: [
    "kernel",
    "languages",
    "doctor",
    "detect",
    "client",
    "technician",
    "config",
    "drivers/index",
    "protocol",
    "simulators",
    "version",
    "agent",
    "trust",
    "journal/snapshot",
    "audit",
    "install",
    "devices/payment-job",
    "transports/replay",
    "transports/replay-far-end",
  ],
};
/** Composition: everything. */
const EVERYTHING = new Set(["index", "agent", "testing", "simulation", "cli", "version"]);

interface Import {
  readonly from: string;
  readonly line: number;
  readonly to: string;
  readonly typeOnly: boolean;
}

const isTest = (file: string): boolean =>
  /\.test\.|\.test\.support\.|\/testing\/|\/fixture\.ts$|\/testing\.ts$/.test(file) && file !== "src/testing.ts";

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name));
}

/** Every import of a file of ours, static and dynamic. */
function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const found: Import[] = [];
  for (const match of text.matchAll(
    /(?:^|\n)\s*(import|export)\s+(type\s+)?([^;"]*?)\s*from\s+"(\.[^"]+)"|import\("(\.[^"]+)"\)|new URL\("(\.[^"]+\.js)"/g,
  )) {
    const [, , typeKeyword, names = "", fixed, dynamic, url] = match;
    const target = fixed ?? dynamic ?? url ?? "";
    const inner = names
      .replace(/[{}]/g, "")
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean);
    const typeOnly = typeKeyword !== undefined || (inner.length > 0 && inner.every((name) => name.startsWith("type ")));
    found.push({
      from: file,
      line: text.slice(0, match.index).split("\n").length,
      to: join(dirname(file), target).replace(/\.js$/, ""),
      typeOnly,
    });
  }
  return found;
}

/** `src/devices/bay` → ["devices", "devices/bay"]; a driver's room is its own folder. */
function roomOf(path: string): string {
  const parts = path.split("/");
  if (parts[0] === "simulators") return "simulators";
  return parts.length === 2 ? (parts[1] ?? "").replace(/\.ts$/, "") : (parts[1] ?? "");
}
const driverFolder = (path: string): string | undefined => /^src\/drivers\/([^/]+\/[^/]+)\//.exec(path)?.[1];

function forbidden({ from, to, typeOnly }: Import): boolean {
  const [room, target] = [roomOf(from), roomOf(to)];
  if (EVERYTHING.has(room)) return false;
  if (room === "drivers" && target === "drivers") {
    // The registry names them all; a driver names itself only.
    return driverFolder(from) !== undefined && driverFolder(from) !== driverFolder(to) && !from.includes("_template");
  }
  if (room === target) return false;
  const inside = to.replace(/^src\//, "");
  return !(TABLE[room] ?? []).some((rule) => {
    const [place, types] = rule.startsWith("type ") ? [rule.slice(5), true] : [rule, false];
    return (target === place || inside === place || inside.startsWith(`${place}/`)) && (typeOnly || !types);
  });
}

test("rooms import only what the plan of the house lets them", () => {
  const all = [...sources("src"), ...sources("simulators")].filter((file) => !isTest(file)).flatMap(importsOf);
  expect(all.length).toBeGreaterThan(300);
  expect(
    all
      .filter(forbidden)
      .map(({ from, line, to, typeOnly }) => `${from}:${line} imports ${relative("src", to)}${typeOnly ? " (types)" : ""}`),
  ).toEqual([]);
  // The table itself forbids something.
  expect(forbidden({ from: "simulators/receipt-printer/index.ts", line: 1, to: "src/drivers/printer/escpos/codec", typeOnly: false })).toBe(
    true,
  );
  expect(forbidden({ from: "src/client/index.ts", line: 1, to: "src/protocol/methods", typeOnly: false })).toBe(true);
});

test("files are one idea: those over 400 lines are listed here with their reason", () => {
  const reasons: Readonly<Record<string, string>> = {};
  const long = [...sources("src"), ...sources("simulators")].filter(
    (file) => !isTest(file) && readFileSync(file, "utf8").split("\n").length > 400 && !reasons[file],
  );
  expect(long).toEqual([]);
});

test("habits: no default exports, no bare errors, no way round the types, no process ended from inside", () => {
  const habits: readonly (readonly [pattern: RegExp, except: RegExp])[] = [
    [/^export default/m, /^$/],
    [/throw new Error\(/, /^simulators\/receipt-printer\/fuzz\.ts$/],
    [/\bas any\b|: any\b|@ts-ignore|@ts-nocheck/, /^$/],
    [/process\.exit\(/, /^src\/(commands|child)\//],
    [/console\.(log|error|warn)\(/, /^src\/protocol\/reference\.ts$/],
    [/shell: true|\bexecSync\(/, /^$/],
    [
      /Date\.now\(\)|Math\.random\(\)/,
      /^src\/(kernel|client|commands|observability)\/|^src\/console\/main\.ts$|^simulators\/(serve|run)\.ts$/,
    ],
  ];
  const broken = [...sources("src"), ...sources("simulators")]
    .filter((file) => !isTest(file))
    .flatMap((file) => {
      const code = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      return habits.filter(([pattern, except]) => pattern.test(code) && !except.test(file)).map(([pattern]) => `${file}: ${pattern}`);
    });
  expect(broken).toEqual([]);
});

test("dependencies are pinned exactly, and each is explained", () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as Record<string, Record<string, string>>;
  const reasons = readFileSync("docs/dependencies.md", "utf8");
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$|^file:/);
    expect(reasons, `docs/dependencies.md says nothing of ${name}`).toContain(`\`${name}\``);
  }
});
