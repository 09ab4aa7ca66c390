import { concatBytes } from "../../../kernel/bytes.js";
import { DeviceError } from "../../../kernel/errors.js";
import { ASK_IN_TURN, AUTO_STATUS_ON } from "./codec.js";
import type { Segment } from "./layout.js";
import type { Features } from "./profiles.js";
import type { Session } from "./session.js";
import { withinMs } from "./talk.js";

export interface SendingEvents {
  onWait(): void;
  /** 0 to 1. */
  onProgress(fraction: number): void;
}

/** Silence of a printer that says that all is well. After so many rounds it does not work any more. */
const QUIET_ROUNDS = 3;

/**
 * Sends whole commands. Where the printer answers in its turn (GS r), no more than `windowBytes` are ahead of it: its buffer never
 * fills, so that questions get through when it stops, and an acknowledgement that never comes tells of a restart that a cable hides.
 * Rejects when the talk ends.
 */
export async function sendSegments(
  session: Session,
  features: Features,
  segments: readonly Segment[],
  events: SendingEvents,
): Promise<void> {
  const { watch } = session;
  const total = segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
  using window = features.inTurn ? openWindow(session, events) : undefined;
  let done = 0;
  for (const segment of segments) {
    await watch.untilClear(() => events.onWait());
    const bytes = segment.raw && features.autoStatus ? concatBytes([segment.bytes, AUTO_STATUS_ON]) : segment.bytes;
    if (window) await window.send(bytes);
    else await sendBlindly(session, features, bytes, events);
    done += segment.bytes.length;
    events.onProgress(done / total);
  }
  await window?.drained();
}

interface Window extends Disposable {
  send(bytes: Uint8Array): Promise<void>;
  drained(): Promise<void>;
}

function openWindow({ talk, watch, config, device }: Session, events: SendingEvents): Window {
  const sizes: number[] = [];
  let answered = 0;
  let passed = 0;
  let ahead = 0;
  let wake = (): void => {};
  const listening = talk.onReply((reply) => {
    if (reply.type !== "byte") return;
    answered++;
    wake();
  });
  const onEnd = (): void => wake();
  talk.signal.addEventListener("abort", onEnd, { once: true });

  /** The nth answer belongs to the nth question. */
  const oldestPassed = async (): Promise<void> => {
    if (answered === passed) {
      const reply = new Promise<true>((resolve) => {
        wake = () => resolve(true);
      });
      const heard = await watch.patiently(reply, QUIET_ROUNDS, () => events.onWait());
      talk.signal.throwIfAborted();
      if (!heard) {
        const reason = new DeviceError("device_absent", { device, message: "the printer stopped working without saying why" });
        talk.fail(reason);
        throw reason;
      }
    }
    passed++;
    ahead -= sizes.shift() ?? 0;
  };

  return {
    async send(bytes) {
      while (sizes.length > 0 && ahead + bytes.length > config.windowBytes) await oldestPassed();
      sizes.push(bytes.length);
      ahead += bytes.length;
      await talk.send(concatBytes([bytes, ASK_IN_TURN]));
    },
    async drained() {
      while (sizes.length > 0) await oldestPassed();
    },
    [Symbol.dispose]() {
      listening[Symbol.dispose]();
      talk.signal.removeEventListener("abort", onEnd);
    },
  };
}

/** To a printer that acknowledges nothing: only the wire tells how far it is. */
export async function sendBlindly(
  { talk, watch, clock, config, device }: Session,
  features: Features,
  bytes: Uint8Array,
  events: SendingEvents,
): Promise<void> {
  const sent = talk.send(bytes).then(() => true as const);
  sent.catch(() => {}); // the wait below rejects for the same reason
  let stalledMs = 0;
  while (!(await withinMs(sent, clock, config.silenceMs))) {
    await watch.untilClear(() => events.onWait());
    stalledMs += config.silenceMs;
    if (stalledMs >= config.stallMs) {
      talk.fail(new DeviceError("device_absent", { device, message: "the printer takes no data" }));
    } else if (!features.autoStatus) {
      events.onWait();
      const hint = "Check its paper, cover and power";
      watch.report({ state: "attention", reason: new DeviceError("device_fault", { device, message: "the printer takes no data", hint }) });
    }
  }
}
