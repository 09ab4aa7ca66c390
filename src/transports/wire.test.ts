import { describe, expect, it } from "vitest";
import { DeviceError } from "../kernel/errors.js";
import { lostLink, openFailure, type Wire, wireLink } from "./wire.js";

const never = new AbortController().signal;

function recordingWire(overrides: Partial<Wire> = {}): { wire: Wire; written: number[]; released: boolean[] } {
  const written: number[] = [];
  const released: boolean[] = [];
  const wire: Wire = {
    description: "test",
    chunkBytes: 4,
    write: async (chunk) => void written.push(chunk.length),
    release: async (pendingWrite) => void released.push(pendingWrite),
    ...overrides,
  };
  return { wire, written, released };
}

describe("wireLink", () => {
  it("writes in chunks, one after the other, in the order of the calls", async () => {
    const { wire, written } = recordingWire();
    const { link } = wireLink(wire);
    await Promise.all([link.write(new Uint8Array(9), never), link.write(new Uint8Array(0), never), link.write(new Uint8Array(2), never)]);
    expect(written).toEqual([4, 4, 1, 2]);
  });

  it("stays whole when a write that waits for its turn is aborted, and never sends it", async () => {
    let finish = (): void => {};
    const sent: number[] = [];
    const { wire } = recordingWire({
      write: async (chunk) => {
        sent.push(chunk.length);
        if (sent.length === 1) {
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
        }
      },
    });
    const { link } = wireLink(wire);
    const controller = new AbortController();
    const reason = new DeviceError("canceled");
    const first = link.write(new Uint8Array(4), never);
    const second = expect(link.write(new Uint8Array(3), controller.signal)).rejects.toBe(reason);
    controller.abort(reason);
    await second;
    finish();
    await first;
    await link.write(new Uint8Array(2), never);
    expect(sent).toEqual([4, 2]);
  });

  it("releases once, tells whether a write was under way, and keeps the first reason", async () => {
    const { wire, released } = recordingWire({ write: () => new Promise(() => {}) });
    const { link, end } = wireLink(wire);
    const first = new DeviceError("device_absent", { message: "first" });
    const write = expect(link.write(new Uint8Array(1), never)).rejects.toBe(first);
    await Promise.resolve();
    await Promise.resolve();
    end(first);
    end(new DeviceError("device_fault"));
    await Promise.all([write, link.close(), link.closed]);
    await expect(link.read(never)).rejects.toBe(first);
    expect(released).toEqual([true]);
  });

  it("is closed although its release fails", async () => {
    const { link } = wireLink(
      recordingWire({
        release: async () => {
          throw new Error("native close failed");
        },
      }).wire,
    );
    await link.close();
    await link.closed;
  });

  it("ends with what a native write failed with", async () => {
    const { link } = wireLink(
      recordingWire({
        write: async () => {
          throw new Error("EIO");
        },
      }).wire,
    );
    await expect(link.write(new Uint8Array(1), never)).rejects.toMatchObject({ kind: "device_absent" });
    await link.closed;
  });
});

describe("openFailure", () => {
  it.each([
    ["Error: No such file or directory, cannot open /dev/ttyUSB0", "device_absent"],
    ["Error Resource temporarily unavailable Cannot lock port", "busy"],
    ["Error: Permission denied, cannot open /dev/ttyUSB0", "device_fault"],
    ["Error: Input/output error, cannot open /dev/pts/3", "device_absent"],
    ["something else", "device_fault"],
  ])("%s is %s", (message, kind) => {
    const failure = openFailure("serial x", new Error(message));
    expect(failure.kind).toBe(kind);
    expect(failure.hint).not.toBe("");
  });

  it("keeps what is a DeviceError already", () => {
    const known = new DeviceError("unsupported");
    expect(openFailure("x", known)).toBe(known);
    expect(lostLink("x", known)).toBe(known);
  });
});
