import type { ErrorKind } from "./errors.js";

/**
 * What a log line may hold: an allow-list, because redaction by path misses what nobody thought of.
 * No field takes free text from outside; a citizen's data fits in none of them.
 */
export interface LogFields {
  readonly device?: string;
  readonly driver?: string;
  readonly link?: string;
  readonly state?: string;
  readonly kind?: ErrorKind;
  readonly method?: string;
  readonly session?: string;
  readonly role?: string;
  readonly origin?: string;
  readonly job?: string;
  readonly step?: string;
  readonly reason?: string;
  readonly child?: string;
  readonly pid?: number;
  readonly port?: number;
  readonly path?: string;
  readonly count?: number;
  readonly bytes?: number;
  readonly durationMs?: number;
  readonly attempt?: number;
}

/** `event` is a fixed phrase of the code, never built from input. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  /** `fault` is for faults of our own: its stack is logged, its message is not. */
  error(event: string, fields?: LogFields, fault?: unknown): void;
  with(fields: LogFields): Logger;
}

export const silentLog: Logger = { debug() {}, info() {}, warn() {}, error() {}, with: () => silentLog };
