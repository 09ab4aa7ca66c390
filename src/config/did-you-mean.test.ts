import { describe, expect, it } from "vitest";
import { didYouMean, editDistance } from "./did-you-mean.js";

describe("did you mean", () => {
  it.each([
    ["", "abc", 3],
    ["port", "port", 0],
    ["prot", "port", 1],
    ["Port", "port", 0],
    ["baud", "baudRate", 4],
    ["escpso", "escpos", 1],
  ])("%s → %s takes %i edits", (from, to, edits) => {
    expect(editDistance(from, to)).toBe(edits);
    expect(editDistance(to, from)).toBe(edits);
  });

  it("offers the nearest, other spellings of joined words, or nothing", () => {
    expect(didYouMean("prot", ["path", "port", "host"])).toBe("port");
    expect(didYouMean("baud_rate", ["baudRate"])).toBe("baudRate");
    expect(didYouMean("colour", ["port", "host"])).toBeUndefined();
    expect(didYouMean("x".repeat(10_000), ["port"])).toBeUndefined();
  });
});
