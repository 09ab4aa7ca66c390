import { readFile, stat } from "node:fs/promises";
import { servePty, serveTcp } from "../../simulators/serve.js";
import type { Simulator } from "../../simulators/simulator.js";
import { systemClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Translate } from "../languages/translate.js";
import { MOST_RECORDING_BYTES, type Recording } from "../transports/replay.js";
import { type ReplayedDevice, replayedDevice } from "../transports/replay-far-end.js";
import { plain, type Terminal } from "./terminal.js";

export interface ReplayRun {
  readonly file: string;
  /** `tcp:HOST:PORT` or `pty:PATH`. */
  readonly wire: string;
  readonly json: boolean;
}

/** Runs until Ctrl-C, SIGTERM, or the agent did something else than was recorded: then the error that says where. */
export async function runReplay(terminal: Terminal, { file, wire, json }: ReplayRun): Promise<DeviceError | undefined> {
  const { size } = await stat(file);
  if (size > MOST_RECORDING_BYTES) throw new DeviceError("too_large", { message: `${file} is too long for a recording` });
  const ended = new AbortController();
  const end = (): void => ended.abort();
  let different: DeviceError | undefined;
  const diverged = (error: DeviceError): void => {
    different = error;
    end();
  };
  const { recording, device } = replayedDevice(await readFile(file, "utf8"), { clock: systemClock(), diverged });
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  try {
    const { address, close } = await serve(device, wire);
    try {
      terminal.out(json ? `${JSON.stringify({ listening: address })}\n` : aboutText(recording, address, terminal.t));
      if (!ended.signal.aborted) await new Promise((resolve) => ended.signal.addEventListener("abort", resolve, { once: true }));
    } finally {
      await close();
    }
  } finally {
    process.removeListener("SIGINT", end);
    process.removeListener("SIGTERM", end);
  }
  if (different) {
    if (json) terminal.out(`${JSON.stringify({ diverged: { message: different.message, hint: different.hint } })}\n`);
    else terminal.note(`stationd: ${plain(terminal.t(different.message))}\n  ${plain(terminal.t(different.hint))}\n`);
  }
  return different;
}

async function serve(device: ReplayedDevice, wire: string): Promise<{ readonly address: string; close(): Promise<void> }> {
  const [, host = "", digits = ""] = /^tcp:(.+):(\d{1,5})$/.exec(wire) ?? [];
  const at = { host, port: Number(digits) };
  const isTcp = host !== "" && at.port <= 65_535;
  if (device.speaks === "http") {
    if (!isTcp) throw new DeviceError("invalid_params", { message: "this device is reached over TCP", hint: "Use --listen tcp:HOST:PORT" });
    const { port, close } = await device.listen(at);
    return { address: `http ${host} ${port}`, close };
  }
  const simulator = asSimulator(device);
  if (isTcp) {
    const { port, close } = await serveTcp(simulator, at);
    return { address: `tcp ${host} ${port}`, close };
  }
  const [, path] = /^pty:(.+)$/.exec(wire) ?? [];
  if (path === undefined) throw new DeviceError("invalid_params", { message: `no address: ${wire}`, hint: "Write tcp:HOST:PORT" });
  const { close } = await servePty(simulator, path);
  return { address: `serial ${path}`, close };
}

/** What is served as simulated devices are. */
function asSimulator({ attach }: Extract<ReplayedDevice, { speaks: "bytes" }>): Simulator {
  return { kind: "replay", attach, detach() {}, actions: {}, state: () => ({}), reset() {}, close: async () => {} };
}

function aboutText({ head, frames }: Recording, address: string, t: Translate): string {
  const [kind = "", host = "", port = ""] = address.split(" ");
  const link = kind === "serial" ? `{ kind = "serial", path = "${host}" }` : `{ kind = "${kind}", host = "${host}", port = ${port} }`;
  const made = head && t`${head.device} (${head.driver}), recorded ${new Date(head.startedAt).toISOString()} by stationd ${head.version}`;
  return [
    t`${plain(made ?? t`a recording`)}: ${frames.length} exchanges`,
    t`Let the device's table in the configuration say, with its other settings as they were:`,
    `  link = ${plain(link)}`,
    t`Ctrl-C ends.`,
    "",
  ].join("\n");
}
