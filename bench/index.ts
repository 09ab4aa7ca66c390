/** `npm run -s bench -- NAME [--json]`: ours and the floor interleaved in one run, medians. */
export interface BenchResult {
  readonly name: string;
  readonly ours: Readonly<Record<string, number>>;
  readonly floor: Readonly<Record<string, number>>;
  readonly ratio: number | Readonly<Record<string, number>>;
  /** Of `chip`: round trips by way of access. */
  readonly apdus?: Readonly<Record<string, number>>;
  /** Of `camera`: by how many look. */
  readonly clients?: Readonly<Record<string, unknown>>;
  /** What else the run saw. */
  readonly beside?: Readonly<Record<string, unknown>>;
}

const benches: Record<string, () => Promise<BenchResult>> = {
  rpc: async () => (await import("./rpc.js")).rpc(),
  pay: async () => (await import("./pay.js")).pay(),
  print: async () => (await import("./print.js")).print(),
  chip: async () => (await import("./chip.js")).chip(),
  camera: async () => (await import("./camera.js")).camera(),
  scan: async () => (await import("./scan.js")).scan(),
  flood: async () => (await import("./flood.js")).flood(),
  isolation: async () => (await import("./isolation.js")).isolation(),
  startup: async () => (await import("./startup.js")).startup(),
};

const names = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const chosen = names.length === 0 || names[0] === "all" ? Object.keys(benches) : names;
for (const name of chosen) {
  const bench = benches[name];
  if (!bench) {
    process.stderr.write(`no bench ${name}: there are ${Object.keys(benches).join(", ")}, all\n`);
    process.exit(2);
  }
  const result = await bench();
  process.stdout.write(process.argv.includes("--json") ? `${JSON.stringify(rounded(result))}\n` : table(result));
}

function rounded(value: unknown): unknown {
  if (typeof value === "number") return Number(value.toPrecision(4));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, rounded(entry)]));
}

function table({ name, ...figures }: BenchResult): string {
  const rows: [string, string][] = [];
  const collect = (prefix: string, value: unknown): void => {
    if (typeof value === "object" && value !== null) for (const [key, entry] of Object.entries(value)) collect(`${prefix} ${key}`, entry);
    else rows.push([prefix, String(rounded(value))]);
  };
  for (const [key, value] of Object.entries(figures)) collect(key, value);
  const width = Math.max(...rows.map(([label]) => label.length));
  return `${name}\n${rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`).join("\n")}\n`;
}
