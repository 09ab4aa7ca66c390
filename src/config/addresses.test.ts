import { describe, expect, it } from "vitest";
import { hostProblem, isLoopback, originProblem } from "./addresses.js";

describe("addresses", () => {
  it.each(["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])("%s is loopback", (host) => expect(isLoopback(host)).toBe(true));
  it.each(["0.0.0.0", "::", "192.168.1.2", "localhost.evil.example", "127.0.0.1.evil.example"])("%s is not loopback", (host) =>
    expect(isLoopback(host)).toBe(false),
  );

  it.each(["https://kiosk.example.gov.vn", "https://a.vn:8443", "http://localhost:8080", "http://127.0.0.1:3000", "http://[::1]:1"])(
    "takes origin %s",
    (origin) => expect(originProblem(origin)).toBeUndefined(),
  );
  it.each([
    ["https://*.example.vn", "patterns"],
    ["*", "patterns"],
    ["null", "sandboxed"],
    ["https://a.vn/", 'did you mean "https://a.vn"'],
    ["https://A.vn:443", 'did you mean "https://a.vn"'],
    ["https://user:hunter2@a.vn", 'did you mean "https://a.vn"'],
    ["http://a.vn", "use https"],
    ["file:///x", "exact origin"],
    ["a.vn", "exact origin"],
    ["", "exact origin"],
  ])("refuses origin %s", (origin, why) => {
    expect(originProblem(origin)).toContain(why);
    expect(originProblem(origin)).not.toContain("hunter2");
  });

  it.each(["station.local", "station.local:7870", "192.168.1.2:80", "[::1]:7870", "a"])("takes host %s", (host) =>
    expect(hostProblem(host)).toBeUndefined(),
  );
  it.each(["https://a", "A.vn", "*.vn", "a/b", "", "a:port", "-a"])("refuses host %s", (host) => expect(hostProblem(host)).toBeDefined());
});
