import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { missingPiece, openTill, type Till } from "./rig.js";
import { type SystemCall, strace, systemCalls } from "./trace.js";

const missing = missingPiece(["strace", "-o", "/dev/null", "true"]);
let folder: string;
let till: Till | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stationd-order-"));
});
afterEach(async () => {
  await till?.close();
  till = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const isSync = ({ name }: SystemCall): boolean => name === "fsync" || name === "fdatasync";

test("an fsync of each mark is over before the bytes that depend on it leave", { timeout: 60_000 }, async (context) => {
  if (missing) return context.skip(missing);
  till = await openTill(join(folder, "first"));
  const state = join(folder, "state");
  const log = join(folder, "log");
  const agent = await till.start(state, { under: strace(log) });
  const job = await agent.pay(20_000);
  await agent.stop();
  expect(job.state).toBe("approved");

  const calls = systemCalls(log);
  const wal = calls.filter(({ on }) => on === join(state, "journal.sqlite-wal"));
  const wire = calls.filter(({ on }) => on.startsWith("TCP:") && on.endsWith(`:${till?.port}]`));
  /** The mark goes into the WAL, with the frame that ends its commit (database size not 0), and the fsync of both is over. */
  const marked = (step: string): { readonly written: SystemCall; readonly synced: SystemCall } => {
    const written = found(wal, `the mark ${step}`, ({ name, data }) => name === "pwrite64" && data.includes(step));
    const synced = found(wal, `an fsync of ${step}`, (call) => isSync(call) && call.from > written.until);
    const between = wal.filter(({ until, from }) => until >= written.from - 1 && from < synced.from);
    expect(between.some(({ data }) => data.length === 24 && data.readUInt32BE(4) !== 0)).toBe(true);
    expect(synced.result).toBe(0);
    return { written, synced };
  };
  const [armed, held, answering] = [marked("armed"), marked("held"), marked("answering")];
  const sends = (call: SystemCall): boolean => /^(write|send)/.test(call.name);
  const order = found(wire, "the order", (call) => sends(call) && call.data.readUInt16BE(0) === 0x0601);
  const result = found(wire, "the result", (call) => !sends(call) && call.from > order.until && call.data.includes("\x04\x0f", "latin1"));
  const answer = found(wire, "the answer", (call) => sends(call) && call.from > result.until);
  expect(answer.data.toString("hex")).toBe("800000");

  const inOrder = [armed.written, armed.synced, order, result, held.written, held.synced, answering.written, answering.synced, answer];
  for (const [index, call] of inOrder.slice(1).entries()) expect(call.from).toBeGreaterThan(inOrder[index]?.until ?? 0);
  // A file whose name is not on the disk is lost with everything in it.
  const named = found(calls, "an fsync of the folder", (call) => isSync(call) && call.on === state && call.from > (wal[0]?.until ?? 0));
  expect(named.until).toBeLessThan(order.from);
});

function found(calls: readonly SystemCall[], what: string, is: (call: SystemCall) => boolean): SystemCall {
  const call = calls.find(is);
  if (!call) throw new RangeError(`the trace has not ${what}`);
  return call;
}
