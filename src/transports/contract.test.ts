import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { concatBytes } from "../kernel/bytes.js";
import { systemClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Connect, Link } from "../kernel/link.js";
import { silentLog } from "../kernel/log.js";
import { connectorFor } from "./index.js";
import { memoryPair } from "./memory.js";
import { LinkSettings } from "./settings.js";
import { type FarEnd, linkFarEnd, ptyFarEnd, tcpFarEnd } from "./testing/far-end.js";
import { realSerialStack } from "./testing/pty.js";

interface Wire {
  readonly link: Link;
  readonly far: FarEnd;
  close(): Promise<void>;
}

const never = new AbortController().signal;
const MANY = 3 * 1024 * 1024;
/** More than any socket's buffers swallow. */
const ENDLESS = new Uint8Array(32 * 1024 * 1024);
const connect = (settings: unknown): Connect => connectorFor(LinkSettings.parse(settings), { clock: systemClock(), log: silentLog });
const serialStack = await realSerialStack();

async function overMemory(): Promise<Wire> {
  const [link, far] = memoryPair();
  return { link, far: linkFarEnd(far), close: () => far.close() };
}

async function overTcp(): Promise<Wire> {
  const { port, accepted, close } = await tcpFarEnd();
  const link = await connect({ kind: "tcp", host: "127.0.0.1", port })(never);
  return { link, far: await accepted, close };
}

/** A program that does nothing but carry bytes to and from a socket. */
async function overProcess(): Promise<Wire> {
  const { port, accepted, close } = await tcpFarEnd();
  const program = `const s = require("node:net").connect(${port}, "127.0.0.1"); s.on("error", () => process.exit());
    process.stdin.pipe(s).pipe(process.stdout); s.on("end", () => process.exit());`;
  const link = await connect({ kind: "process", command: process.execPath, args: ["-e", program] })(never);
  return { link, far: await accepted, close };
}

function overPty(settings: Record<string, unknown>): () => Promise<Wire> {
  return async () => {
    const { path, far, close } = await ptyFarEnd();
    const link = await connect({ ...settings, path })(never);
    return { link, far, close };
  };
}

const TRANSPORTS: readonly { name: string; open: () => Promise<Wire>; needsStack?: boolean; stallsFlood?: boolean }[] = [
  { name: "memory", open: overMemory, stallsFlood: true },
  { name: "tcp", open: overTcp },
  { name: "process", open: overProcess },
  { name: "file (a pseudo-terminal)", open: overPty({ kind: "file" }), needsStack: true },
  { name: "serial in-process", open: overPty({ kind: "serial", hosted: false, baudRate: 115_200 }), needsStack: true },
  { name: "serial hosted", open: overPty({ kind: "serial", hosted: true, baudRate: 115_200 }), needsStack: true },
];

async function readExactly(link: Link, count: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let held = 0; held < count; ) {
    const part = await link.read(never);
    parts.push(part);
    held += part.length;
  }
  return concatBytes(parts);
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
}

