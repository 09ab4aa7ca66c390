import { type DeviceFile, openDeviceFile } from "../../../simulators/gadget/device-file.js";

/** QEMU's monitor: devices of the machine come and go as if a hand plugged them. */
export interface Monitor {
  add(device: Readonly<Record<string, unknown>>): Promise<void>;
  remove(id: string): Promise<void>;
}

interface Reply {
  readonly id?: number;
  readonly error?: { readonly desc: string };
}

export async function openMonitor(path = "/dev/virtio-ports/qmp"): Promise<Monitor> {
  const file: DeviceFile = await openDeviceFile(path);
  const never = new AbortController().signal;
  const waiting = new Map<number, (reply: Reply) => void>();
  let next = 1;
  void (async () => {
    let text = "";
    for (;;) {
      text += Buffer.from(await file.read(never)).toString();
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines.filter((candidate) => candidate.trim() !== "")) {
        const reply = JSON.parse(line) as Reply;
        if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
      }
    }
  })();
  const execute = async (command: string, args: Readonly<Record<string, unknown>> = {}): Promise<void> => {
    const id = next++;
    const replied = new Promise<Reply>((resolve) => waiting.set(id, resolve));
    await file.write(Buffer.from(`${JSON.stringify({ execute: command, arguments: args, id })}\n`), never);
    const { error } = await replied;
    waiting.delete(id);
    if (error) throw new Error(`${command}: ${error.desc}`);
  };
  await execute("qmp_capabilities");
  // What a removed device had is free a moment after the answer to its removal.
  const add = async (device: Readonly<Record<string, unknown>>, tries = 100): Promise<void> => {
    try {
      await execute("device_add", device);
    } catch (thrown) {
      if (tries === 0 || !String(thrown).includes("is in use")) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 50));
      await add(device, tries - 1);
    }
  };
  return {
    add,
    remove: (id) => execute("device_del", { id }),
  };
}
