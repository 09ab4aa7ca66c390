/**
 * What was proved about a card, line by line, in one of three states. Nothing is added up here except the headline,
 * and that is the worst line: a page, and whoever reads it, sees each check by itself.
 */

/** `unknown`: nothing speaks against it, and nothing proves it. */
const worst = (...states) => (states.includes("wrong") ? "wrong" : states.includes("unknown") ? "unknown" : "good");
/** A value that this page has never heard of proves nothing. */
const among = (table) => (value) => table[value] ?? "unknown";

const signature = among({ valid: "good", invalid: "wrong" });
const hashes = among({ match: "good", mismatch: "wrong" });
const issuer = among({ trusted: "good", untrusted: "wrong" });
const isNot = among({ no: "good", yes: "wrong" });
const compared = among({ same: "good", different: "wrong" });
const chip = among({ genuine: "good", failed: "wrong" });

/** `[{ name, state }]`; `name` is that of its sentences in the texts. `given`: the card's `code` or its `number`. */
export function verdictLines({ given, reading: { verdicts } }) {
  return [
    { name: "chip", state: chip(verdicts.chip) },
    { name: "data", state: worst(signature(verdicts.signature), hashes(verdicts.hashes)) },
    { name: "issuer", state: issuer(verdicts.issuer) },
    { name: "certificate", state: worst(isNot(verdicts.revoked), isNot(verdicts.certificateExpired)) },
    { name: given, state: compared(verdicts.qr) },
    { name: "printed", state: compared(verdicts.printed) },
    { name: "expiry", state: isNot(verdicts.documentExpired) },
    // Of no interest to a citizen unless somebody tampered with it.
    ...(verdicts.cardAccess === "downgraded" ? [{ name: "access", state: "wrong" }] : []),
  ];
}

export const headline = (lines) => worst(...lines.map(({ state }) => state));
