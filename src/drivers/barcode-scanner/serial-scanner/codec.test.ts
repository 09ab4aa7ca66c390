import fc from "fast-check";
import { expect, it } from "vitest";
import { asciiBytes, concatBytes, fromHex, toHex } from "../../../kernel/bytes.js";
import { decodeCode, queryCommand, readAnswer, terminatorBytes, triggerCommand } from "./codec.js";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

it("decodes Vietnamese once over the whole code", () => {
  const code = decodeCode(utf8("Nguyễn Thị Ánh|Đường Lê Lợi"), "none");
  expect(code).toMatchObject({ text: "Nguyễn Thị Ánh|Đường Lê Lợi", encoding: "utf-8" });
  expect(code).not.toHaveProperty("symbology");
});

it("flags what is no UTF-8 and keeps its bytes", () => {
  const windows1258 = Uint8Array.of(0x4e, 0xf5, 0x41);
  expect(decodeCode(windows1258, "none")).toEqual({ bytes: windows1258, text: "N\ufffdA", encoding: "lossy" });
});

it("leaves a byte order mark out of the text only", () => {
  const code = decodeCode(fromHex("efbbbf41"), "none");
  expect(code.text).toBe("A");
  expect(toHex(code.bytes)).toBe("efbbbf41");
});

it("splits off the AIM identifier where the scanner is set to send one", () => {
  expect(decodeCode(utf8("]Q1abc"), "aim")).toEqual({ bytes: utf8("abc"), text: "abc", symbology: "]Q1", encoding: "utf-8" });
  expect(decodeCode(utf8("]Q1abc"), "none").text).toBe("]Q1abc");
  expect(decodeCode(utf8("]1abc"), "aim")).toEqual({ bytes: utf8("]1abc"), text: "]1abc", encoding: "utf-8" });
});

it("speaks the trigger commands of the makers' manuals", () => {
  expect(triggerCommand("plain", true)).toBeUndefined();
  expect(toHex(triggerCommand("honeywell", true)?.bytes ?? new Uint8Array())).toBe("16540d");
  expect(toHex(triggerCommand("honeywell", false)?.bytes ?? new Uint8Array())).toBe("16550d");
  expect(triggerCommand("newland", true)?.bytes).toEqual(asciiBytes("~\x010000#SCNTRG1;\x03"));
  expect(triggerCommand("newland", false)?.bytes).toEqual(asciiBytes("~\x010000#SCNTRG0;\x03"));
});

it("tells the answers apart", () => {
  const echo = triggerCommand("newland", true)?.echo ?? new Uint8Array();
  const answer = (status: string): Uint8Array => asciiBytes(`\x02\x010000#SCNTRG1${status};\x03`);
  expect(readAnswer(answer("\x06"), echo)).toBe("done");
  expect(readAnswer(answer("\x15"), echo)).toBe("refused");
  expect(readAnswer(answer("\x05"), echo)).toBe("refused");
  expect(readAnswer(asciiBytes("\x02\x010000#SCNTRG0\x06;\x03"), echo)).toBe("other");
  const query = queryCommand("newland")?.echo ?? new Uint8Array();
  expect(readAnswer(asciiBytes("\x02\x010000#QRYSYSModel: X\r\n\x06;\x03"), query)).toBe("done");
});

it("knows the terminators of the config", () => {
  expect(terminatorBytes("crlf")).toEqual(fromHex("0d0a"));
  expect(terminatorBytes("hex:1d0D")).toEqual(fromHex("1d0d"));
  expect(terminatorBytes("none")).toBeUndefined();
});

it("never throws on any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom("none" as const, "aim" as const), (bytes, symbology) => {
      const code = decodeCode(bytes, symbology);
      expect(concatBytes([asciiBytes(code.symbology ?? ""), code.bytes])).toEqual(bytes);
      readAnswer(bytes, asciiBytes("echo"));
    }),
  );
});
