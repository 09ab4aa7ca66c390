/**
 * `npm run torture:chip-answers -- --runs 100000 [--seed N]`: a hostile chip. One answer of each reading is changed: on the wire (a recorded
 * conversation over PACE or BAC, so that no chip has to compute), or inside secure messaging, where only the chip can: its files.
 * Every outcome must be contents or an error of the closed list, and memory must stay flat.
 */
import fc from "fast-check";
import { parseDg13 } from "../../src/citizen-id/dg13.js";
import { vietnameseMrz } from "../../src/citizen-id/vietnamese-mrz.js";
import { parseDg11 } from "../../src/emrtd/lds/additional-details.js";
import { parseDg1 } from "../../src/emrtd/lds/dg1.js";
import { parseDg2 } from "../../src/emrtd/lds/dg2.js";
import { readVirtual, type VirtualCard, virtualCard } from "../../src/emrtd/testing/virtual-card.js";
import type { ChipContents, FileName } from "../../src/emrtd/types.js";
import { parseTrustFile } from "../../src/emrtd/verify/trust-file.js";
import { EMPTY_TRUST } from "../../src/emrtd/verify/trust-store.js";
import { verifyContents } from "../../src/emrtd/verify/verify.js";
import { parseTd1 } from "../../src/formats/mrz.js";
import { DeviceError } from "../../src/kernel/errors.js";

const argument = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const runs = argument("runs", 100_000);
const seed = argument("seed", Date.now() % 1_000_000);
const NOW_MS = Date.UTC(2026, 6, 1);
/** An honest reading has 16 answers; one that is led on must end all the same. */
const MOST_COMMANDS = 3_000;

const ways = {
  pace: { challenge: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
  bac: { protocol: "bac" },
} as const;
type Way = keyof typeof ways;

const read = (card: VirtualCard, way: Way): Promise<ChipContents> =>
  readVirtual(card, way === "bac" ? { ...ways.bac, access: card.mrz } : ways.pace);

async function record(way: Way): Promise<{ answers: readonly Uint8Array[]; contents: ChipContents }> {
  const card = await virtualCard();
  const answers: Uint8Array[] = [];
  card.meddle = (_apdu, _index, pass) => {
    const answer = pass();
    answers.push(answer);
    return answer;
  };
  return { contents: await read(card, way), answers };
}
const recorded = { pace: await record("pace"), bac: await record("bac") };

/** Some bytes changed, cut off, put in, or all of them others. */
const change = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), by: fc.integer({ min: 1, max: 255 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("insert" as const), at: fc.nat(), bytes: fc.uint8Array({ maxLength: 12 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("length" as const), at: fc.nat(), by: fc.constantFrom(0x80, 0x81, 0x82, 0x84, 0xff) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("other" as const), bytes: fc.uint8Array({ maxLength: 300 }) }) },
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(bytes: Uint8Array, how: Change): Uint8Array {
  if (how.kind === "other") return how.bytes;
  // The structure is in the first bytes: half of the blows go there.
  const at = how.at % (how.at % 2 ? Math.min(64, bytes.length + 1) : bytes.length + 1);
  if (how.kind === "cut") return bytes.slice(0, at);
  if (how.kind === "insert") return Uint8Array.from([...bytes.subarray(0, at), ...how.bytes, ...bytes.subarray(at)]);
  const copy = Uint8Array.from(bytes);
  copy[at] = how.kind === "flip" ? (copy[at] ?? 0) ^ how.by : how.by;
  return copy;
}

const tally: Record<string, number> = {};
const count = (outcome: string): void => {
  tally[outcome] = (tally[outcome] ?? 0) + 1;
};

async function onTheWire(way: Way, step: number, how: Change): Promise<void> {
  const card = await virtualCard();
  const { answers } = recorded[way];
  const target = step % answers.length;
  card.meddle = (_apdu, index) => {
    if (index > MOST_COMMANDS) throw new RangeError("the reading does not end");
    const answer = answers[index] ?? Uint8Array.of(0x69, 0x88);
    return index === target ? changed(answer, how) : answer;
  };
  try {
    judge(await read(card, way));
    count("wire: read");
  } catch (thrown) {
    if (!(thrown instanceof DeviceError)) throw thrown;
    count(`wire: ${thrown.kind}`);
  }
}

/** Everything that the agent makes of what it read. */
function judge(contents: ChipContents): void {
  const { files } = contents;
  const verdicts = verifyContents(contents, EMPTY_TRUST, NOW_MS);
  if (verdicts.issuer === "trusted" || verdicts.chip === "genuine") throw new RangeError("believed without a trusted issuer");
  const mrzOf = (bytes: Uint8Array): void => {
    const td1 = parseTd1(parseDg1(bytes).text);
    if (td1) vietnameseMrz(td1, NOW_MS);
  };
  for (const [file, decode] of [
    ["dg1", mrzOf],
    ["dg2", parseDg2],
    ["dg11", parseDg11],
    ["dg13", parseDg13],
  ] as const) {
    const bytes = files.get(file);
    try {
      if (bytes) decode(bytes);
    } catch (thrown) {
      if (!(thrown instanceof DeviceError)) throw thrown;
    }
  }
}

function insideMessaging(file: FileName, how: Change): void {
  const { contents } = recorded.pace;
  const bytes = contents.files.get(file) as Uint8Array;
  const other = changed(bytes, how);
  judge({ ...contents, files: new Map([...contents.files, [file, other]]) });
  // The same bytes as a trust file: that is an operator's, and no reason to trust it.
  if (file === "sod") parseTrustFile(other);
  count("file: judged");
}

const FILES = [...recorded.pace.contents.files.keys()];
const mebibytes = (): number => {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().rss / 1_048_576);
};

process.stdout.write(`seed ${seed}, ${runs} answers\n`);
const beforeMib = mebibytes();
await fc.assert(
  fc.asyncProperty(fc.constantFrom("pace", "bac", "file", "file"), fc.nat(), change, async (where, which, how) => {
    if (where === "file") insideMessaging(FILES[which % FILES.length] as FileName, how);
    else await onTheWire(where as Way, which, how);
  }),
  { seed, numRuns: runs },
);
const afterMib = mebibytes();
process.stdout.write(`${JSON.stringify({ answers: runs, seed, tally, rssMib: { before: beforeMib, after: afterMib } })}\n`);
if (afterMib - beforeMib > 300) {
  process.stderr.write("memory grew\n");
  process.exitCode = 1;
}
