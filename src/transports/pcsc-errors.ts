import { DeviceError, type DeviceErrorOptions, type ErrorKind } from "../kernel/errors.js";

const SERVICE_HINT =
  "The PC/SC service does not run: systemctl start pcscd (once and for all: systemctl enable --now pcscd.socket; apt install pcscd where it is missing)";
const READER_HINT = "Check the reader's cable; `pcsc_scan -r` lists the readers that the PC/SC service knows";

interface Meaning {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint?: string;
}

const SERVICE_GONE: Meaning = { kind: "device_absent", message: "the PC/SC service is gone", hint: SERVICE_HINT };
const READER_GONE: Meaning = { kind: "device_absent", message: "the reader is gone", hint: READER_HINT };
const NOT_ALLOWED: Meaning = {
  kind: "device_fault",
  message: "the PC/SC service refuses the agent",
  hint: "Let the agent's user use the service: see the polkit rule in the driver's page",
};
const IN_USE: Meaning = {
  kind: "busy",
  message: "another program has the card",
  hint: "Another program holds the card, often scdaemon of GnuPG or a browser's smart-card module: stop it",
};

/** PC/SC part 5 and pcsc-lite's winscard_msg, by the names the library gives them; whatever is not here happened at the card. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  NoService: SERVICE_GONE,
  ServiceStopped: SERVICE_GONE,
  CommError: SERVICE_GONE,
  Shutdown: SERVICE_GONE,
  InvalidHandle: SERVICE_GONE,
  Canceled: SERVICE_GONE,
  SystemCancelled: SERVICE_GONE,
  NotStarted: SERVICE_GONE,
  ServerTooBusy: SERVICE_GONE,
  InternalError: SERVICE_GONE,
  ReaderUnavailable: READER_GONE,
  UnknownReader: READER_GONE,
  NoReadersAvailable: READER_GONE,
  ReaderUnsupported: READER_GONE,
  AccessDenied: NOT_ALLOWED,
  SecurityViolation: NOT_ALLOWED,
  SharingViolation: IN_USE,
  CardIsBusy: IN_USE,
  NoSmartCard: { kind: "card_removed", message: "the card was lifted" },
  RemovedCard: { kind: "card_removed", message: "the card was lifted" },
  UnresponsiveCard: { kind: "card_error", message: "the card does not answer" },
  UnpoweredCard: { kind: "card_error", message: "the card does not answer" },
};
const AT_THE_CARD: Meaning = { kind: "card_error", message: "the card could not be talked to" };

/** The code of an error of the library: "NotTransacted". */
function pcscCode(thrown: unknown): string {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" && /^\w{1,40}$/.test(code) ? code : "Unknown";
}

/** What went wrong while the service, a reader or a card was being opened. */
export function pcscError(thrown: unknown, description: string): DeviceError {
  const code = pcscCode(thrown);
  return meant(MEANINGS[code] ?? AT_THE_CARD, code, thrown, description);
}

/** What went wrong in a session. */
export function pcscSessionError(thrown: unknown, description: string): DeviceError {
  const code = pcscCode(thrown);
  // The service lets nobody in who may not use the card: later, this is what a dying one leaves behind.
  const meaning = code === "SecurityViolation" ? SERVICE_GONE : (MEANINGS[code] ?? AT_THE_CARD);
  return meant(meaning, code, thrown, description);
}

function meant({ kind, message, hint }: Meaning, code: string, thrown: unknown, description: string): DeviceError {
  if (thrown instanceof DeviceError) return thrown;
  const options: DeviceErrorOptions = { message: `${description}: ${message} (${code})`, details: { code }, cause: thrown };
  return new DeviceError(kind, hint === undefined ? options : { ...options, hint });
}
