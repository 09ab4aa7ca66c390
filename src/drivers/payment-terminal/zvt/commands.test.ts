import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../kernel/bytes.js";
import { decodeApdu } from "./apdu.js";
import { splitBmps } from "./bmp.js";
import { abort, authorisation, endOfDay, REGISTRATION, registration, repeatReceipt, reversal, statusEnquiry } from "./commands.js";
import { CAPTURES } from "./testing/captures.js";

const PASSWORD = "123456";

describe("commands", () => {
  it.each([
    ["registration", registration(PASSWORD, 0xde), "060006123456de0704"],
    ["authorisation", authorisation({ amountVnd: 150_000 }), "06010a04000000150000490704"],
    ["authorisation with a payment type", authorisation({ amountVnd: 1, paymentType: 0x40 }), "06010c040000000000014907041940"],
    ["the highest amount", authorisation({ amountVnd: 999_999_999_999 }), "06010a04999999999999490704"],
    ["reversal", reversal(PASSWORD, 12), "063006123456870012"],
    ["repeat receipt", repeatReceipt(PASSWORD), "0620051234560303"],
    ["repeat receipt on paper", repeatReceipt(PASSWORD, 0), "0620051234560300"],
    ["status enquiry", statusEnquiry(), "050100"],
    ["status enquiry with a service byte", statusEnquiry({ password: PASSWORD, service: 1 }), "0501051234560301"],
    ["end of day", endOfDay(PASSWORD), "065003123456"],
    ["abort", abort(), "06b000"],
  ])("%s", (_, bytes, hex) => {
    expect(toHex(bytes)).toBe(hex);
  });

  it("are those of the captures, but for the currency", () => {
    expect(toHex(endOfDay(PASSWORD))).toBe(CAPTURES["1681282621.302434000_ecr_pt.blob"]);
    expect(toHex(registration(PASSWORD, 0xde)).replace(/0704$/, "0978")).toBe(CAPTURES["1681273860.511128000_ecr_pt.blob"]);
  });

  it("carry the registration's bits of the facts", () => {
    const { ecrPrintsReceipts, intermediateStatus, ecrControlsPayments } = REGISTRATION;
    expect(registration(PASSWORD, ecrPrintsReceipts | intermediateStatus | ecrControlsPayments)[6]).toBe(0x1a);
  });

  it.each([0, -1, 1.5, 1_000_000_000_000, Number.NaN, 2 ** 53])("refuse the amount %s", (amountVnd) => {
    expect(() => authorisation({ amountVnd })).toThrow(expect.objectContaining({ kind: "invalid_params" }));
  });

  it.each([0, 10_000, 1.5])("refuse the receipt number %s", (receipt) => {
    expect(() => reversal(PASSWORD, receipt)).toThrow(expect.objectContaining({ kind: "invalid_params" }));
  });

  it("refuse bytes that are none", () => {
    expect(() => registration(PASSWORD, 256)).toThrow(expect.objectContaining({ kind: "invalid_params" }));
    expect(() => authorisation({ amountVnd: 1, paymentType: -1 })).toThrow(expect.objectContaining({ kind: "invalid_params" }));
  });

  it.each(["", "12345", "1234567", "12345x", "12345\n"])("refuse the password %j and do not repeat it", (password) => {
    for (const command of [
      () => registration(password, 0),
      () => endOfDay(password),
      () => reversal(password, 1),
      () => repeatReceipt(password),
    ]) {
      expect(command).toThrow(expect.objectContaining({ kind: "invalid_params", message: "A terminal password has six digits" }));
    }
  });

  it("hold no card data", () => {
    for (const bytes of [authorisation({ amountVnd: 1, paymentType: 0x40 }), reversal(PASSWORD, 1), repeatReceipt(PASSWORD)]) {
      const data = decodeApdu(bytes)?.data ?? fromHex("");
      const { fields } = splitBmps(bytes[1] === 0x01 ? data : data.subarray(3));
      expect(fields.map(({ bmp }) => bmp).filter((bmp) => [0x22, 0x23, 0x24, 0x2d, 0x3a, 0x0e].includes(bmp))).toEqual([]);
      expect(fields.length).toBeGreaterThan(0);
    }
  });
});
