import type { TerminalTotals } from "../../../contracts/payment-terminal.js";
import { DeviceError } from "../../../kernel/errors.js";
import { endOfDay } from "./commands.js";
import { converse } from "./conversation.js";
import { busyNow, isBusy, reasonOf } from "./reasons.js";
import type { Session } from "./session.js";
import type { Totals } from "./status-information.js";

/** 06 50: the terminal counts and begins a new day. It has no way to count without. */
export async function totals(session: Session, close: boolean): Promise<TerminalTotals> {
  const { device, config } = session;
  if (!close) {
    const hint = "Ask with close: this terminal counts only when it ends its day";
    throw new DeviceError("unsupported", { device, message: "no totals without an end of day", hint });
  }
  let counted: Totals | undefined;
  let currencyFits = true;
  // Sent once: a second end of day would count nothing.
  const ending = await converse(session, endOfDay(config.password.reveal()), {
    once: true,
    async onMessage(message) {
      if (message.type !== "statusInformation") return undefined;
      counted ??= message.status.totals;
      currencyFits &&= message.status.amount === undefined || message.status.amountVnd !== undefined;
      return undefined;
    },
  });
  if (ending.type !== "completion") {
    throw isBusy(ending.code) ? busyNow(device, "the terminal is busy") : reasonOf(ending.code, device);
  }
  if (!counted || !currencyFits) {
    const hint = "Read the totals from the terminal's own end-of-day receipt";
    throw new DeviceError("device_fault", { device, message: "the terminal ended its day without telling totals", hint, retryable: false });
  }
  return { count: counted.count, sumVnd: counted.amount };
}
