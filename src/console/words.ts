import { StationError, type StationErrorKind } from "../client/index.js";
import type { Translate } from "../languages/translate.js";

/** Two digits of precision are all one reads. */
export function age(ms: number, t: Translate): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return t`${seconds} s`;
  if (seconds < 3_600) return t`${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return t`${Math.floor(seconds / 3_600)} h`;
  return t`${Math.floor(seconds / 86_400)} d`;
}

export const dong = (amountVnd: number): string => `${new Intl.NumberFormat("vi-VN").format(amountVnd)} đ`;

export const sentence = (text: string): string =>
  text === "" ? "" : `${text[0]?.toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** What went wrong, and what to do about it. Takes anything thrown, and any `reason` of a device or a job. */
export function told(error: unknown, t: Translate): string {
  const { message, hint } = (error ?? {}) as { message?: unknown; hint?: unknown };
  return [message, hint].flatMap((part) => (typeof part === "string" ? sentence(t(part)) : [])).join(" ");
}

export const kindOf = (error: unknown): StationErrorKind => (error instanceof StationError ? error.kind : "internal");

/** Why somebody who has a token does not come in. */
export function whyNotIn(error: unknown, t: Translate): string {
  switch (kindOf(error)) {
    case "unauthorized":
      return t`This is not a valid token of a technician. It may be mistyped, out of date or revoked: sudo stationd token list`;
    case "rate_limited":
      return t`Too many tokens were wrong. Wait a minute, then try again with a valid one.`;
    case "connection_lost":
      return t`The agent does not answer, or does not take this connection; stationd logs tells why. Where server.kioskUsers is set, your user must be in it.`;
    default:
      return told(error, t);
  }
}

/** Why the station stays in service. */
export function whyInService(error: unknown, t: Translate): string {
  return kindOf(error) === "busy"
    ? t`A citizen is at the station: it stays in service. Try again when their session has ended.`
    : `${t`The station stays as it is.`} ${told(error, t)}`;
}
