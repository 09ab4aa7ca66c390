import type { CardReaderLink } from "../kernel/card.js";
import type { Clock } from "../kernel/clock.js";
import type { DeviceError, Json } from "../kernel/errors.js";
import type { HidLink } from "../kernel/hid.js";
import type { HttpLink } from "../kernel/http.js";
import type { Connect, Link } from "../kernel/link.js";
import type { Logger } from "../kernel/log.js";
import type { ProgramLink } from "../kernel/program.js";
import type { Random } from "../kernel/random.js";
import type { z } from "../kernel/schema.js";
import type { Passed } from "../kernel/tap.js";
import type { DeviceClass, DeviceIdentity } from "../protocol/devices.js";
import type { PrintDocument } from "../protocol/printer.js";
import type { BarcodeScanner } from "./barcode-scanner.js";
import type { Camera } from "./camera.js";
import type { ChipReader } from "./chip-reader.js";
import type { DocumentScanner } from "./document-scanner.js";
import type { Imaging } from "./imaging.js";
import type { PaymentTerminal, PaymentWay } from "./payment-terminal.js";
import type { Printer, PrintMarks, PrintPreview } from "./printer.js";

/** What a device of each class can do once it is open. */
export interface DeviceContracts {
  printer: Printer;
  barcodeScanner: BarcodeScanner;
  chipReader: ChipReader;
  paymentTerminal: PaymentTerminal;
  documentScanner: DocumentScanner;
  camera: Camera;
}
/** What the wire of a class carries: bytes, unless told otherwise. */
export type LinkOf<C> = C extends keyof OtherLinks ? OtherLinks[C] : Link;
interface OtherLinks {
  chipReader: CardReaderLink;
  barcodeScanner: Link | HidLink;
  paymentTerminal: Link | HttpLink;
  documentScanner: ProgramLink | HttpLink;
  camera: Link | ProgramLink;
}
export type DrivenClass = keyof DeviceContracts & DeviceClass;

/** How an open device stands, told by its driver whenever it changes. */
export type Condition =
  | { readonly state: "ready"; readonly warnings?: readonly string[] }
  /** Works again after a person acts. */
  | { readonly state: "attention"; readonly reason: DeviceError; readonly warnings?: readonly string[] }
  /** Will not work again before it is opened anew or repaired. */
  | { readonly state: "faulted"; readonly reason: DeviceError };

/** What every open device has. */
export interface OpenDevice {
  readonly identity: DeviceIdentity;
  /** Facts for `devices.capabilities`; `version` rises when their meaning changes. */
  readonly capabilities: Readonly<Record<string, Json>>;
  /** Resolves, never rejects, with the reason when the device can no longer be used: the supervisor then opens it anew. */
  readonly lost: Promise<DeviceError>;
  /** Without paper or money. */
  selfTest(signal: AbortSignal): Promise<readonly { check: string; ok: boolean; note?: string; hint?: string }[]>;
  /** Idempotent, never rejects; whatever is under way rejects with `device_absent`. */
  close(): Promise<void>;
}

/** All that a driver is handed; it reaches for nothing else. */
export interface DriverContext<L = Link> {
  /** Id of the device in the config. */
  readonly device: string;
  readonly connect: Connect<L>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Ends the opening, and later whatever the device does. */
  readonly signal: AbortSignal;
  readonly imaging: Imaging;
  /** The device is a simulator: what it puts out must say so. */
  readonly simulated: boolean;
  report(condition: Condition): void;
}

/**
 * What passes on a device's wire, in words for a technician: names of commands, states and lengths, never what is in them. Nothing of a
 * person, whatever is on the wire. No words: more has to come first.
 */
export type Describe = (passed: Passed) => readonly string[];

export interface Driver<C extends DrivenClass = DrivenClass, S extends z.ZodType = z.ZodType> {
  readonly class: C;
  /** Name in the config: `driver = "escpos"`. */
  readonly id: string;
  readonly summary: string;
  /** Strict object: the driver's own settings, next to `driver` and `link` in the device's table. */
  readonly config: S;
  /** Which transports make sense. */
  readonly links: readonly LinkKind[];
  /** Payment terminals: how people pay there. Left out: by card, one after the other. */
  readonly payment?: PaymentWay;
  /** Resolves when the device answered and can be used. */
  open(config: z.output<S>, context: DriverContext<LinkOf<C>>): Promise<DeviceContracts[C]>;
  /** Makes what describes one opening. Left out: a trace tells directions and lengths only. */
  describe?(config: z.output<S>): Promise<() => Describe>;
  /** Printers: what would come out. Needs the settings, not the device. @throws DeviceError `invalid_params`, `too_large`, `timeout` */
  preview?(config: z.output<S>, document: PrintDocument, marks: PrintMarks, imaging: Imaging, signal: AbortSignal): Promise<PrintPreview>;
}

/** `none`: the driver needs no wire. */
export const LINK_KINDS = [
  "serial",
  "tcp",
  "usb",
  "file",
  "process",
  "pcsc",
  "http",
  "https",
  "hid",
  "sane",
  "video",
  "webcam",
  "none",
  "simulator",
] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

/** A driver is a value. */
export function defineDriver<C extends DrivenClass, S extends z.ZodType>(driver: Driver<C, S>): Driver<C, S> {
  return driver;
}

/** A driver whose config type is forgotten, for lists of drivers. */
// biome-ignore lint/suspicious/noExplicitAny: the config's type ends here; the registry parses with the driver's own schema first.
export type AnyDriver = { [C in DrivenClass]: Driver<C, any> }[DrivenClass];
