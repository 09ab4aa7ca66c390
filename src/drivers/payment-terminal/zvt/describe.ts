import type { Describe } from "../../../contracts/driver.js";
import { toHex } from "../../../kernel/bytes.js";
import type { Passed } from "../../../kernel/tap.js";
import { decodeApdu } from "./apdu.js";
import { BMPS, splitBmps } from "./bmp.js";
import type { ZvtConfig } from "./config.js";
import { createSerialFramer, createTcpFramer, type Framed, type Framer } from "./framing.js";
import { splitIntermediateStatus } from "./intermediate-status.js";
import { maskApdu } from "./masking.js";

const whole = (data: Uint8Array): Uint8Array => data;
const after =
  (count: number) =>
  (data: Uint8Array): Uint8Array =>
    data.subarray(count);
const none = (): Uint8Array => new Uint8Array();

/** What a message is called, and where its BMPs begin. */
const MESSAGES: ReadonlyMap<number, readonly [name: string, fields: (data: Uint8Array) => Uint8Array]> = new Map([
  [0x0600, ["registration", after(6)]],
  [0x0601, ["authorisation", whole]],
  [0x0602, ["log off", none]],
  [0x0620, ["repeat receipt", after(3)]],
  [0x0622, ["reservation", whole]],
  [0x0630, ["reversal", after(3)]],
  [0x0631, ["refund", after(3)]],
  [0x0650, ["end of day", after(3)]],
  [0x06b0, ["abort, please", none]],
  [0x06d1, ["a line of the receipt", none]],
  [0x06d3, ["the receipt as one text", none]],
  [0x060f, ["completion", none]],
  [0x061e, ["abort", none]],
  [0x0501, ["status enquiry", after(3)]],
  [0x040f, ["status information", whole]],
  [0x04ff, ["intermediate status", (data) => splitIntermediateStatus(data).rest]],
  [0x8000, ["positive answer", none]],
]);

function apduWords(apdu: Uint8Array): string {
  // Masked before anything of it is looked at.
  const decoded = decodeApdu(maskApdu(apdu));
  if (!decoded) return `${apdu.length} bytes that are no message`;
  const { control, data } = decoded;
  const number = `${toHex(Uint8Array.of(control >> 8))} ${toHex(Uint8Array.of(control & 0xff))}`.toUpperCase();
  if (control >> 8 === 0x84) return `${number} negative answer`;
  const [name, fieldsAt] = MESSAGES.get(control) ?? ["unknown message", none];
  const fields = splitBmps(fieldsAt(data)).fields.map(({ bmp, value }) => `${BMPS.get(bmp)?.name ?? "BMP"} ${valueWords(value)}`);
  const code = control === 0x04ff || control === 0x061e ? [`code ${toHex(data.subarray(0, 1))}`] : [];
  const said = [...code, ...fields].join(", ");
  return `${number} ${name}${said === "" ? `, ${data.length} bytes` : `: ${said}`}`;
}

/** EE stands for what is masked. */
function valueWords(value: Uint8Array): string {
  return value.every((byte) => byte === 0xee) ? "(masked)" : value.length > 16 ? `(${value.length} bytes)` : toHex(value);
}

function framedWords(item: Framed): string {
  switch (item.type) {
    case "frame":
      return apduWords(item.apdu);
    case "ack":
      return "ACK";
    case "nak":
      return "NAK: send it again";
    case "badCrc":
      return "a block with a wrong checksum";
    case "torn":
      return "a block that was cut off";
    case "malformed":
      return "a block that is no message";
    case "tooLong":
      return "a block that is too long";
    case "noise":
      return "noise";
  }
}

export function describe({ framing }: Pick<ZvtConfig, "framing">): Describe {
  const framers: { [from in Passed["from"]]?: Framer } = {};
  return ({ from, bytes }) => {
    // Blocks begin with DLE, and so does no message.
    const [first = 0] = bytes;
    const serial =
      framing === undefined ? first === 0x10 || (bytes.length === 1 && (first === 0x06 || first === 0x15)) : framing === "serial";
    framers[from] ??= serial ? createSerialFramer() : createTcpFramer();
    return framers[from].push(bytes).map(framedWords);
  };
}
