import { describe, expect, it } from "vitest";
import { english } from "../languages/translate.js";
import type { CardReading, CardVerdicts } from "../protocol/chip-reader.js";
import { examples } from "../protocol/examples.js";
import { cardText, traceText, verdictsFailed } from "./card-text.js";
import { mrzOf } from "./read-card.js";
import type { Terminal } from "./terminal.js";

const terminal: Terminal = { out() {}, note() {}, outIsTty: false, noteIsTty: false, colour: false, columns: 80, env: {}, t: english };
const reading = examples["chipReader.readCard"].result as CardReading;
const { verdicts } = reading;

describe("--mrz", () => {
  it("takes the three fields, and the three lines", () => {
    const fields = { documentNumber: "085004321", birthDate: "850315", expiryDate: "450315" };
    expect(mrzOf("085004321,850315,450315")).toEqual(fields);
    expect(mrzOf(reading.mrz?.text ?? "")).toEqual(fields);
  });

  it("refuses anything else without repeating it", () => {
    expect(() => mrzOf("PERSONAL123")).toThrow(/--mrz is neither/);
    expect(() => mrzOf("PERSONAL123")).not.toThrow(/PERSONAL/);
  });
});

describe("a card in words", () => {
  it("fits in 80 columns and says who, how and what is proved", () => {
    const long = { ...reading, details: { ...reading.details, residence: "Ấp Trung Lân, ".repeat(12) } } as CardReading;
    const text = cardText(long, terminal);
    for (const line of text.split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
    expect(text).toContain("079085004321");
    expect(text).toContain("Trần Văn Minh");
    expect(text).toContain("✓ the chip is genuine");
  });

  it("tells what is wrong from what is not known", () => {
    const text = cardText({ ...reading, verdicts: { ...verdicts, chip: "failed", revoked: "unknown" } }, terminal);
    expect(text).toContain("✗ the chip is a COPY");
    expect(text).toContain("! no current revocation list");
  });

  it.each<[keyof CardVerdicts, string, boolean]>([
    ["signature", "invalid", true],
    ["hashes", "mismatch", true],
    ["issuer", "untrusted", true],
    ["issuer", "unknown", false],
    ["revoked", "yes", true],
    ["chip", "failed", true],
    ["chip", "unproven", false],
    ["cardAccess", "downgraded", true],
    ["qr", "different", true],
    ["documentExpired", "yes", true],
  ])("%s = %s fails the command: %s", (name, value, failed) => {
    expect(verdictsFailed({ ...verdicts, [name]: value } as CardVerdicts)).toBe(failed);
  });

  it("lists APDUs by header", () => {
    const trace = [{ header: "0cb09d00", sentBytes: 21, receivedBytes: 2_330, status: "9000", atMs: 118.2, durationMs: 51.25 }];
    const [, line = ""] = traceText(trace, terminal).split("\n");
    expect(line).toMatch(/^1 +118 +51\.\d +0cb09d00 +21 +2330 +9000 +READ BINARY$/);
  });
});
