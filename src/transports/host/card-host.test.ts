import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openPcscd, type PcscdRig, realPcscStack } from "../../../test/real-stack/pcscd.js";
import { INS, layCard } from "../../../test/real-stack/tiny-card.js";
import { faultRow } from "../../../test/support/fault.js";
import type { CardReaderLink } from "../../kernel/card.js";
import { type Clock, manualClock, systemClock } from "../../kernel/clock.js";
import { DeviceError } from "../../kernel/errors.js";
import { type Logger, silentLog } from "../../kernel/log.js";
import type { Pcsc } from "../pcsc.js";
import { hostedPcsc } from "./card-host.js";

const never = new AbortController().signal;
const stack = await realPcscStack();
const SILENCE = Uint8Array.of(0x80, INS.silence, 0, 0);
const SELECT = Uint8Array.of(0, 0xa4, 0, 0);
const OK = Uint8Array.of(0x90, 0);

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  while (alive(pid)) await pause(5);
}

/** What hosted readers have in common with others: ../pcsc.test.ts. */
describe.skipIf(!stack)("the child of hosted card readers", () => {
  let rig: PcscdRig;
  let pids: number[];
  let links: CardReaderLink[];
  let lying: { lift(): Promise<void> }[];
  let pcsc: Pcsc;

  const log: Logger = {
    ...silentLog,
    with: () => log,
    debug: (event, fields) => event === "child started" && fields?.pid && pids.push(fields.pid),
  };
  const lastPid = (): number => pids.at(-1) ?? 0;
  const made = (clock: Clock): Pcsc => hostedPcsc({ clock, log });

  beforeAll(async () => {
    rig = await openPcscd();
  });
  beforeEach(() => {
    pids = [];
    links = [];
    lying = [];
    pcsc = made(systemClock());
  });
  afterEach(async () => {
    rig.thaw();
    await Promise.all(lying.map((card) => card.lift()));
    await Promise.all(links.map((link) => link.close()));
    await Promise.all(pids.map(gone));
  });
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
  });

  const open = async (slot: 0 | 1 = 0, signal = never): Promise<CardReaderLink> => {
    const link = await pcsc({ kind: "pcsc", reader: rig.readers[slot], hosted: true })(signal);
    links.push(link);
    return link;
  };
  const presence = (link: CardReaderLink, wanted: boolean): Promise<void> =>
    new Promise((resolve) => {
      link.onPresence((present) => present === wanted && resolve());
      if (link.present === wanted) resolve();
    });
  const lay = async (link: CardReaderLink) => {
    await presence(link, false);
    const laid = await layCard(rig.ports[0]);
    lying.push(laid);
    await presence(link, true);
    return laid;
  };

  it("is one for all readers, and ends with the last of them", async () => {
    const [first, second] = await Promise.all([open(0), open(1)]);
    expect(pids.length).toBe(1);
    await first.close();
    await lay(await open(0));
    await second.close();
    expect(alive(lastPid())).toBe(true);
    await links.at(-1)?.close();
    expect(alive(lastPid())).toBe(false);
    await open(0);
    expect(pids.length).toBe(2);
  });

  it.each(["SIGKILL", "SIGSTOP"] as const)(
    "loses its readers when it gets %s, in the middle of an APDU, and is replaced",
    async (signal) => {
      const [link, other] = [await open(0), await open(1)];
      const laid = await lay(link);
      const session = await link.connect(never);
      const asked = laid.card.nextApdu();
      const pending = session.transmit(SILENCE, never).catch((thrown: DeviceError) => thrown);
      await asked;
      process.kill(lastPid(), signal);
      expect(await pending).toMatchObject({ kind: "device_absent", hint: expect.stringContaining("started again by itself") });
      expect((await session.ended).kind).toBe("device_absent");
      expect((await link.closed).kind).toBe("device_absent");
      expect((await other.closed).kind).toBe("device_absent");
      expect(link.present).toBe(false);
      await expect(link.connect(never)).rejects.toMatchObject({ kind: "device_absent" });

      // The service lets go of the reader when the card answers or is gone.
      await laid.lift();
      // A child that has just started may see the readers a moment later; whoever opens one asks again.
      let next: CardReaderLink | undefined;
      while (!next) next = await open(0).catch(() => undefined);
      await lay(next);
      expect(await (await next.connect(never)).transmit(SELECT, never)).toEqual(OK);
    },
  );

  faultRow({
    device: "reader",
    fault: "pcscd hangs",
    sees: "`device_absent`",
    does: "only the readers’ child hangs, and is ended; the hint says how to restart pcscd",
    back: "pcscd is restarted",
    bounds: ["tryAgain"],
  });
  it("hangs with a frozen service, and the agent does not", async () => {
    rig.freeze();
    let settled = false;
    const opening = open(0).finally(() => {
      settled = true;
    });
    const frozen = expect(opening).rejects.toMatchObject({ kind: "device_absent", hint: expect.stringContaining("restart pcscd") });
    await systemClock().sleep(1);
    expect(settled).toBe(false);
    await frozen;
    await gone(lastPid());

    const impatient = new AbortController();
    const reason = new DeviceError("timeout");
    const cutOff = expect(open(0, impatient.signal)).rejects.toBe(reason);
    while (pids.length < 2) await pause(1);
    impatient.abort(reason);
    await cutOff;
    expect(alive(lastPid())).toBe(false);

    rig.thaw();
    const link = await open(0);
    await lay(link);
    expect(await (await link.connect(never)).transmit(SELECT, never)).toEqual(OK);
  });

  it("is killed by the closing of its last reader when the service has frozen under a session", async () => {
    const link = await open(0);
    const laid = await lay(link);
    const session = await link.connect(never);
    rig.freeze();
    const pending = session.transmit(SELECT, never).catch((thrown: DeviceError) => thrown.kind);
    await link.close();
    expect(await pending).toBe("device_absent");
    expect(alive(lastPid())).toBe(false);
    rig.thaw();
    await laid.lift();
  });

  it("outlives a reader that is missing until nobody has asked for a while", async () => {
    const clock = manualClock();
    pcsc = made(clock);
    const missing = pcsc({ kind: "pcsc", reader: "Nobody's", hosted: true });
    for (let round = 0; round < 3; round++) {
      await expect(missing(never)).rejects.toMatchObject({ kind: "device_absent", details: { readers: rig.readers } });
      await clock.advance(2_500);
    }
    expect(pids.length).toBe(1);
    expect(alive(lastPid())).toBe(true);
    await clock.advance(10_000);
    await gone(lastPid());
  });

  it("does not stop as idle while a reader is open", async () => {
    const clock = manualClock();
    pcsc = made(clock);
    const link = await open(0);
    await clock.advance(60_000);
    await lay(link);
    expect(await (await link.connect(never)).transmit(SELECT, never)).toEqual(OK);
    expect(pids.length).toBe(1);
  });

  it.each([0, 1, 3, 10, 100])(
    "frees a card whose connecting or APDU was given up after %i ms of which the agent saw nothing",
    async (ms) => {
      // An answer may have left the child by then.
      const lookAway = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
      const reason = new DeviceError("timeout");
      const giveUpBlindly = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<void> => {
        const giveUp = new AbortController();
        const working = expect(work(giveUp.signal)).rejects.toBe(reason);
        // The call leaves in between.
        await new Promise(setImmediate);
        lookAway();
        giveUp.abort(reason);
        await working;
      };
      const link = await open(0);
      await lay(link);
      await giveUpBlindly((signal) => link.connect(signal));
      const session = await link.connect(never);
      await giveUpBlindly((signal) => session.transmit(SELECT, signal));
      expect((await session.ended).kind).toBe("canceled");
      expect(await (await link.connect(never)).transmit(SELECT, never)).toEqual(OK);
    },
  );
});
