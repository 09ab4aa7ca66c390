import { DeviceError, ERROR_KINDS, errorObject } from "../kernel/errors.js";

export type RequestId = string | number;

export interface RpcRequest {
  readonly id: RequestId | undefined;
  readonly method: string;
  readonly params: unknown;
}

/** Deepest nesting of brackets outside strings; cheap, and done before JSON.parse builds anything. */
function exceedsDepth(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === 0x5c) index++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > limit) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

/**
 * One message of a text frame (JSON-RPC 2.0 §4). `id` undefined: a notification.
 * @throws DeviceError `invalid_request`, with the request's id in `details.id` where it could be read.
 */
export function parseRequest(text: string, depthLimit: number): RpcRequest {
  // A text shorter than the limit cannot nest deeper than it; most are, and skip the scan.
  if (text.length > 2 * depthLimit && exceedsDepth(text, depthLimit)) {
    throw new DeviceError("invalid_request", { message: `nested deeper than ${depthLimit}` });
  }
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    throw new DeviceError("invalid_request", { message: "not JSON" });
  }
  if (Array.isArray(message)) throw new DeviceError("invalid_request", { message: "batches are not spoken" });
  if (typeof message !== "object" || message === null) throw new DeviceError("invalid_request", { message: "not an object" });
  const { jsonrpc, id, method, params } = message as Record<string, unknown>;
  const idOk = id === undefined || (typeof id === "string" && id.length <= 64) || (typeof id === "number" && Number.isSafeInteger(id));
  const refuse = (why: string): never => {
    throw new DeviceError("invalid_request", { message: why, ...(idOk && id !== undefined ? { details: { id: id as RequestId } } : {}) });
  };
  if (!idOk) refuse("id must be a string of at most 64 characters or a whole number");
  if (jsonrpc !== "2.0") refuse('jsonrpc must be "2.0"');
  if (typeof method !== "string") refuse("method must be a string");
  for (const key in message) {
    if (key !== "jsonrpc" && key !== "id" && key !== "method" && key !== "params") refuse(`unknown field: ${key.slice(0, 40)}`);
  }
  return { id: id as RequestId | undefined, method: method as string, params };
}

export function resultMessage(id: RequestId, result: unknown): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${JSON.stringify(result)}}`;
}

export function errorMessage(id: RequestId | null, error: DeviceError): string {
  const { message, ...data } = errorObject(error);
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code: ERROR_KINDS[error.kind].code, message, data } });
}

export function notificationMessage(method: string, params: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", method, params });
}
