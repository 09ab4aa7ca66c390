import { readFileSync } from "node:fs";
import { HEARTBEAT } from "../../src/child/child.js";
import { OPEN_WITHIN_MS, STOP_WITHIN_MS } from "../../src/devices/bay.js";
import { retryDelayMs } from "../../src/devices/lifecycle.js";
import { LONGEST_RETRY_MS } from "../../src/devices/payment-run.js";
import { FfmpegConfig } from "../../src/drivers/camera/ffmpeg/config.js";
import { BACK_OFF_MS, IDLE_LOOK_MS } from "../../src/drivers/camera/ffmpeg/device.js";
import { NodeWebcamConfig } from "../../src/drivers/camera/node-webcam/config.js";
import { EsclConfig } from "../../src/drivers/document-scanner/escl/config.js";
import { SaneConfig } from "../../src/drivers/document-scanner/sane/config.js";
import { NexoConfig } from "../../src/drivers/payment-terminal/nexo/config.js";
import { VietQrConfig } from "../../src/drivers/payment-terminal/vietqr/config.js";
import { ZvtConfig } from "../../src/drivers/payment-terminal/zvt/config.js";
import { EscposConfig } from "../../src/drivers/printer/escpos/config.js";
import { HEARTBEAT as DRAWING_HEARTBEAT } from "../../src/imaging/imaging.js";
import { LIMITS } from "../../src/protocol/version.js";
import { LOOK_AT_TOKENS_MS } from "../../src/server/server.js";

interface Bound {
  /** With `{}` in the place of the time. */
  readonly says: string;
  readonly ms: number;
}

/** A time of the shipped unit, in seconds there. */
function unitMs(key: string): number {
  const unit = readFileSync(new URL("../../../systemd/stationd.service", import.meta.url), "utf8");
  return Number(new RegExp(`^${key}=(\\d+)$`, "m").exec(unit)?.[1]) * 1_000;
}

/** Times that are built in, or set where nothing else is configured: what docs/faults.md says of them comes from the code that goes by them. */
export const BOUNDS = {
  tryAgain: { says: "tried again every {} at the latest", ms: retryDelayMs(Number.MAX_SAFE_INTEGER) },
  opening: { says: "an opening that hangs is given up after {}", ms: OPEN_WITHIN_MS },
  stopping: { says: "cut off after {}", ms: STOP_WITHIN_MS },
  child: { says: "a stuck child counts as dead after {}", ms: HEARTBEAT.everyMs + HEARTBEAT.deadAfterMs },
  drawing: { says: "a stuck child counts as dead after {}", ms: DRAWING_HEARTBEAT.everyMs + DRAWING_HEARTBEAT.deadAfterMs },
  paymentAsked: { says: "the terminal is asked again every {} at the latest", ms: LONGEST_RETRY_MS },
  escposReply: { says: "a status answer is awaited for {}", ms: EscposConfig.shape.replyMs.parse(undefined) },
  escposSilence: { says: "a silent printer at work is asked after {}", ms: EscposConfig.shape.silenceMs.parse(undefined) },
  escposPoll: { says: "its status is asked every {}", ms: EscposConfig.shape.pollMs.parse(undefined) },
  zvtSilence: { says: "silence is borne for {}", ms: ZvtConfig.shape.t4Ms.parse(undefined) },
  zvtTakenBack: { says: "“not charged” is said after {} at the earliest", ms: ZvtConfig.shape.autoReversalMs.parse(undefined) },
  zvtPoll: { says: "an idle terminal is asked every {}", ms: ZvtConfig.shape.pollMs.parse(undefined) },
  nexoSilence: { says: "the result is awaited for {}", ms: NexoConfig.shape.orderMs.parse(undefined) },
  nexoSettled: { says: "“not charged” is said after {} at the earliest", ms: NexoConfig.shape.settleMs.parse(undefined) },
  nexoPoll: { says: "an idle terminal is asked every {}", ms: NexoConfig.shape.pollMs.parse(undefined) },
  vietqr: { says: "a code is good for {}", ms: VietQrConfig.shape.expiresMs.parse(undefined) },
  esclPage: { says: "a page is awaited for {}", ms: EsclConfig.shape.pageMs.parse(undefined) },
  esclBusy: { says: "a busy scanner is asked for {}", ms: EsclConfig.shape.busyMs.parse(undefined) },
  esclPoll: { says: "an idle scanner is asked every {}", ms: EsclConfig.shape.pollMs.parse(undefined) },
  saneSilence: { says: "given up after {}", ms: SaneConfig.shape.silenceMs.parse(undefined) },
  cameraSilence: { says: "lost after {}", ms: FfmpegConfig.shape.frameWithinMs.parse(undefined) },
  cameraIdle: { says: "an idle camera is looked for every {}", ms: IDLE_LOOK_MS },
  cameraAgain: { says: "tried again every {} at the latest", ms: BACK_OFF_MS.most },
  webcam: { says: "given up after {}", ms: NodeWebcamConfig.shape.withinMs.parse(undefined) },
  heartbeat: { says: "the connection is given up after {}", ms: 2 * LIMITS.pingEveryMs },
  slowClient: { says: "closed after {}", ms: LIMITS.slowClientMs },
  resume: { says: "its session waits for it for {}", ms: LIMITS.resumeWithinMs },
  tokens: { says: "closed within {}", ms: LOOK_AT_TOKENS_MS },
  watchdog: { says: "systemd ends it after {}", ms: unitMs("WatchdogSec") },
  restart: { says: "systemd starts it again after {}", ms: unitMs("RestartSec") },
} as const satisfies Readonly<Record<string, Bound>>;
export type BoundName = keyof typeof BOUNDS;
