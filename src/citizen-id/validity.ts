import { vietnamToday, yearsLater } from "./dates.js";

/** Ages at which a card is renewed, and since when (Law on Identification 26/2023, article 21; before it, 59/2014, article 21). */
const RENEWALS = [
  { since: "2024-07-01", ages: [14, 25, 40, 60] },
  { since: "0000-00-00", ages: [25, 40, 60] },
] as const;
/** A card issued so shortly before a renewal runs to the one after it. */
const GRACE_YEARS = 2;

/**
 * When a card should expire by its holder's age; dates are ISO 8601. `unlimited`: never. Undefined where the card was issued before
 * its holder was born. What is printed on a card holds; this is for the cards that do not say.
 */
export function expectedExpiry(birthDate: string, issueDate: string): string | undefined {
  if (issueDate < birthDate) return undefined;
  const ages = RENEWALS.find(({ since }) => issueDate >= since)?.ages ?? [];
  const next = ages.find((age) => issueDate < yearsLater(birthDate, age - GRACE_YEARS));
  return next === undefined ? "unlimited" : yearsLater(birthDate, next);
}

/** A card is valid through its last day, in Vietnam. `expiry` is ISO 8601 or `unlimited`. */
export function isExpired(expiry: string, nowMs: number): boolean {
  return expiry !== "unlimited" && vietnamToday(nowMs) > expiry;
}
