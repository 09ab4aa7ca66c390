import type { ErrorKind, Json } from "../kernel/errors.js";
import { messagesVi } from "../protocol/messages.vi.js";
import { messagesEn } from "./messages.en.js";

/** Kinds that no agent sends: the client finds these out by itself. */
export type ClientErrorKind =
  /** No connection now, or it was lost before the answer came. What was asked may or may not have happened. */
  | "connection_lost"
  /** The bytes of a blob are not those that the result names. */
  | "blob_damaged"
  /** The agent is a demo or a test, and the page did not say `allowSimulated`. */
  | "simulated_agent";

export type StationErrorKind = ErrorKind | ClientErrorKind;
export type Language = "vi" | "en";

const clientMessages: Record<Language, Record<ClientErrorKind, string>> = {
  vi: {
    connection_lost: "Mất kết nối với thiết bị của trạm. Vui lòng chờ trong giây lát.",
    blob_damaged: "Dữ liệu nhận được không trọn vẹn. Vui lòng thử lại.",
    simulated_agent: "Trạm đang ở chế độ thử, không dùng cho giao dịch thật.",
  },
  en: {
    connection_lost: "The connection to the station's devices was lost. Please wait a moment.",
    blob_damaged: "The data did not arrive whole. Please try again.",
    simulated_agent: "This station is in demo mode and not for real transactions.",
  },
};

interface StationErrorOptions {
  /** JSON-RPC code of the agent's answer; 0 for what the client found out by itself. */
  readonly code?: number;
  readonly retryable?: boolean;
  readonly hint?: string;
  readonly device?: string | undefined;
  readonly details?: Json | undefined;
}

/** The only error that calls of the client reject with. */
export class StationError extends Error {
  override readonly name = "StationError";
  /** May be a kind that a newer agent knows and this client does not. */
  readonly kind: StationErrorKind;
  readonly code: number;
  /** May the caller try the same again by itself. */
  readonly retryable: boolean;
  /** What a technician can do about it, in English. */
  readonly hint: string;
  readonly device: string | undefined;
  readonly details: Json | undefined;

  constructor(kind: StationErrorKind, message: string, options: StationErrorOptions = {}) {
    super(message);
    this.kind = kind;
    this.code = options.code ?? 0;
    this.retryable = options.retryable ?? false;
    this.hint = options.hint ?? "";
    this.device = options.device;
    this.details = options.details;
  }

  /** One Vietnamese sentence for the citizen. */
  get messageVi(): string {
    return citizenMessage(this, "vi");
  }
}

/** One sentence for the citizen. Takes anything thrown, and any `reason` of a device or a job. */
export function citizenMessage(error: unknown, language: Language = "vi"): string {
  const kind = (error as { kind?: unknown } | null | undefined)?.kind;
  const sentences: Readonly<Record<string, string>> = { ...(language === "vi" ? messagesVi : messagesEn), ...clientMessages[language] };
  return (typeof kind === "string" ? sentences[kind] : undefined) ?? sentences.internal ?? "";
}

export function connectionLost(message: string): StationError {
  return new StationError("connection_lost", message, {
    retryable: true,
    hint: "Check that the agent runs, and that its config lists this page's origin",
  });
}

export function canceled(): StationError {
  return new StationError("canceled", "canceled by the caller", { code: -32010, retryable: true, hint: "The caller canceled the request" });
}

/** The `error` of a JSON-RPC answer. Nothing of it is taken for granted. */
export function fromWire(error: unknown): StationError {
  const { code, message, data } = (error ?? {}) as { code?: unknown; message?: unknown; data?: Record<string, unknown> | null };
  const { kind, retryable, hint, device, details } = data ?? {};
  return new StationError(
    typeof kind === "string" ? (kind as StationErrorKind) : "internal",
    typeof message === "string" ? message : "error without a message",
    {
      code: typeof code === "number" ? code : -32603,
      retryable: retryable === true,
      hint: typeof hint === "string" ? hint : "",
      device: typeof device === "string" ? device : undefined,
      details: details as Json | undefined,
    },
  );
}

/** Anything caught as a StationError; what is none is a fault of this library's caller and becomes `internal`. */
export function asStationError(thrown: unknown): StationError {
  return thrown instanceof StationError ? thrown : new StationError("internal", String(thrown));
}
