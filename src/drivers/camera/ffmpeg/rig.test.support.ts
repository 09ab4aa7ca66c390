import type { CameraFrame, CameraViewer } from "../../../contracts/camera.js";
import type { Condition } from "../../../contracts/driver.js";
import { asciiBytes, concatBytes } from "../../../kernel/bytes.js";
import { type ManualClock, manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import { type Connect, createInbox, type Link } from "../../../kernel/link.js";
import { silentLog } from "../../../kernel/log.js";
import { seededRandom } from "../../../kernel/random.js";
import { ffmpeg } from "./driver.js";

export const jpeg = (...inside: number[]): Uint8Array => Uint8Array.of(0xff, 0xd8, ...inside, 0xff, 0xd9);

/** A plug that cameras are connected to: what each connection does is the test's to say. */
export function socket(description = "test") {
  const links: { send(bytes: Uint8Array): void; cut(reason?: DeviceError): void; readonly open: boolean }[] = [];
  let refusal: DeviceError | undefined;
  const plug = {
    links,
    /** Connections that nobody has closed. */
    get open() {
      return links.filter((link) => link.open).length;
    },
    get last() {
      const last = links.at(-1);
      if (!last) throw new DeviceError("internal");
      return last;
    },
    refuse(reason: DeviceError | undefined) {
      refusal = reason;
    },
    async connect(signal: AbortSignal): Promise<Link> {
      signal.throwIfAborted();
      if (refusal) throw refusal;
      const inbox = createInbox();
      let over = (): void => {};
      let open = true;
      const closed = new Promise<void>((resolve) => {
        over = resolve;
      });
      const cut = (reason = new DeviceError("device_absent", { message: "gone" })): void => {
        inbox.end(reason);
        open = false;
        over();
      };
      inbox.push(asciiBytes("--stationd\r\n"));
      links.push({
        send: (bytes) => void inbox.push(bytes),
        cut,
        get open() {
          return open;
        },
      });
      return { description, read: (reading) => inbox.read(reading), write: async () => {}, close: async () => cut(), closed };
    },
    /** One picture on the newest connection. */
    frame: (bytes: Uint8Array) =>
      plug.last.send(concatBytes([asciiBytes(`Content-length: ${bytes.length}\r\n\r\n`), bytes, asciiBytes("\r\n--stationd\r\n")])),
  };
  return plug;
}

export interface Watching extends CameraViewer {
  readonly seen: CameraFrame[];
  readonly losses: DeviceError[];
}

export function watching(): Watching {
  const seen: CameraFrame[] = [];
  const losses: DeviceError[] = [];
  return { seen, losses, frame: (frame) => void seen.push(frame), lost: (reason) => void losses.push(reason) };
}

export async function camera(settings: Record<string, unknown> = {}, clock: ManualClock = manualClock(), plug = socket()) {
  return { ...(await openCamera(settings, clock, plug.connect)), plug };
}

export async function openCamera(settings: Record<string, unknown>, clock: ManualClock, connect: Connect) {
  const conditions: Condition[] = [];
  const controller = new AbortController();
  const device = await ffmpeg.open(ffmpeg.config.parse(settings), {
    device: "face",
    connect,
    clock,
    random: seededRandom(1),
    log: silentLog,
    signal: controller.signal,
    imaging: { draw: async () => [], png: async () => new Uint8Array() },
    simulated: false,
    report: (condition) => conditions.push(condition),
  });
  return { device, clock, conditions, controller };
}
