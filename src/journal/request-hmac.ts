import { createHmac } from "node:crypto";
import type { Secret } from "../kernel/secret.js";

/** JSON with sorted keys: equal for equal values, however they were written. */
function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}

/**
 * HMAC-SHA-256, hexadecimal, over method and canonical parameters: tells whether two requests are the same without keeping
 * either. What does not change the request's meaning (key, deadline) is the caller's to leave out.
 */
export function requestHmac(key: Secret<Uint8Array>, method: string, params: unknown): string {
  return createHmac("sha256", key.reveal())
    .update(`${method}\n${canonicalJson(params)}`)
    .digest("hex");
}
