import type { Camera, CameraFrame } from "../contracts/camera.js";
import type { Documents, Picture } from "../contracts/imaging.js";
import type { Clock } from "../kernel/clock.js";
import { deadline, raceSignal } from "../kernel/deadline.js";
import { DeviceError, type Json } from "../kernel/errors.js";
import type { Call, Caller, FrameOutlet } from "../protocol/call.js";
import type { Params, Result } from "../protocol/methods.js";
import type { Bay } from "./bay.js";
import { marked } from "./handler-context.js";

type CameraBay = Bay<"camera">;
type Gates = NonNullable<Params<"camera.snapshot">["quality"]>;
type Box = { readonly maxWidthPx?: number; readonly maxHeightPx?: number };

interface Preview {
  bay: CameraBay;
  readonly caller: Caller;
  readonly outlet: FrameOutlet;
  sent: number;
  dropped: number;
  /** Its camera stands in another bay now. */
  moved(): void;
}

export interface CameraServiceContext {
  readonly clock: Clock;
  readonly documents: Documents;
}

/** Who looks through which camera. Pictures pass through and are kept nowhere. */
export class CameraService {
  readonly #clock: Clock;
  readonly #documents: Documents;
  readonly #previews = new Map<number, Preview>();

  constructor({ clock, documents }: CameraServiceContext) {
    this.#clock = clock;
    this.#documents = documents;
  }

  /** A camera whose settings changed: whoever looks goes on with them. */
  adopt(bay: CameraBay, former: CameraBay | undefined): void {
    for (const preview of this.#previews.values()) {
      if (preview.bay !== former) continue;
      preview.bay = bay;
      preview.moved();
    }
  }

