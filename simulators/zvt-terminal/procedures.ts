import { asciiBytes, concatBytes, toHex } from "../../src/kernel/bytes.js";
import {
  acknowledge,
  type Core,
  enquiryBody,
  exchange,
  localTime,
  type Procedure,
  RESULT,
  type Session,
  STATUS,
  show,
  statusBody,
  takeNumber,
} from "./core.js";
import { bcd, counted, readFields, type StatusInformation } from "./fields.js";
import { SECRETS } from "./indiscreet.js";
import type { LedgerEntry } from "./ledger.js";
import { print, receiptLines } from "./receipt.js";

/** A command that was understood: what is done after its 80 00 00, or the code of the 84 that it gets. */
export type Planned = { readonly refuse: number } | { readonly go: (core: Core, procedure: Procedure) => Promise<void> };

const PROTOCOL: Planned = { refuse: RESULT.protocol };
export const PASSWORD_BYTES = 3;
const SERVICE = 0x03;

const completion = async (core: Core, { session }: Procedure, body?: Uint8Array): Promise<void> =>
  void (await exchange(core, session, 0x060f, body));
const abortion = async (core: Core, { session }: Procedure, code: number): Promise<void> =>
  void (await exchange(core, session, 0x061e, Uint8Array.of(code)));

export const wrongPassword = ({ options }: Core, body: Uint8Array): boolean => toHex(body.subarray(0, PASSWORD_BYTES)) !== options.password;

/** 06 00: password, config byte, perhaps a currency and fields. Its completion tells who the terminal is. */
export function planRegistration(core: Core, body: Uint8Array): Planned {
  const config = body[PASSWORD_BYTES];
  const currency = toHex(body.subarray(4, 6));
  if (config === undefined || body.length === 5) return PROTOCOL;
  if (wrongPassword(core, body)) return { refuse: RESULT.notPossible };
  if (currency !== "" && currency !== core.options.currency) return { refuse: RESULT.currency };
  return {
    async go(core, procedure) {
      await acknowledge(core, procedure.session, 0x0600);
      core.memory.registered = true;
      core.memory.config = config;
      core.changed();
      const { terminalId } = core.options;
      const who = concatBytes([
        Uint8Array.of(0x19, 0),
        Uint8Array.of(0x29),
        bcd(Number(terminalId), 4),
        Uint8Array.of(0x49),
        bcd(Number(core.options.currency), 2),
      ]);
      await completion(core, procedure, who);
    },
  };
}

/** 06 20: password, service byte (03): bit 0 sends the last 04 0F again, bit 1 prints nothing. */
export function planRepeat(core: Core, body: Uint8Array): Planned {
  const fields = readFields(body.subarray(PASSWORD_BYTES));
  if (body.length < PASSWORD_BYTES || !fields) return PROTOCOL;
  if (wrongPassword(core, body)) return { refuse: RESULT.notPossible };
  const service = fields.get(SERVICE)?.[0] ?? 0;
  return {
    async go(core, procedure) {
      await acknowledge(core, procedure.session, 0x0620);
      const { last } = core.memory;
      if (!last) return await abortion(core, procedure, RESULT.notPossible);
      if (service & 0x01 && core.options.repeatReceipt === "full") {
        await exchange(core, procedure.session, 0x040f, statusBody(core, last));
      }
      if (!(service & 0x02)) await print(core, procedure, 2, receiptLines("** REPEATED RECEIPT **", last));
      await completion(core, procedure);
    },
  };
}

/** The columns of BMP 60, in order (PA00P015, 06 50): each a count of one byte and a sum of six. */
const COLUMNS = ["girocard", "jcb", "mastercard", "amex", "visa", "diners", "other"] as const;

/** First and last receipt, then the columns. A sale and what took it back are not counted. */
export function totalsOf(standing: readonly LedgerEntry[], first: number, last: number): Uint8Array {
  const columns = COLUMNS.map((column) => {
    const sales = standing.filter(({ card }) => card === column);
    const sum = sales.reduce((total, { amountVnd }) => total + amountVnd, 0);
    return concatBytes([Uint8Array.of(Math.min(255, sales.length)), bcd(sum, 6)]);
  });
  return concatBytes([bcd(first, 2), bcd(last, 2), ...columns]);
}

/** 06 50: closes the day; its 04 0F is the last receipt then. */
export function planEndOfDay(core: Core, body: Uint8Array): Planned {
  if (body.length < PASSWORD_BYTES) return PROTOCOL;
  if (wrongPassword(core, body)) return { refuse: RESULT.notPossible };
  return {
    async go(core, procedure) {
      const { ledger, memory, options, clock, life } = core;
      await acknowledge(core, procedure.session, 0x0650);
      await show(core, procedure.session, STATUS.hostAsked);
      await clock.sleep(options.hostMs, life);
      const day = ledger.entries.slice(memory.closedEntries);
      const standing = day.filter((entry) => entry.kind === "sale" && entry.hostApproved && !ledger.isReversed(entry));
      const newest = ((memory.nextReceipt + 9997) % 9999) + 1;
      const told: StatusInformation = {
        result: RESULT.ok,
        amount: standing.reduce((sum, { amountVnd }) => sum + amountVnd, 0),
        currency: options.currency,
        ...localTime(clock),
        trace: takeNumber(memory, "nextTrace"),
        terminalId: options.terminalId,
        contract: options.contract,
        totals: totalsOf(standing, memory.firstReceiptOfDay ?? newest, newest),
      };
      memory.closedEntries = ledger.entries.length;
      memory.firstReceiptOfDay = undefined;
      memory.last = told;
      core.changed();
      await exchange(core, procedure.session, 0x040f, statusBody(core, told));
      await print(core, procedure, 3, receiptLines("** END OF DAY **", told));
      await completion(core, procedure);
    },
  };
}

/** 05 01: answered at any time. A terminal that is taking a sale back says so by 04 FF 05, and by its status. */
export async function answerEnquiry(core: Core, session: Session): Promise<void> {
  await acknowledge(core, session, 0x0501);
  if (core.reversing > 0) await show(core, session, STATUS.autoReversal);
  const status = core.running || core.reversing > 0 ? RESULT.wait : RESULT.ok;
  const version = core.faults.peek("indiscreet") ? `${core.options.version} ${SECRETS.pan}`.slice(-99) : core.options.version;
  await exchange(core, session, 0x060f, enquiryBody(counted(2, asciiBytes(version)), status));
}
