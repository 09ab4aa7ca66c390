import { describe, expect, it } from "vitest";
import { DeviceError } from "../kernel/errors.js";
import type { LogFields } from "../kernel/log.js";
import { Secret } from "../kernel/secret.js";
import { createLogger, type LogLevel } from "./log.js";

function capture(level: LogLevel = "debug") {
  let text = "";
  const log = createLogger({
    level,
    destination: {
      write(line) {
        text += line;
      },
    },
  });
  return {
    log,
    text: () => text,
    lines: () =>
      text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

const PLANTED = "PLANTED-Nguyễn-Văn-A-001099012345";

describe("createLogger", () => {
  it("writes event, level and allowed fields", () => {
    const { log, lines } = capture();
    log.with({ device: "receipt" }).warn("printer gone", { kind: "device_absent", attempt: 3 });
    expect(lines()[0]).toMatchObject({ level: "warn", msg: "printer gone", device: "receipt", kind: "device_absent", attempt: 3 });
  });

  it("writes nothing below its level", () => {
    const { log, text } = capture("warn");
    log.debug("a");
    log.info("b");
    expect(text()).toBe("");
  });

  it("drops fields that are not on the list, and values that are no names or numbers", () => {
    const { log, text } = capture();
    const smuggled = { text: PLANTED, reason: { nested: PLANTED }, count: PLANTED, path: [PLANTED] } as unknown as LogFields;
    log.info("x", smuggled);
    log.with(smuggled).info("y");
    expect(text()).not.toContain("PLANTED");
    expect(text()).toContain("[dropped]");
  });

  it("prints a secret as [secret]", () => {
    const { log, text } = capture();
    log.info("x", { reason: new Secret(PLANTED) } as unknown as LogFields);
    expect(text()).toContain("[secret]");
    expect(text()).not.toContain("PLANTED");
  });

  it("logs a fault's name and frames, not its message, nor that of its cause, on however many lines", () => {
    const { log, text, lines } = capture();
    const cause = new TypeError(`${PLANTED}\n    at ${PLANTED} (file:///x.js:1:2)\nmore ${PLANTED}`);
    log.error("failed", { method: "printer.print" }, new DeviceError("internal", { message: PLANTED, cause, details: PLANTED }));
    log.error("failed", {}, PLANTED);
    expect(text()).not.toContain("PLANTED");
    expect(lines()[0]?.fault).toBe("DeviceError < TypeError");
    expect(JSON.stringify(lines()[0]?.stack)).toContain("log.test");
    expect(lines()[1]?.fault).toBe("string");
  });
});
