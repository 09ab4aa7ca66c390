import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeviceError } from "../kernel/errors.js";
import { decodeFrame, encodeFrame, HEADER_BYTES } from "./binary-frame.js";
import { parseRequest, resultMessage } from "./jsonrpc.js";

describe("binary frames", () => {
  it("come back as they went, whatever they carry", () => {
    const header = fc.record({
      kind: fc.constantFrom("blob" as const, "preview" as const),
      last: fc.boolean(),
      channel: fc.nat(0xffff_ffff),
      sequence: fc.nat(0xffff_ffff),
      capturedAt: fc.double({ noNaN: true }),
    });
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 200 }), (told, payload) => {
        const frame = encodeFrame(told, payload);
        expect(frame.length).toBe(HEADER_BYTES + payload.length);
        const back = decodeFrame(frame);
        expect(back?.header).toEqual(told);
        expect(back?.payload).toEqual(payload);
      }),
    );
  });
  it("any bytes are a frame or none", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void decodeFrame(bytes)));
  });
});

describe("requests", () => {
  it("any text is a request or `invalid_request`, and nothing else is thrown", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc.json().map((json) => `{"jsonrpc":"2.0","id":1,"method":"m","params":${json}}`),
    );
    fc.assert(
      fc.property(text, (one) => {
        try {
          parseRequest(one, 32);
        } catch (error) {
          expect(error).toBeInstanceOf(DeviceError);
          expect((error as DeviceError).kind).toBe("invalid_request");
        }
      }),
      { numRuns: 500 },
    );
  });
  it("the depth is counted outside strings only", () => {
    const deep = (open: string, close: string): string =>
      `{"jsonrpc":"2.0","id":1,"method":"m","params":${open.repeat(40)}1${close.repeat(40)}}`;
    expect(() => parseRequest(deep("[", "]"), 32)).toThrow(/nested/);
    expect(() => parseRequest(deep('{"a":', "}"), 32)).toThrow(/nested/);
    expect(parseRequest(`{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":"${'[{\\"'.repeat(40)}"}}`, 32).method).toBe("m");
  });
  it("an id comes back as it was", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 64 }), fc.integer()), (id) => {
        expect(JSON.parse(resultMessage(id, { a: 1 }))).toEqual({ jsonrpc: "2.0", id, result: { a: 1 } });
      }),
    );
  });
});
