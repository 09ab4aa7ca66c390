import type { DeviceError } from "../kernel/errors.js";
import type { OpenDevice } from "./driver.js";

/** One picture as the camera gave it: a JPEG that nobody has looked into but for its beginning, end and size. */
export interface CameraFrame {
  readonly jpeg: Uint8Array;
  /** Milliseconds since the epoch, when its last byte was here. */
  readonly capturedAt: number;
}

export interface CameraViewer {
  /** Called for each picture; keeps nobody waiting. */
  frame(frame: CameraFrame): void;
  /** The camera is gone or fell silent; called once, and no picture follows. */
  lost(reason: DeviceError): void;
}

/** What a camera has done since it was opened. */
export interface CameraStats {
  readonly frames: number;
  /** Broken pictures that nobody was shown. */
  readonly broken: number;
  /** How often it had to be started anew. */
  readonly restarts: number;
  readonly viewers: number;
  /** Of the last seconds; 0 while nobody looks. */
  readonly framesPerSecond: number;
}

export interface Camera extends OpenDevice {
  /** Many may look at once; the camera itself runs while at least one does, and is let go afterwards. Dispose to look away. */
  view(viewer: CameraViewer): Disposable;
  /** Cameras that give stills only have no stream: `view` is then `unsupported`, and this is the only way. */
  still?(signal: AbortSignal): Promise<CameraFrame>;
  stats(): CameraStats;
}
