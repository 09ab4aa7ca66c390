import { type FileHandle, open } from "node:fs/promises";
import { expect, it } from "vitest";
import { DeviceError } from "../../src/kernel/errors.js";
import { openPtyPair, realSerialStack } from "../../src/transports/testing/pty.js";
import { openDeviceFile } from "./device-file.js";

const never = new AbortController().signal;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function heard(far: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await far.read(new Uint8Array(64), 0, 64);
  return new TextDecoder().decode(buffer.subarray(0, bytesRead));
}

it.skipIf(!(await realSerialStack()))(
  "waits for what comes, and is over when it is closed; its number serves the next file as well",
  async () => {
    await using pair = await openPtyPair();
    const far = await open(pair.b, "r+");
    try {
      for (let turn = 0; turn < 3; turn++) {
        const file = await openDeviceFile(pair.a);
        const stopped = new AbortController();
        const waiting = file.read(stopped.signal);
        stopped.abort(new DeviceError("canceled"));
        await expect(waiting).rejects.toMatchObject({ kind: "canceled" });
        const next = file.read(never);
        await far.write(bytes(`turn ${turn}`));
        expect(new TextDecoder().decode(await next)).toBe(`turn ${turn}`);
        await file.write(bytes("answer"), never);
        expect(await heard(far)).toBe("answer");
        const last = expect(file.read(never)).rejects.toMatchObject({ kind: "device_absent" });
        await file.close();
        await last;
        await file.closed;
      }
    } finally {
      await far.close();
    }
  },
);