  async snapshot(bay: CameraBay, params: Params<"camera.snapshot">, call: Call): Promise<Result<"camera.snapshot">> {
    bay.claims.check(call.caller);
    const { quality: gates = {}, timeoutMs, maxWidthPx, maxHeightPx } = params;
    const box = boxOf({ maxWidthPx, maxHeightPx });
    // Whoever asks for a good picture is told what was wrong with it, which takes an answer of our own before the time is over.
    using enough = deadline(this.#clock, 0.9 * timeoutMs, call.signal);
    let last: { readonly picture: Picture; readonly lacks: Json } | undefined;
    let fault: DeviceError | undefined;
    try {
      return await bay.look(enough.signal, async (camera, signal) => {
        call.progress("waiting");
        using pictures = picturesOf(camera);
        for (;;) {
          const { jpeg, capturedAt } = await pictures.next(signal);
          call.progress("judging");
          const picture = await this.#documents.picture(jpeg, box, signal).catch(damaged);
          // Cameras send a damaged picture now and then; the next one is good.
          if (picture instanceof DeviceError) {
            fault = picture;
            continue;
          }
          const lacks = lacking(picture, gates);
          if (lacks === undefined) {
            const { bytes, widthPx, heightPx, quality } = picture;
            const image = await call.blob("image/jpeg", bytes);
            return { ...marked(bay), image, widthPx, heightPx, capturedAt, quality } as Result<"camera.snapshot">;
          }
          last = { picture, lacks };
        }
      });
    } catch (thrown) {
      if (!enough.signal.aborted || call.signal.aborted) throw thrown;
      if (!last) throw fault ? bay.named(fault) : thrown;
      const details = { measured: { ...last.picture.quality }, lacks: last.lacks };
      throw new DeviceError("quality_rejected", { device: bay.spec.id, details });
    }
  }

  async startPreview(bay: CameraBay, params: Params<"camera.startPreview">, call: Call): Promise<Result<"camera.startPreview">> {
    bay.claims.check(call.caller);
    const camera = await raceSignal(bay.opened(call.signal), call.signal);
    if (camera.still) throw new DeviceError("unsupported", { device: bay.spec.id, message: "this camera gives stills only" });
    const outlet = call.stream();
    const preview: Preview = { bay, caller: call.caller, outlet, sent: 0, dropped: 0, moved: () => {} };
    this.#previews.set(outlet.channel, preview);
    outlet.closed.addEventListener("abort", () => this.#previews.delete(outlet.channel), { once: true });
    void this.#show(preview, params).catch(() => {}); // it ends with the outlet only
    return { ...marked(bay), channel: outlet.channel, mediaType: "image/jpeg" } as Result<"camera.startPreview">;
  }

  /** False: this session has no such preview. */
  stopPreview(channel: number, { session }: Caller): boolean {
    const preview = this.#previews.get(channel);
    if (preview?.caller.session !== session) return false;
    preview.outlet.close();
    return true;
  }

  /** Nobody of this session looks any more. */
  sessionEnded({ session }: Caller): void {
    for (const { caller, outlet } of this.#previews.values()) if (caller.session === session) outlet.close();
  }

  async stats(bay: CameraBay, call: Call): Promise<Result<"camera.stats">> {
    const camera = await raceSignal(bay.opened(call.signal), call.signal);
    const previews = [...this.#previews.values()]
      .filter((preview) => preview.bay === bay)
      .map(({ caller, sent, dropped }) => ({ client: caller.client, sent, dropped }));
    return { ...marked(bay), ...camera.stats(), previews } as Result<"camera.stats">;
  }

  /** Shows what the camera sees until the outlet closes, over its losses and returns. */
  async #show(preview: Preview, params: Params<"camera.startPreview">): Promise<void> {
    const { outlet } = preview;
    const frame = this.#forwarder(preview, params);
    while (!outlet.closed.aborted) {
      const moving = new AbortController();
      preview.moved = () => moving.abort();
      const camera = await preview.bay.whenOpen(AbortSignal.any([outlet.closed, moving.signal])).catch(() => undefined);
      if (!camera) continue;
      let view: Disposable | undefined;
      const lost = new Promise<void>((resolve) => {
        view = camera.view({ frame, lost: () => resolve() });
      });
      // Lost, closed just now, or nobody looks any more: the loop knows.
      await raceSignal(lost, outlet.closed).catch(() => {});
      view?.[Symbol.dispose]();
      // The bay has yet to hear what the viewers were told.
      await this.#clock.sleep(LOST_PAUSE_MS, outlet.closed);
    }
  }

  #forwarder(preview: Preview, { maxFps, maxWidthPx }: Params<"camera.startPreview">): (frame: CameraFrame) => void {
    const { outlet } = preview;
    const intervalMs = 1_000 / maxFps;
    let due = Number.NEGATIVE_INFINITY;
    let busy = false;
    const send = (jpeg: Uint8Array, capturedAt: number): void => {
      if (outlet.send(jpeg, capturedAt)) preview.sent += 1;
      else preview.dropped += 1;
    };
    const shrink = async (width: number, { jpeg, capturedAt }: CameraFrame): Promise<void> => {
      const { bytes } = await this.#documents.picture(jpeg, { maxWidthPx: width }, outlet.closed);
      send(bytes, capturedAt);
    };
    return (frame) => {
      const now = this.#clock.monotonicMs();
      // A camera's pictures do not come like a clock's ticks: a quarter of an interval early is in time.
      if (busy || now < due - intervalMs / 4) {
        preview.dropped += 1;
        return;
      }
      due = Math.max(due, now - CREDIT_MS) + intervalMs;
      if (maxWidthPx === undefined) return send(frame.jpeg, frame.capturedAt);
      busy = true;
      void shrink(maxWidthPx, frame)
        .catch(() => {
          preview.dropped += 1;
        })
        .finally(() => {
          busy = false;
        });
    };
  }
}

const LOST_PAUSE_MS = 200;
/** Pictures that a busy machine held up come close together, and are not too many for that. */
const CREDIT_MS = 250;

/** What a picture that cannot be read is answered with; any other failure stays one. */
function damaged(thrown: unknown): DeviceError {
  if (thrown instanceof DeviceError && thrown.kind === "device_fault") return thrown;
  throw thrown;
}

function boxOf({ maxWidthPx, maxHeightPx }: { maxWidthPx: number | undefined; maxHeightPx: number | undefined }): Box {
  return { ...(maxWidthPx === undefined ? {} : { maxWidthPx }), ...(maxHeightPx === undefined ? {} : { maxHeightPx }) };
}

/** The next picture each time it is asked for, never one from before. */
function picturesOf(camera: Camera): { next(signal: AbortSignal): Promise<CameraFrame> } & Disposable {
  if (camera.still)
    return { next: (signal) => camera.still?.(signal) ?? Promise.reject(new DeviceError("unsupported")), [Symbol.dispose]() {} };
  let waiting: { resolve(frame: CameraFrame): void; reject(reason: DeviceError): void } | undefined;
  let gone: DeviceError | undefined;
  const view = camera.view({
    frame: (frame) => waiting?.resolve(frame),
    lost: (reason) => {
      gone = reason;
      waiting?.reject(reason);
    },
  });
  return {
    next: (signal) =>
      raceSignal(
        new Promise<CameraFrame>((resolve, reject) => {
          waiting = { resolve, reject };
          if (gone) reject(gone);
        }),
        signal,
      ),
    [Symbol.dispose]: () => view[Symbol.dispose](),
  };
}

/** What a picture lacks, by the name of the gate, with what was measured; undefined where it is good enough. */
function lacking({ quality }: Picture, gates: Gates): Json | undefined {
  const below = (measured: number, least: number | undefined): boolean => least !== undefined && measured < least;
  const above = (measured: number, most: number | undefined): boolean => most !== undefined && measured > most;
  const lacks = [
    ...(below(quality.sharpness, gates.minSharpness) ? ["minSharpness"] : []),
    ...(below(quality.brightness, gates.minBrightness) ? ["minBrightness"] : []),
    ...(above(quality.brightness, gates.maxBrightness) ? ["maxBrightness"] : []),
    ...(above(quality.darkShare, gates.maxDarkShare) ? ["maxDarkShare"] : []),
    ...(above(quality.brightShare, gates.maxBrightShare) ? ["maxBrightShare"] : []),
  ];
  return lacks.length === 0 ? undefined : lacks;
}
