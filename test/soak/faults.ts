import type { StationErrorKind } from "../../src/client/node.js";
import { systemClock } from "../../src/kernel/clock.js";
import { childrenByName } from "./processes.js";
import type { Scene } from "./scene.js";
import type { Station } from "./station.js";

/** What a fault may lay hands on. */
export interface Field {
  readonly scene: Scene;
  readonly station: Station;
}

/** One thing that goes wrong, with the errors that are right for it. */
export interface Fault {
  readonly kinds: readonly StationErrorKind[];
  /** False: there was nothing to strike. */
  strike(field: Field): Promise<boolean | undefined> | boolean | undefined;
  mend?(field: Field): Promise<void>;
  /** What must be so besides a device that is ready. */
  well?(field: Field): Promise<boolean> | boolean;
}

type Table = Readonly<Record<string, Fault>>;
type Act = readonly [action: string, params?: Record<string, unknown>];

/** A device that is away, or comes back. */
const AWAY: readonly StationErrorKind[] = ["device_absent", "device_fault", "timeout", "canceled"];
const clock = systemClock();

const knob = (device: string, on: Act, off: Act | undefined, kinds: readonly StationErrorKind[]): Fault => ({
  kinds,
  async strike({ scene }) {
    await scene.act(device, ...on);
    return true;
  },
  ...(off ? { mend: ({ scene }: Field) => scene.act(device, ...off) } : {}),
});
const cable = (device: string, kinds: readonly StationErrorKind[]): Fault => knob(device, ["unplug"], ["plug"], kinds);

/** Its process, which another one has to take the place of. */
function child(device: string, signal: "SIGKILL" | "SIGSTOP" | "SIGSEGV", kinds: readonly StationErrorKind[]): Fault {
  let struck = 0;
  const pidOf = ({ scene, station }: Field): number | undefined =>
    childrenByName(station.agent.pid ?? 0, scene.ports).find(([, name]) => name === device)?.[0];
  return {
    kinds,
    strike(field) {
      const pid = pidOf(field);
      if (pid === undefined) return false;
      struck = pid;
      process.kill(pid, signal);
      return true;
    },
    well: (field) => !childrenByName(field.station.agent.pid ?? 0, field.scene.ports).some(([pid]) => pid === struck),
  };
}
const killed = (device: string, kinds: readonly StationErrorKind[]): Table => ({
  killed: child(device, "SIGKILL", kinds),
  crashed: child(device, "SIGSEGV", kinds),
  stopped: child(device, "SIGSTOP", kinds),
});

const PRINTER: readonly StationErrorKind[] = [...AWAY, "paper_out", "cover_open", "paper_jam"];
const TERMINAL: readonly StationErrorKind[] = [...AWAY, "busy", "terminal_busy", "payment_unresolved"];
const PAPERS: readonly StationErrorKind[] = [...AWAY, "busy", "document_jam", "cover_open", "feeder_empty", "scan_empty"];
const CAMERA: readonly StationErrorKind[] = [...AWAY, "camera_lost"];
const READER: readonly StationErrorKind[] = [...AWAY, "card_removed", "card_absent", "card_error"];

/** No payment is unknown any more. */
async function settled({ station }: Field, device: string): Promise<boolean> {
  const { jobs } = await station.technician.call("jobs.list", { open: true, limit: 200 }).catch(() => ({ jobs: undefined }));
  return jobs?.every((job) => job.device !== device || !["unknown", "resolving"].includes(job.state)) ?? false;
}
const terminalFaults = (device: string, faults: readonly Record<string, unknown>[], own: Table): Table =>
  Object.fromEntries(
    Object.entries({
      ...Object.fromEntries(
        faults.map((fault): [string, Fault] => [
          [fault.fault, fault.step].filter(Boolean).join(" "),
          knob(device, ["inject", fault], ["clearFaults"], TERMINAL),
        ]),
      ),
      cable: cable(device, TERMINAL),
      restart: knob(device, ["reboot", { history: "kept" }], undefined, TERMINAL),
      ...own,
    }).map(([name, fault]): [string, Fault] => [
      name,
      { ...fault, well: async (field) => ((await fault.well?.(field)) ?? true) && (await settled(field, device)) },
    ]),
  );

/** The configuration is read again, and the device has another setting in it. */
function reload(): Fault {
  let turn = 0;
  return {
    kinds: [...PAPERS, "shutting_down"],
    strike({ station }) {
      station.reconfigure(++turn);
      station.agent.hangUp();
      return true;
    },
  };
}

