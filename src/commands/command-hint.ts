import { ERROR_KINDS } from "../kernel/errors.js";
import type { Translate } from "../languages/translate.js";

/**
 * Hints of the protocol name its methods and fields: right for who writes a page, and nothing to who sits at a terminal. Here they are said
 * in the command's own words. A hint that knows more than its kind is not in this list, and stays.
 */
export const AT_A_TERMINAL: Readonly<Record<string, string>> = {
  [ERROR_KINDS.invalid_request.hint]: "The agent does not understand this command: compare stationd version with stationd status",
  [ERROR_KINDS.method_not_found.hint]: "The agent is older than this command: compare stationd version with stationd status",
  [ERROR_KINDS.protocol_mismatch.hint]: "Agent and command are of different versions: compare stationd version with stationd status",
  [ERROR_KINDS.invalid_params.hint]: "Correct what is named; --help shows what is possible",
  [ERROR_KINDS.internal.hint]: "A fault of the agent: stationd support-bundle packs what its developers need",
  [ERROR_KINDS.unauthorized.hint]: "Name a file with a valid token: --token-file FILE",
  [ERROR_KINDS.forbidden.hint]: "It needs another role: a technician's own token, --url … --token-file FILE",
  [ERROR_KINDS.unknown_device.hint]: "stationd devices shows the names of the devices",
  [ERROR_KINDS.unsupported.hint]: "This device or its driver cannot do this: stationd devices shows which it is",
  [ERROR_KINDS.busy.hint]: "Somebody else holds the device: stationd devices shows who; wait, or end that",
  [ERROR_KINDS.maintenance.hint]: "The station is out of service: stationd maintenance off",
  [ERROR_KINDS.timeout.hint]: "Nothing happened in this time: check the device, or allow more time with --timeout",
  [ERROR_KINDS.canceled.hint]: "It was stopped before it ended",
  [ERROR_KINDS.too_large.hint]: "Send less, or in several parts",
  [ERROR_KINDS.rate_limited.hint]: "Too many requests at once: try again in a moment",
  [ERROR_KINDS.idempotency_conflict.hint]: "This key was used for something else: take another --key",
  [ERROR_KINDS.payment_unresolved.hint]: "An earlier payment is unresolved: stationd payments list --open",
  [ERROR_KINDS.journal_unavailable.hint]: "The journal cannot be written: stationd doctor looks at disk space and the state folder",
  [ERROR_KINDS.shutting_down.hint]: "The agent is stopping: try again in a moment",
  "Ask for the protocol `auto`, with the card's printed lines as the key": "Leave --bac out, and give the card's printed lines with --mrz",
  "Ask again with a new key": "Ask again with a new --key",
  "Do an end of day (reconcile with close)": "Do an end of day: stationd payments reconcile --close",
  "Ask with close: this terminal counts only when it ends its day":
    "This terminal counts only when it ends its day: stationd payments reconcile --close",
  "Check that the agent runs, and that its config lists this page's origin": "Check that the agent runs: systemctl status stationd",
};

/** A hint for who sits at a terminal, in their language. */
export function commandHint(hint: string, t: Translate): string {
  return t(Object.hasOwn(AT_A_TERMINAL, hint) ? (AT_A_TERMINAL[hint] ?? hint) : hint);
}
