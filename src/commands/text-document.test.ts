import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PrintDocument } from "../protocol/printer.js";
import { documentFrom, textDocument } from "./text-document.js";

describe("text to document", () => {
  it("makes one block of ordinary text, without what no printer prints", () => {
    expect(textDocument("\ufeffXin chào\r\n\r\na\tb\u0007 \rcuối\n\n")).toEqual({
      blocks: [{ type: "text", text: "Xin chào\n\na       b\ncuối" }],
    });
    expect(textDocument("tie\u0302\u0301ng Vie\u0323\u0302t")).toEqual({ blocks: [{ type: "text", text: "tiếng Việt" }] });
  });

  it("cuts at a form feed, but not after the last page", () => {
    expect(textDocument("one\ftwo\f\n").blocks.map((block) => block.type)).toEqual(["text", "cut", "text"]);
  });

  it("refuses what is empty or far too long", () => {
    expect(() => textDocument(" \n\n")).toThrow("there is nothing to print");
    expect(() => textDocument("x\f".repeat(300))).toThrow("too long");
  });

  it("takes JSON where the text starts with a brace", () => {
    expect(documentFrom(' \n{"blocks": [{"type": "cut"}]}')).toEqual({ blocks: [{ type: "cut" }] });
    expect(() => documentFrom("{ blocks")).toThrow("starts like JSON but is none");
    expect(documentFrom("[1]")).toEqual({ blocks: [{ type: "text", text: "[1]" }] });
  });

  it("makes what the agent takes of any text, and loses no line", () => {
    const line = fc.oneof(fc.string({ unit: "grapheme", maxLength: 80 }), fc.constant("dài ".repeat(2_000)), fc.constant(""));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 30 }), (lines) => {
        fc.pre(lines.some((text) => /[^\s\p{Cc}]/u.test(text)));
        const document = textDocument(lines.join("\n"));
        expect(PrintDocument.safeParse(document).success).toBe(true);
        const letters = (text: string) => text.normalize("NFC").replaceAll(/[\s\p{Cc}]/gu, "");
        const printed = document.blocks.map((block) => (block.type === "text" ? block.text : "")).join("");
        expect(letters(printed).replaceAll("\ufeff", "")).toBe(letters(lines.join("\n")).replaceAll("\ufeff", ""));
      }),
      { numRuns: 100 },
    );
  });
});