/** Device → fault → what it is. `imaging` and `pictures` are nobody's: their processes draw and decode. */
export function faultsOf(scene: Scene): Readonly<Record<string, Table>> {
  const papers = (fault: string, more: Record<string, unknown> = {}): Fault =>
    knob("documents", ["inject", { fault, ...more }], ["clearFaults"], PAPERS);
  return {
    receipt: {
      "paper out": knob("receipt", ["paperOut"], ["refill"], PRINTER),
      cover: knob("receipt", ["openCover"], ["closeCover"], PRINTER),
      jam: knob("receipt", ["jamCutter"], ["clearJam"], PRINTER),
      offline: knob("receipt", ["offline"], ["offline", { on: false }], PRINTER),
      "power lost": knob("receipt", ["powerOff"], ["powerOn"], PRINTER),
      cable: cable("receipt", PRINTER),
      "slow line": knob("receipt", ["slowLink", { bytesPerSecond: 2_000 }], ["slowLink", { bytesPerSecond: 0 }], PRINTER),
      "answers lost": knob("receipt", ["loseReplies", { count: 3 }], ["loseReplies", { count: 0 }], PRINTER),
      ...killed("receipt", PRINTER),
    },
    scanner: { cable: cable("scanner", AWAY), ...killed("scanner", AWAY) },
    "scanner-hid": { cable: cable("scanner-hid", AWAY) },
    terminal: terminalFaults(
      "terminal",
      [
        { fault: "nak", times: 2 },
        { fault: "bad-crc" },
        { fault: "ack-not-sent" },
        { fault: "fragments" },
        { fault: "silence", ms: 2_000 },
        { fault: "abort-instead", code: 0x6c },
        { fault: "completion-dropped" },
        { fault: "duplicate-status-information" },
        { fault: "disconnect", step: "host-answered" },
        { fault: "disconnect", step: "answer-taken" },
      ],
      killed("terminal", TERMINAL),
    ),
    "terminal-lan": terminalFaults(
      "terminal-lan",
      ["http-error", "truncated-body", "garbage", "bad-hmac", "fragments"].map((fault) => ({ fault, category: "Payment" })),
      {},
    ),
    documents: {
      cover: knob("documents", ["openCover"], ["closeCover"], PAPERS),
      jam: knob("documents", ["jam"], ["clearJam"], PAPERS),
      cable: cable("documents", PAPERS),
      busy: papers("busy", { times: 5 }),
      cut: papers("cut"),
      hang: papers("hang"),
      gone: papers("gone"),
      unavailable: papers("unavailable"),
      error: papers("error"),
      "damaged picture": papers("damaged-jpeg"),
      reload: reload(),
      "decoder killed": child("documents", "SIGKILL", PAPERS),
    },
    camera: {
      cable: cable("camera", CAMERA),
      frozen: knob("camera", ["freeze"], ["freeze", { on: false }], CAMERA),
      damaged: knob("camera", ["corrupt", { frames: 3 }], undefined, CAMERA),
      "pictures left out": knob("camera", ["drop", { frames: 5 }], undefined, CAMERA),
      "decoder killed": child("documents", "SIGKILL", CAMERA),
    },
    ...(scene.cameras.includes("webcam")
      ? { webcam: { killed: child("webcam", "SIGKILL", CAMERA), stopped: child("webcam", "SIGSTOP", CAMERA) } }
      : {}),
    "id-reader": {
      ...(scene.pcscd
        ? {
            ...killed("id-reader", READER),
            "service killed": {
              kinds: READER,
              async strike() {
                await scene.pcscd?.kill();
                return true;
              },
              mend: async () => await scene.pcscd?.start(),
            },
            "service frozen": {
              kinds: READER,
              strike() {
                scene.pcscd?.freeze();
                return true;
              },
              mend: async () => scene.pcscd?.thaw(),
            },
          }
        : {}),
      "card slow": knob("id-reader", ["card", { delayMs: 20 }], ["card", {}], READER),
    },
    imaging: killed("imaging", ["timeout"]),
  };
}

/** Devices whose readiness nobody sees: they have none. */
const NO_DEVICE = new Set(["imaging"]);
const LOOK_MS = 50;

/** Resolves when the device can be used again and all that it left open is known; false: not in this time. */
export async function recovered(field: Field, device: string, fault: Fault, withinMs: number): Promise<boolean> {
  const giveUpAt = clock.monotonicMs() + withinMs;
  for (;;) {
    const leftMs = giveUpAt - clock.monotonicMs();
    if (leftMs <= 0) return false;
    const well = (await fault.well?.(field)) ?? true;
    if (well && (NO_DEVICE.has(device) || (await field.station.ready(device, leftMs)))) return true;
    await clock.sleep(LOOK_MS);
  }
}
