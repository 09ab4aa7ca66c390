import { type KeyObject, verify } from "node:crypto";
import type { Transfer } from "../../../contracts/payment-terminal.js";
import { DeviceError } from "../../../kernel/errors.js";
import { z } from "../../../kernel/schema.js";
import { plainText } from "./purpose.js";

const Header = z.strictObject({ alg: z.literal("EdDSA"), typ: z.literal("JWT").optional(), kid: z.string().max(128).optional() });

/** What a back-end says of a transfer. Other claims are its own business. */
const Claims = z.object({
  purpose: z.string().min(1).max(256),
  amountVnd: z.int().min(1).max(1_000_000_000_000),
  transactionId: z.string().regex(/^[\w.:+/-]{1,64}$/),
  job: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
  /** Seconds since the epoch (RFC 7519 §4.1.4). */
  exp: z.number(),
});

/**
 * The transfer that a confirmation tells of: JWS in compact form (RFC 7515 §7.1), EdDSA with Ed25519 (RFC 8037 §3.1).
 * @throws DeviceError `invalid_params`: not signed by a configured key, not of this shape, or expired
 */
export function readConfirmation(compact: string, keys: readonly KeyObject[], now: number): Transfer {
  const [header = "", claims = "", signature = ""] = compact.split(".");
  // The signature first: what nobody vouches for is not even parsed.
  const signed = Buffer.from(`${header}.${claims}`, "ascii");
  const sealed = Buffer.from(signature, "base64url");
  if (!keys.some((key) => verify(null, signed, key, sealed))) {
    throw refused("is not signed by a configured back-end", "Put the back-end's public key into confirmationKeys");
  }
  if (!Header.safeParse(json(header)).success)
    throw refused("has another header than EdDSA", "Sign with Ed25519, and with no critical headers");
  const parsed = Claims.safeParse(json(claims));
  if (!parsed.success)
    throw refused(`lacks a claim or has a wrong one: ${parsed.error.issues[0]?.path.join(".") ?? ""}`, "See docs/payments.md");
  const { exp, ...transfer } = parsed.data;
  if (exp * 1_000 <= now) throw refused("has expired", "Let the back-end sign it anew, and check both clocks");
  return { ...transfer, purpose: plainText(transfer.purpose) };
}

function json(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

function refused(why: string, hint: string): DeviceError {
  return new DeviceError("invalid_params", { message: `confirmation: ${why}`, hint });
}