describe.each(TRANSPORTS)("a link over $name", ({ open, needsStack, stallsFlood }) => {
  describe.skipIf(needsStack && !serialStack)("keeps the contract", () => {
    const opened: Wire[] = [];
    const fresh = async (): Promise<Wire> => {
      const wire = await open();
      opened.push(wire);
      return wire;
    };
    const closeAll = async (): Promise<void> => {
      for (const wire of opened.splice(0)) {
        await wire.link.close();
        await wire.close();
      }
    };

    describe("in use", () => {
      let wire: Wire;
      beforeAll(async () => {
        wire = await fresh();
      });
      afterAll(closeAll);

      it("carries any bytes in any chunking both ways", async () => {
        const chunks = fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 8 });
        await fc.assert(
          fc.asyncProperty(chunks, chunks, async (outward, inward) => {
            const out = concatBytes(outward);
            const back = concatBytes(inward);
            const sending = Promise.all([
              ...outward.map((chunk) => wire.link.write(chunk, never)),
              ...inward.map((chunk) => wire.far.send(chunk)),
            ]);
            const [gotOut, gotBack] = await Promise.all([wire.far.receive(out.length), readExactly(wire.link, back.length)]);
            await sending;
            expect(gotOut).toEqual(out);
            expect(gotBack).toEqual(back);
          }),
          { numRuns: 8 },
        );
      });

      it("gives plain byte arrays, not Buffers", async () => {
        await wire.far.send(new Uint8Array([1]));
        expect((await wire.link.read(never)).constructor).toBe(Uint8Array);
      });

      it("loses nothing to an aborted read", async () => {
        const controller = new AbortController();
        const reason = new DeviceError("timeout");
        const read = expect(wire.link.read(controller.signal)).rejects.toBe(reason);
        controller.abort(reason);
        await read;
        await expect(wire.link.read(AbortSignal.abort(reason))).rejects.toBe(reason);
        const sent = pattern(2_000);
        const [got] = await Promise.all([readExactly(wire.link, sent.length), wire.far.send(sent)]);
        expect(got).toEqual(sent);
      });

      it("stays whole when a write is aborted before its first byte", async () => {
        const reason = new DeviceError("canceled");
        await expect(wire.link.write(pattern(10), AbortSignal.abort(reason))).rejects.toBe(reason);
        await wire.link.write(pattern(3), never);
        expect(await wire.far.receive(3)).toEqual(pattern(3));
      });
    });

    describe("at its end", () => {
      let wire: Wire;
      beforeEach(async () => {
        wire = await fresh();
      });
      afterEach(closeAll);

      it("gives all that came and then device_absent when the far end goes", async () => {
        const reading = readExactly(wire.link, 500);
        await wire.far.send(pattern(500));
        expect(await reading).toEqual(pattern(500));
        const end = expect(wire.link.read(never)).rejects.toMatchObject({ kind: "device_absent" });
        await wire.far.hangUp();
        await Promise.all([end, wire.link.closed]);
        await expect(wire.link.write(pattern(1), never)).rejects.toMatchObject({ kind: "device_absent" });
        await expect(wire.link.read(never)).rejects.toMatchObject({ kind: "device_absent" });
      });

      it("rejects a pending read on close, which may be called twice", async () => {
        const read = expect(wire.link.read(never)).rejects.toMatchObject({ kind: "device_absent" });
        await Promise.all([wire.link.close(), wire.link.close(), read]);
        await wire.link.close();
        await wire.link.closed;
      });

      it("rejects a pending write on close", async () => {
        const write = expect(wire.link.write(ENDLESS, never)).rejects.toMatchObject({ kind: "device_absent" });
        const second = expect(wire.link.write(pattern(1), never)).rejects.toMatchObject({ kind: "device_absent" });
        await wire.far.receive(100);
        await Promise.all([wire.link.close(), write, second]);
      });

      it("rejects a pending write when the far end goes", async () => {
        const write = expect(wire.link.write(ENDLESS, never)).rejects.toMatchObject({ kind: "device_absent" });
        await wire.far.receive(100);
        await wire.far.hangUp();
        await Promise.all([write, wire.link.closed]);
      });

      it("closes when a write is aborted midway", async () => {
        const controller = new AbortController();
        const reason = new DeviceError("timeout");
        const write = expect(wire.link.write(ENDLESS, controller.signal)).rejects.toBe(reason);
        await wire.far.receive(100);
        controller.abort(reason);
        await Promise.all([write, wire.link.closed]);
        await expect(wire.link.write(pattern(1), never)).rejects.toMatchObject({ kind: "device_absent" });
      });

      it("waits for a peer that does not read, and goes on when it does", async () => {
        const sent = pattern(MANY / 4);
        let taken = false;
        const write = wire.link.write(sent, never).then(() => {
          taken = true;
        });
        await wire.far.receive(1);
        const before = taken;
        expect((await wire.far.receive(sent.length - 1)).at(-1)).toBe(sent.at(-1));
        await write;
        // A socket's buffers may swallow it all; a device's never do.
        if (needsStack || stallsFlood) expect(before).toBe(false);
      });

      it("holds no more than its limit of what nobody reads", async () => {
        const flood = wire.far.send(pattern(MANY)).catch(() => {});
        if (stallsFlood) await wire.far.receive(0);
        else await wire.link.closed;
        let held = 0;
        if (!stallsFlood) {
          const drain = async (): Promise<never> => {
            for (;;) held += (await wire.link.read(never)).length;
          };
          await expect(drain()).rejects.toMatchObject({ kind: "device_fault" });
        }
        expect(held).toBeLessThanOrEqual(1024 * 1024 + 64 * 1024);
        await Promise.all([wire.far.hangUp(), flood]);
      });
    });
  });
});
