/** How a program ended. */
export interface ProgramEnd {
  /** Undefined where a signal ended it. */
  readonly code: number | undefined;
  /** We asked it to stop: whatever the code says, it did not succeed. */
  readonly stopped: boolean;
}

export interface ProgramOutput {
  /** Told once, with what writes to its standard input; without it there is none. */
  begun?(say: (text: string) => void): void;
  /** Each line, without its end. A carriage return ends one, too: that is how programs show progress. Long ones are cut. */
  stdout?(line: string): void;
  stderr?(line: string): void;
}

/** A device that is worked by running a program, which puts what it makes into files of a folder that is ours alone. */
export interface ProgramLink {
  /** For logs and people: "scanimage". */
  readonly description: string;
  /** Name of the device that is meant, or its beginning, where the settings tell one. */
  readonly device?: string | undefined;
  /** Private, empty at the beginning, removed with the link. */
  readonly folder: string;
  /**
   * Runs the program: an argument array, never a shell. It dies with the agent. On abort it is asked to stop, then made to, and the
   * promise settles when it is gone.
   * @throws DeviceError `device_absent` where it cannot be started; `busy` while another run goes on
   */
  run(args: readonly string[], output: ProgramOutput, signal: AbortSignal): Promise<ProgramEnd>;
  /** The bytes of a file in the folder, which is then gone. @throws DeviceError `too_large`, `device_fault` where there is none */
  take(name: string, mostBytes: number): Promise<Uint8Array>;
  /** Idempotent, never rejects. */
  close(): Promise<void>;
}
