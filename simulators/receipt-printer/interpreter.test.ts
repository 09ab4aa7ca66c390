import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/kernel/bytes.js";
import { type Command, createInterpreter } from "./interpreter.js";

function parse(bytes: Uint8Array): Command[] {
  const interpreter = createInterpreter();
  return Array.from(bytes).flatMap((byte) => [...interpreter.push(byte)]);
}

const names = (hex: string): string[] =>
  parse(fromHex(hex)).map((command) =>
    command.kind === "command"
      ? `${command.name} ${toHex(command.body)}`
      : `${command.kind} ${"opcode" in command ? command.opcode : command.code}`,
  );

describe("the bytes of each command", () => {
  // After each an `A` that must come out as text: the length is right.
  it.each([
    ["1b40", "ESC @"],
    ["1b21 08", "ESC !"],
    ["1b45 01", "ESC E"],
    ["1b47 01", "ESC G"],
    ["1b2d 02", "ESC -"],
    ["1b4d 01", "ESC M"],
    ["1b56 01", "ESC V"],
    ["1b61 01", "ESC a"],
    ["1b7b 01", "ESC {"],
    ["1b64 05", "ESC d"],
    ["1b4a 20", "ESC J"],
    ["1b74 1e", "ESC t"],
    ["1b52 00", "ESC R"],
    ["1b32", "ESC 2"],
    ["1b33 18", "ESC 3"],
    ["1b20 04", "ESC SP"],
    ["1b24 2c01", "ESC $"],
    ["1b44 08 10 18 00", "ESC D"],
    ["1b26 01 41 42 01 ff 00", "ESC &"],
    ["1d21 11", "GS !"],
    ["1d42 01", "GS B"],
    ["1d76 30 00 0100 0200 aa55", "GS v 0"],
    ["1d28 4c 0b00 30 70 30 01 01 31 0800 0100 ff", "GS ("],
    ["1d28 4c 0200 30 32", "GS ("],
    ["1d38 4c 0b000000 30 70 30 01 01 31 0800 0100 ff", "GS 8"],
    ["1b2a 00 0200 aabb", "ESC *"],
    ["1b2a 21 0100 aabbcc", "ESC *"],
    ["1d28 6b 0400 31 41 32 00", "GS ("],
    ["1d28 6b 0300 31 43 06", "GS ("],
    ["1d28 6b 0300 31 45 31", "GS ("],
    ["1d28 6b 0500 31 50 30 6869", "GS ("],
    ["1d28 6b 0300 31 51 30", "GS ("],
    ["1d6b 04 414231 00", "GS k"],
    ["1d6b 49 04 7b424142", "GS k"],
    ["1d68 64", "GS h"],
    ["1d77 02", "GS w"],
    ["1d48 02", "GS H"],
    ["1d66 01", "GS f"],
    ["1d56 00", "GS V"],
    ["1d56 31", "GS V"],
    ["1d56 42 03", "GS V"],
    ["1d56 41 00", "GS V"],
    ["1b69", "ESC i"],
    ["1b6d", "ESC m"],
    ["1b70 00 19 fa", "ESC p"],
    ["1004 01", "DLE EOT"],
    ["1005 02", "DLE ENQ"],
    ["1014 01 00 01", "DLE DC4"],
    ["1014 08 01 03 14 01 06 02 08", "DLE DC4"],
    ["1d61 0f", "GS a"],
    ["1d72 01", "GS r"],
    ["1d49 01", "GS I"],
    ["1d28 48 0600 30 30 41424344", "GS ("],
    ["1d67 32 00 3200", "GS g"],
    ["1b63 33 02", "ESC c"],
    ["1b3d 01", "ESC ="],
    ["1d28 41 0200 30 02", "GS ("],
    ["1d28 44 0300 14 01 00", "GS ("],
    ["1d28 4b 0200 30 00", "GS ("],
    ["1d28 45 0300 06 01 00", "GS ("],
  ])("%s is %s", (hex, name) => {
    const body = toHex(fromHex(hex).subarray(2));
    expect(names(`${hex} 41`)).toEqual([`${name} ${body}`, "character 65"]);
  });

  it("text, control characters and padding", () => {
    expect(names("410a00e10d09")).toEqual(["character 65", "control 10", "character 225", "control 13", "control 9"]);
  });
});

describe("what is not a command", () => {
  it("is reported by its opcode and skipped", () => {
    expect(names("1b9941")).toEqual(["unknown 1b99", "character 65"]);
    expect(names("1d1b4041")).toEqual(["unknown 1d1b", "ESC @ ", "character 65"]);
  });
  it("a parameter out of range drops the command, what follows is data", () => {
    expect(names("1d563741")).toEqual(["unknown 1d56", "character 65"]);
    // GS v 0 with no width
    expect(names("1d7630000000010041")).toEqual(["unknown 1d76", "character 65"]);
    // GS 8 L that announces 4 GB
    expect(names("1d384cffffffff41")).toEqual(["unknown 1d38", "character 65"]);
  });
});

it("never throws on any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      parse(bytes);
    }),
    { numRuns: 500 },
  );
});
