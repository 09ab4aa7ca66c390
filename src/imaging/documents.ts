import type { Documents } from "../contracts/imaging.js";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";

export interface DocumentsRoom extends Documents {
  /** For good. Idempotent, never rejects. */
  stop(): Promise<void>;
}

export function createDocuments(_deps: { readonly log: Logger; readonly clock: Clock }): DocumentsRoom {
  const no = () => Promise.reject(new DeviceError("unsupported"));
  return { prepare: no, assemble: no, picture: no, stop: async () => {} };
}
