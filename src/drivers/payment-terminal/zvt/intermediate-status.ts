import type { PaymentStage } from "../../../protocol/payment-terminal.js";
import { splitBmps } from "./bmp.js";
import { decodeNumber } from "./values.js";

export interface IntermediateStatus {
  readonly code: number;
  /**
   * What the terminal is doing, for the page to show; undefined where the page has no picture for it, as for codes that are
   * not in the specification. "Approved" (1C) and "declined" (1D) are no stages: words on a display, and not the result.
   */
  readonly stage: PaymentStage | undefined;
  /** With whatever else the stage says. */
  readonly removeCard: boolean;
  /** How long the terminal goes on like this, where it says so. */
  readonly timeoutMinutes: number | undefined;
}

/** Those of the codes for the cardholder that a page has a picture for. */
const STAGES: Readonly<Record<number, PaymentStage>> = {
  1: "enter_pin",
  2: "enter_pin",
  4: "authorising",
  5: "reversing_itself",
  10: "present_card",
  11: "remove_card",
  21: "wrong_pin",
  42: "present_card",
  210: "authorising",
  211: "authorising",
};

/** From 41 to 67 a code is that of 01 to 27 with "please remove card" below it. */
const AND_REMOVE_CARD = 0x40;

function ofCode(code: number): { stage: PaymentStage | undefined; removeCard: boolean } {
  if (code >= 0x41 && code <= 0x67) return { stage: STAGES[code - AND_REMOVE_CARD] ?? "remove_card", removeCard: true };
  const stage = STAGES[code];
  return { stage, removeCard: stage === "remove_card" };
}

/**
 * 04 FF: the code, perhaps a byte of BCD with a time-out, perhaps a TLV container. The time-out has no number of its
 * own, so 06 is a time-out of six minutes only where no whole container begins there.
 */
export function splitIntermediateStatus(data: Uint8Array): { head: Uint8Array; rest: Uint8Array } {
  const after = splitBmps(data.subarray(1));
  const headed = after.fields.length === 1 && after.fields[0]?.bmp === 0x06 && after.rest.length === 0 ? 1 : 2;
  return { head: data.subarray(0, headed), rest: data.subarray(headed) };
}

/** Undefined where there is no code. */
export function decodeIntermediateStatus(data: Uint8Array): IntermediateStatus | undefined {
  const { head } = splitIntermediateStatus(data);
  const code = head[0];
  if (code === undefined) return undefined;
  return { code, ...ofCode(code), timeoutMinutes: decodeNumber(head.subarray(1)) };
}
