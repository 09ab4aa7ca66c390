import { beforeEach, expect, test } from "vitest";
import { faultRow } from "../../test/support/fault.js";
import { type ManualClock, manualClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import { silentLog } from "../kernel/log.js";
import { noMeter } from "../kernel/meter.js";
import { seededRandom } from "../kernel/random.js";
import { Secret } from "../kernel/secret.js";
import type { PrintJob } from "../protocol/jobs.js";
import type { Params } from "../protocol/methods.js";
import { Bay } from "./bay.js";
import { PrinterService } from "./printer-service.js";
import { bayContext, type ScriptedPrinter, scriptedPrinter, settle } from "./testing/devices.js";
import { call, caller, type MemoryJournal, memoryJournal } from "./testing/fakes.js";

let clock: ManualClock;
let journal: MemoryJournal;
let script: ScriptedPrinter;
let bay: Bay<"printer">;
let service: PrinterService;
let published: string[];

async function start(): Promise<void> {
  const made = scriptedPrinter();
  script = made.script;
  bay = new Bay(made.spec, bayContext(clock), () => {});
  published = [];
  service = new PrinterService({
    clock,
    random: seededRandom(2),
    log: silentLog,
    meter: noMeter,
    journal,
    stationKey: async () => new Secret(new Uint8Array(32)),
    publish: (job) => void published.push(job.state),
  });
  void service.adopt(bay);
  bay.start();
  await settle();
}

beforeEach(async () => {
  clock = manualClock();
  journal = memoryJournal();
  await start();
});

const request = (key = "key-00000001", text = "Xin chào"): Params<"printer.print"> => ({
  document: { blocks: [{ type: "text", text }] },
  idempotencyKey: key,
  timeoutMs: 60_000,
});
const gate = <T>() => {
  let open = (_value: T): void => {};
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
};

test("each durable mark comes before what depends on it", async () => {
  const marks: string[] = [];
  script.print = async (steps) => {
    marks.push(...journal.log);
    await steps.sending({});
    marks.push(journal.log.at(-1) ?? "");
    await steps.finishing();
    await steps.sent();
    return { state: "printed", confirmation: "confirmed" };
  };
  const job = await service.print(bay, request(), call());
  expect(job).toMatchObject({ state: "printed", final: true, confirmation: "confirmed", idempotencyKey: "key-00000001" });
  expect(marks).toEqual(["queued", "sending"]);
  expect(journal.log).toEqual(["queued", "sending", "finishing", "sent", "ended:printed"]);
  expect(published.at(-1)).toBe("printed");
});

test("the same key prints once, at the same time or later; with another document it is a conflict", async () => {
  let prints = 0;
  const paper = gate<void>();
  script.print = async (steps) => {
    prints++;
    await steps.sending({});
    await paper.opened;
    return { state: "printed", confirmation: "confirmed" };
  };
  const [first, second] = [service.print(bay, request(), call()), service.print(bay, request(), call(caller("reloaded")))];
  await settle();
  paper.open();
  expect((await first).job).toBe((await second).job);
  expect(await service.print(bay, request(), call())).toMatchObject({ state: "printed" });
  await expect(service.print(bay, request("key-00000001", "khác"), call())).rejects.toMatchObject({ kind: "idempotency_conflict" });
  expect(prints).toBe(1);
});

test("who asks with the same key while the journal is still being written gets the same answer, or the same refusal", async () => {
  const disk = gate<void>();
  const begin = journal.begin;
  journal.begin = async (record) => {
    await disk.opened;
    return await begin(record);
  };
  const first = service.print(bay, request(), call());
  await settle();
  const second = service.print(bay, request(), call());
  await settle();
  disk.open();
  expect((await second).state).toBe("printed");
  expect((await first).job).toBe((await second).job);

  const broken = gate<void>();
  journal.begin = async () => {
    await broken.opened;
    throw new DeviceError("journal_unavailable");
  };
  const both = [service.print(bay, request("key-00000009"), call())];
  await settle();
  both.push(service.print(bay, request("key-00000009"), call()));
  await settle();
  broken.open();
  for (const outcome of await Promise.allSettled(both))
    expect(outcome).toMatchObject({ status: "rejected", reason: { kind: "journal_unavailable" } });
});

test("the same key of another principal is another job", async () => {
  await service.print(bay, request(), call());
  await service.print(bay, request("key-00000001", "khác"), call(caller("two", "kiosk", "origin:https://other.test")));
  expect(journal.records.size).toBe(2);
});

test("canceled in the queue it never starts; canceled after the first byte the answer is how it stands", async () => {
  const paper = gate<void>();
  script.print = async (steps) => {
    await steps.sending({});
    await paper.opened;
    return { state: "printed", confirmation: "confirmed" };
  };
  const [asking, waiting] = [call(), call()];
  const first = service.print(bay, request("key-00000001"), asking);
  await settle();
  const second = service.print(bay, request("key-00000002"), waiting);
  await settle();
  waiting.abort();
  expect(await second).toMatchObject({ state: "not_started", final: true, reason: { kind: "canceled" } });
  asking.abort("timeout");
  expect(await first).toMatchObject({ state: "in_progress", final: false });
  paper.open();
  await settle();
  expect(await service.print(bay, request("key-00000001"), call())).toMatchObject({ state: "printed" });
});

test("a link lost before the first byte starts over on the next opening; lost after it, the printer is asked, never told again", async () => {
  let prints = 0;
  script.print = async () => {
    prints++;
    script.lose();
    await settle();
    throw new DeviceError("device_absent");
  };
  const job = service.print(bay, request(), call());
  await settle();
  expect(journal.log).toEqual(["queued"]);
  script.print = async (steps) => {
    prints++;
    await steps.sending({ cuts: 3 });
    script.lose();
    await settle();
    throw new DeviceError("device_absent");
  };
  script.resolve = async () => ({ state: "failed", reason: new DeviceError("device_absent") });
  await clock.advance(1_000);
  expect(await job).toMatchObject({ state: "failed", final: true });
  expect(prints).toBe(2);
  expect(script.resolved).toEqual([{ step: "sending", baseline: { cuts: 3 } }]);
});

test("while the printer is away the job is unknown, nobody overtakes it, and it ends definite when the printer is back", async () => {
  script.print = async (steps) => {
    await steps.sending({});
    await steps.finishing();
    script.open = () => Promise.reject(new DeviceError("device_absent"));
    script.lose();
    await settle();
    throw new DeviceError("device_absent");
  };
  const asking = call();
  const first = service.print(bay, request("key-00000001"), asking);
  await clock.advance(500);
  asking.abort("timeout");
  expect(await first).toMatchObject({ state: "unknown", final: false });
  await expect(service.print(bay, request("key-00000002"), call())).rejects.toMatchObject({ kind: "device_absent" });
  script.open = async () => {};
  await clock.advance(5_000);
  expect(service.openJobs(undefined)).toEqual([]);
  expect(journal.log.at(-1)).toBe("ended:printed");
  expect(published.slice(-2)).toEqual(["in_progress", "printed"]);
});

test("what cannot be asked yet is asked again, not given up", async () => {
  script.print = async (steps) => {
    await steps.sending({});
    throw new DeviceError("device_fault");
  };
  let asked = 0;
  script.resolve = async () => {
    if (++asked < 4) throw new DeviceError("timeout");
    return { state: "printed", confirmation: "confirmed" };
  };
  const job = service.print(bay, request(), call());
  await clock.advance(4_000);
  expect(await job).toMatchObject({ state: "printed" });
  expect(asked).toBe(4);
});

test("a torn receipt that is being voided when the link goes is known as such the next time", async () => {
  script.print = async (steps) => {
    await steps.sending({});
    throw new DeviceError("device_fault");
  };
  script.resolve = async (_job, voiding) => {
    await voiding();
    if (script.resolved.length === 1) throw new DeviceError("device_absent");
    return { state: "failed", reason: new DeviceError("device_fault") };
  };
  const job = service.print(bay, request(), call());
  await clock.advance(2_000);
  expect(await job).toMatchObject({ state: "failed" });
  expect(script.resolved.map(({ step }) => step)).toEqual(["sending", "voiding"]);
});

test("a journal that cannot be written: before the job it is refused, before the first byte it never starts", async () => {
  journal.broken = true;
  await expect(service.print(bay, request(), call())).rejects.toMatchObject({ kind: "journal_unavailable" });
  journal.broken = false;
  let sent = 0;
  script.print = async (steps) => {
    journal.broken = true;
    await steps.sending({});
    sent++;
    return { state: "printed", confirmation: "confirmed" };
  };
  const job = service.print(bay, request(), call());
  await settle();
  journal.broken = false;
  await clock.advance(2_000);
  expect(await job).toMatchObject({ state: "not_started", reason: { kind: "journal_unavailable" } });
  expect(sent).toBe(0);
});

test("an end that cannot be written holds the next job back until it can", async () => {
  let prints = 0;
  script.print = async (steps) => {
    await steps.sending({});
    if (++prints === 1) journal.broken = true;
    return { state: "printed", confirmation: "confirmed" };
  };
  const first = service.print(bay, request("key-00000001"), call());
  await settle();
  const waiting = bay.use("printer.cut", new AbortController().signal, async () => prints);
  await clock.advance(3_000);
  expect(bay.fifo.length).toBe(1);
  journal.broken = false;
  await clock.advance(1_000);
  expect(await first).toMatchObject({ state: "printed" });
  expect(await waiting).toBe(1);
});

faultRow({
  device: "agent",
  fault: "The agent is killed in mid-print (SIGKILL, crash)",
  sees: "the same job under its key, with its true end",
  does: "asks the printer what came out before it prints for anybody else",
  bounds: ["restart"],
  also: "npm run torture:print",
});
test("after a crash each open job ends by the printer's own word before anyone else is served", async () => {
  const record = (step: string, index: number) => ({
    id: `job-${step}`,
    kind: "print" as const,
    device: "receipt",
    principal: caller("one").principal,
    idempotencyKey: `key-1000000${index}`,
    requestHmac: "",
    step,
    outcome: undefined,
    evidence: { baseline: { cuts: index } },
    createdAt: index,
    updatedAt: index,
  });
  const records = new Map(["queued", "sending", "finishing", "sent"].map((step, index) => [`job-${step}`, record(step, index)]));
  journal = memoryJournal(records);
  expect(service.shown(record("queued", 0), false)).toMatchObject({ state: "not_started", final: true });
  expect(service.shown(record("sent", 0), false)).toMatchObject({ state: "unknown", final: false });
  const order: string[] = [];
  await start();
  script.resolve = async (job) => {
    order.push(job.step);
    return { state: "printed", confirmation: "confirmed" };
  };
  script.print = async (steps) => {
    order.push("new");
    await steps.sending({});
    return { state: "printed", confirmation: "confirmed" };
  };
  await settle();
  expect(service.recovered(bay)).toBe(true);
  await service.print(bay, request(), call());
  expect(order).toEqual(["new"]);
  expect(script.resolved).toEqual([
    { step: "sending", baseline: { cuts: 1 } },
    { step: "finishing", baseline: { cuts: 2 } },
    { step: "sent", baseline: { cuts: 3 } },
  ]);
  expect(records.get("job-queued")?.outcome).toMatchObject({ state: "not_started" });
});

faultRow({
  device: "agent",
  fault: "The agent is stopped or upgraded in mid-print",
  sees: "`printed`; what waits is `not_started`, `shutting_down`",
  does: "lets the receipt come out, and begins none",
  bounds: ["restart"],
});
test("an agent that stops lets a receipt come out, starts none, and leaves open what it cannot know", async () => {
  const paper = gate<void>();
  script.print = async (steps) => {
    await steps.sending({});
    await paper.opened;
    return { state: "printed", confirmation: "confirmed" };
  };
  const first = service.print(bay, request("key-00000001"), call());
  await settle();
  const second = service.print(bay, request("key-00000002"), call());
  await settle();
  const released = service.release(bay, 8_000);
  await settle();
  expect(await second).toMatchObject({ state: "not_started", reason: { kind: "shutting_down" } });
  paper.open();
  expect(await first).toMatchObject({ state: "printed" });
  await released;
});

test("a receipt that does not come out in time stays open in the journal for the next run", async () => {
  script.print = async (steps) => {
    await steps.sending({});
    return await new Promise<never>(() => {});
  };
  const job: Promise<PrintJob> = service.print(bay, request(), call());
  await settle();
  const released = service.release(bay, 8_000);
  await clock.advance(8_001);
  await released;
  expect(await job).toMatchObject({ final: false });
  expect([...journal.records.values()][0]).toMatchObject({ step: "sending", outcome: undefined });
});
