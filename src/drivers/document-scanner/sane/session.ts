import type { Clock } from "../../../kernel/clock.js";
import { raceSignal } from "../../../kernel/deadline.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { ProgramLink } from "../../../kernel/program.js";
import { isDeviceName } from "./arguments.js";
import type { SaneConfig } from "./config.js";
import { addOption, type SaneOption, type SaneOptions } from "./options.js";
import { failureOf } from "./status.js";

/** Of what scanimage complains of; the rest is forgotten. */
const MOST_SAID = 50;
const MOST_DEVICES = 64;

export interface Found {
  readonly name: string;
  readonly vendor: string;
  readonly model: string;
}

export interface Session {
  readonly link: ProgramLink;
  readonly clock: Clock;
  readonly config: SaneConfig;
  /** Aborts, with the reason, when the device has ended. */
  readonly signal: AbortSignal;
  readonly found: Found;
  readonly options: SaneOptions;
  /** One run of scanimage after the other. On abort it rejects at once; the next run waits until scanimage is gone. */
  run: ProgramLink["run"];
  /** One piece of work after the other. */
  inTurn<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Looks again under which name the scanner is there. @throws DeviceError `device_absent` */
  findAgain(signal: AbortSignal): Promise<void>;
  end(reason: DeviceError): Promise<void>;
}

export async function startSession(link: ProgramLink, clock: Clock, config: SaneConfig, signal: AbortSignal): Promise<Session> {
  const over = new AbortController();
  let lastRun: Promise<unknown> = Promise.resolve();
  let lastWork: Promise<unknown> = Promise.resolve();
  const run: ProgramLink["run"] = (args, output, caller) => {
    const before = lastRun;
    const mine = (async () => {
      await before;
      caller.throwIfAborted();
      return await link.run(args, output, caller);
    })();
    lastRun = mine.catch(() => {});
    return raceSignal(mine, caller);
  };
  let found = await find(link.device, run, signal);
  const options = await readOptions(run, found.name, signal);
  return {
    link,
    run,
    clock,
    config,
    signal: over.signal,
    get found() {
      return found;
    },
    options,
    inTurn(work, caller) {
      const either = AbortSignal.any([caller, over.signal]);
      const before = lastWork;
      const mine = (async () => {
        await before;
        either.throwIfAborted();
        return await work(either);
      })();
      lastWork = mine.catch(() => {});
      return raceSignal(mine, either);
    },
    async findAgain(caller) {
      found = await find(link.device, run, caller);
    },
    async end(reason) {
      over.abort(reason);
      await link.close();
    },
  };
}

/** Device names move (`libusb:001:004`), so they are looked up and not kept in a config. */
async function find(wanted: string | undefined, run: ProgramLink["run"], signal: AbortSignal): Promise<Found> {
  const list: Found[] = [];
  const { code, stopped } = await run(
    ["-f", "%d\t%v\t%m%n"],
    {
      stdout(line) {
        const [name = "", vendor = "", model = ""] = line.split("\t");
        if (isDeviceName(name) && list.length < MOST_DEVICES) list.push({ name, vendor: vendor.slice(0, 64), model: model.slice(0, 64) });
      },
    },
    signal,
  );
  if (stopped || code !== 0)
    throw new DeviceError("device_fault", { message: "scanners cannot be listed", hint: "Look what `scanimage -L` says" });
  const fitting = wanted === undefined ? list : list.filter(({ name }) => name.startsWith(wanted));
  const chosen = fitting.find(({ name }) => name === wanted) ?? fitting[0];
  const details = { scanners: list.map(({ name }) => name) };
  if (!chosen) {
    const hint = "Check its cable and power, and whether `scanimage -L` shows it under the name in link.device";
    throw new DeviceError("device_absent", { message: "there is no such scanner", hint, details });
  }
  if (wanted === undefined && list.length > 1) {
    throw new DeviceError("device_fault", { message: "there are several scanners", hint: "Name one in link.device", details });
  }
  return chosen;
}

async function readOptions(run: ProgramLink["run"], device: string, signal: AbortSignal): Promise<SaneOptions> {
  const options = new Map<string, SaneOption>();
  const said: string[] = [];
  const { code, stopped } = await run(
    [`--device-name=${device}`, "--all-options"],
    { stdout: (line) => addOption(options, line), stderr: keepLines(said) },
    signal,
  );
  if (stopped || code !== 0) throw failureOf(code, said).error;
  return options;
}

/** Keeps what scanimage complains of; what it tells of pages and progress is none. */
export function keepLines(said: string[]): (line: string) => void {
  return (line) => {
    if (said.length < MOST_SAID && line.includes("scanimage: ")) said.push(line);
  };
}
