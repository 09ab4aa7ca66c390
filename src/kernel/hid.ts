/** A device of the HID class, as Linux shows it (hidraw). Reports carry their number first where the descriptor has numbers. */
export interface HidLink {
  /** For logs and people: "hid 0c2e:0b81". */
  readonly description: string;
  /** HID 1.11 §6.2.2: what the reports of the device look like. */
  readonly reportDescriptor: Uint8Array;
  /** The next input report. One read at a time. @throws as `Link.read` */
  read(signal: AbortSignal): Promise<Uint8Array>;
  /** An output report, its number first (0 where there are none). @throws as `Link.write` */
  write(report: Uint8Array, signal: AbortSignal): Promise<void>;
  /** A feature report, its number first. */
  sendFeature(report: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Idempotent, never rejects. */
  close(): Promise<void>;
  /** Resolves, never rejects, when the link has ended for whatever reason. */
  readonly closed: Promise<void>;
}
