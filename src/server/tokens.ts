import { createHash, timingSafeEqual } from "node:crypto";
import type { Role } from "../protocol/method.js";
import type { TokenSettings } from "./settings.js";

/**
 * The token's entry, or undefined. Every entry is compared, each in constant time, so that time tells neither how
 * much of a guess was right nor which entry it came near.
 */
export function findToken(presented: string, tokens: readonly TokenSettings[]): TokenSettings | undefined {
  const digest = createHash("sha256").update(presented).digest();
  let found: TokenSettings | undefined;
  for (const token of tokens) {
    const stored = Buffer.from(token.sha256, "hex");
    if (stored.length === digest.length && timingSafeEqual(stored, digest)) found = token;
  }
  return found;
}

/** The role of an `Authorization: Bearer` header. */
export function bearerRole(header: string | undefined, tokens: readonly TokenSettings[]): Role | undefined {
  const presented = /^Bearer ([\x21-\x7e]{1,256})$/i.exec(header ?? "")?.[1];
  return presented === undefined ? undefined : findToken(presented, tokens)?.role;
}
