import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { imageInfoXml, statusXml, utf8 } from "./documents.test.support.js";
import { decodeImageInfo, decodeStatus, feederTrouble, pathOf, trouble } from "./status.js";

const status = (state: string, adfState?: string) => decodeStatus(utf8(statusXml(state, adfState)));

describe("status", () => {
  it("tells of the scanner, its feeder and its scans", () => {
    const jobs = [
      { uri: "http://192.0.2.1/eSCL/ScanJobs/1/", state: "Completed" },
      { uri: "/eSCL/ScanJobs/2", state: "Processing" },
    ];
    expect(decodeStatus(utf8(statusXml("Processing", "ScannerAdfLoaded", jobs)))).toEqual({
      state: "Processing",
      adfState: "ScannerAdfLoaded",
      jobs: [
        { path: "/eSCL/ScanJobs/1", state: "Completed" },
        { path: "/eSCL/ScanJobs/2", state: "Processing" },
      ],
    });
    expect(status("Idle").adfState).toBeUndefined();
    expect(decodeImageInfo(utf8(imageInfoXml(2480, 3508)))).toEqual({ width: 2480, height: 3508 });
    expect(decodeImageInfo(utf8(imageInfoXml(0, 3508)))).toBeUndefined();
  });

  it.each([
    ["ScannerAdfJam", "document_jam"],
    ["ScannerAdfMispick", "document_jam"],
    ["ScannerAdfMultipickDetected", "document_jam"],
    ["ScannerAdfInputTrayFailed", "document_jam"],
    ["ScannerAdfInputTrayOverloaded", "document_jam"],
    ["ScannerAdfDuplexPageTooShort", "document_jam"],
    ["ScannerAdfDuplexPageTooLong", "document_jam"],
    ["ScannerAdfHatchOpen", "cover_open"],
    ["ScannerAdfDoorOpen", "cover_open"],
    ["ScannerAdfLoaded", undefined],
    ["ScannerAdfEmpty", undefined],
    ["ScannerAdfProcessing", undefined],
    ["constructor", undefined],
  ])("%s is %s", (adfState, kind) => {
    expect(feederTrouble(status("Idle", adfState))?.kind).toBe(kind);
    expect(trouble(status("Idle", adfState))?.kind).toBe(kind);
    expect(trouble(status("Stopped", adfState))?.kind).toBe(kind ?? "device_fault");
  });

  it.each(["Idle", "Processing", "Testing", "", "Anything"])("a scanner that is '%s' has no trouble", (state) => {
    expect(trouble(status(state))).toBeUndefined();
  });
});

describe("addresses", () => {
  it.each([
    ["http://192.0.2.1/eSCL/ScanJobs/1", "/eSCL/ScanJobs/1"],
    ["https://printer.local:443/eSCL/ScanJobs/1/", "/eSCL/ScanJobs/1"],
    ["/eSCL/ScanJobs/1?x=2", "/eSCL/ScanJobs/1?x=2"],
    ["//evil.example/eSCL/ScanJobs/1", "/eSCL/ScanJobs/1"],
    ["http://user:secret@evil.example/a", "/a"],
    ["/a b", "/a%20b"],
    ["/a\r\nHost: evil", "/aHost:%20evil"],
    ["/a/../../b", "/b"],
    ["", undefined],
    ["/", undefined],
    ["file:///etc/passwd", undefined],
    ["javascript:alert(1)", undefined],
    ["http://", undefined],
    [`/${"a".repeat(600)}`, undefined],
  ])("of %s the path is %s", (address, path) => expect(pathOf(address)).toBe(path));

  it("are nothing but a path, whatever they are", () => {
    const address = fc.oneof(
      fc.webUrl(),
      fc.uint16Array({ maxLength: 60 }).map((units) => String.fromCharCode(...units)),
      fc.string().map((text) => `http://${text}`),
    );
    fc.assert(
      fc.property(address, (text) => {
        expect(pathOf(text) ?? "/x").toMatch(/^\/[!-~]+$/);
      }),
    );
  });
});
