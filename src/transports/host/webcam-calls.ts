/** What crosses between the agent and the child that takes a still, structured-cloned: `capture(CaptureOrder): Captured`. */
export interface CaptureOrder {
  readonly device: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly delaySeconds: number;
  /** Of the picture: a file of ours. */
  readonly location: string;
}

export interface Captured {
  /** A success is no promise that there is a picture: fswebcam ends well where there is no camera. */
  readonly failed: boolean;
  /** The last that fswebcam said. */
  readonly said: string;
}
