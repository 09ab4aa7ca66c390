import { writeFile } from "node:fs/promises";
import { systemClock } from "../src/kernel/clock.js";
import { DeviceError, type Json } from "../src/kernel/errors.js";
import { systemRandom } from "../src/kernel/random.js";
import { serveGadget } from "./gadget/serve.js";
import { serveUhid } from "./gadget/uhid.js";
import { simulatorKinds } from "./index.js";
import { connectTcp, type Served, servePty, serveTcp } from "./serve.js";
import type { Simulator } from "./simulator.js";

/** One picture for a burst of changes. */
const PAPER_DEBOUNCE_MS = 100;

export interface RunSimulatorOptions {
  readonly kind: string;
  /**
   * Where to listen: `tcp:HOST:PORT` or `pty:PATH`; or what to be: `gadget:SERIAL`, a USB device at a controller of this machine,
   * `uhid:SERIAL`, a HID device of its kernel; or, with `connect`, the virtual reader to go to: `tcp:HOST:PORT`.
   */
  readonly wire: string;
  /** A card goes to a reader that listens, as vsmartcard's does behind pcscd. */
  readonly connect?: boolean | undefined;
  /** Knobs, checked by the kind's own schema. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Where a picture of the paper is kept, for kinds that have paper. */
  readonly paperFile?: string | undefined;
  /** Where the certificate authority is written as PEM, for kinds that speak TLS. */
  readonly authorityFile?: string | undefined;
  /** Ends the run. */
  readonly signal: AbortSignal;
  onChange?(state: Readonly<Record<string, Json>>): void;
  /** The wire is up: where it really is (port 0 is resolved). A card that connects out tells it at once. */
  onListening?(address: string): void;
}

/**
 * Runs one simulator by itself until the signal aborts.
 * @throws DeviceError `invalid_params` (kind, knob, address or file), `busy` (port), `unsupported` (no socat, no paper, no certificate)
 */
export async function runSimulator(run: RunSimulatorOptions): Promise<void> {
  const { signal, paperFile, authorityFile } = run;
  if (signal.aborted) return;
  const clock = systemClock();
  let drawing: Disposable | undefined;
  let drawn = Promise.resolve();
  let failure: unknown;
  const draw = (): void => {
    drawing = undefined;
    drawn = drawn
      .then(() => writePaper(simulator, paperFile))
      .catch((thrown) => {
        failure ??= thrown;
        ended();
      });
  };

  let ended = (): void => {};
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  let told = (): void => {};
  const simulator = make(run, clock, () => {
    run.onChange?.(simulator.state());
    told();
    if (paperFile !== undefined) drawing ??= clock.timer(PAPER_DEBOUNCE_MS, draw);
  });
  if (paperFile !== undefined && !simulator.actions.paper) {
    throw new DeviceError("unsupported", { message: `a ${run.kind} has no paper`, hint: "Leave the paper's file out" });
  }

  if (authorityFile !== undefined) await writeAuthority(simulator, authorityFile);
  const { served, address } = await serve(simulator, run);
  told = served.changed ?? told;
  signal.addEventListener("abort", ended, { once: true });
  try {
    run.onListening?.(address);
    // Listening keeps the process alive; this only waits to be told to stop.
    if (!signal.aborted) await over;
  } finally {
    signal.removeEventListener("abort", ended);
    drawing?.[Symbol.dispose]();
    await simulator.close();
    await served.close();
    if (paperFile !== undefined && failure === undefined) draw();
    await drawn;
  }
  if (failure !== undefined) {
    throw new DeviceError("invalid_params", {
      message: `cannot write ${paperFile}`,
      hint: "Name a file that can be written",
      cause: failure,
    });
  }
}

function make(run: RunSimulatorOptions, clock: ReturnType<typeof systemClock>, changed: () => void): Simulator {
  const kind = simulatorKinds.find((candidate) => candidate.kind === run.kind);
  if (!kind) {
    const kinds = simulatorKinds.map((candidate) => candidate.kind);
    throw new DeviceError("invalid_params", {
      message: `no simulator of kind ${run.kind}`,
      hint: `Choose one of: ${kinds.join(", ")}`,
      details: { kinds },
    });
  }
  const parsed = kind.options.safeParse(run.options);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const knob = issue?.path.join(".") ?? "";
    throw new DeviceError("invalid_params", { message: `knob ${knob}: ${issue?.message}`.replace("knob :", "knobs:") });
  }
  return kind.create(parsed.data, { clock, random: systemRandom, changed });
}

async function serve(
  simulator: Simulator,
  { wire, connect }: RunSimulatorOptions,
): Promise<{ served: Served & { changed?(): void }; address: string }> {
  const [, host, port] = /^tcp:(.+):(\d{1,5})$/.exec(wire) ?? [];
  if (host !== undefined && Number(port) <= 65_535) {
    const address = { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
    if (connect) return { served: connectTcp(simulator, address), address: wire };
    const served = await serveTcp(simulator, address);
    return { served, address: `tcp:${host}:${served.port}` };
  }
  if (!connect && wire.startsWith("pty:") && wire.length > 4) return { served: await servePty(simulator, wire.slice(4)), address: wire };
  const [, kernel, serial] = /^(gadget|uhid):([\w-]{1,32})$/.exec(wire) ?? [];
  if (!connect && serial !== undefined)
    return { served: await (kernel === "gadget" ? serveGadget : serveUhid)(simulator, serial), address: wire };
  throw new DeviceError("invalid_params", {
    message: `no wire ${wire}`,
    hint: `Give tcp:HOST:PORT${connect ? "" : ", pty:PATH, gadget:SERIAL or uhid:SERIAL"}`,
  });
}

async function writeAuthority({ kind, authority }: Simulator, file: string): Promise<void> {
  if (authority === undefined)
    throw new DeviceError("unsupported", { message: `a ${kind} has no certificate`, hint: "Leave the authority's file out" });
  try {
    await writeFile(file, authority);
  } catch (cause) {
    throw new DeviceError("invalid_params", { message: `cannot write ${file}`, hint: "Name a file that can be written", cause });
  }
}

async function writePaper(simulator: Simulator, file: string | undefined): Promise<void> {
  const picture = await simulator.actions.paper?.act({});
  if (picture && file !== undefined) await writeFile(file, picture.png);
}
