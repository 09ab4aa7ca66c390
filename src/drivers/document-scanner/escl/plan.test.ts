import { DOMParser } from "@xmldom/xmldom";
import { describe, expect, it } from "vitest";
import type { ScanOrder } from "../../../contracts/document-scanner.js";
import type { DeviceError } from "../../../kernel/errors.js";
import { decodeCapabilities } from "./capabilities.js";
import { BROTHER_8690, CANON_5300, type Caps, capabilitiesXml, HP_477, type Model, utf8 } from "./documents.test.support.js";
import { planScan, realResolution, scanSettings } from "./plan.js";

const A4: ScanOrder = { source: "auto", mode: "color", resolutionDpi: 300, widthMm: 210, heightMm: 297, maxPages: 50 };
const plan = (model: Model, order: Partial<ScanOrder> = {}, adfState?: string) =>
  planScan({ ...A4, ...order }, decodeCapabilities(utf8(capabilitiesXml(model))), { state: "Idle", adfState, jobs: [] });
const refused = (...given: Parameters<typeof plan>): Pick<DeviceError, "kind" | "message" | "details"> => {
  try {
    plan(...given);
  } catch (thrown) {
    return thrown as DeviceError;
  }
  throw new RangeError("not refused");
};
const platen = (caps: Partial<Caps>): Model => ({
  name: "x",
  platen: { width: [1, 2550], height: [1, 3508], modes: ["RGB24"], pwg: ["image/jpeg"], dpi: [300], ...caps },
});

describe("the source", () => {
  it("is the feeder where that has paper, else the glass, else what there is", () => {
    expect(plan(HP_477, {}, "ScannerAdfLoaded").source).toBe("feeder");
    expect(plan(HP_477, {}, "ScannerAdfEmpty").source).toBe("flatbed");
    expect(plan(HP_477).source).toBe("flatbed");
    expect(plan(CANON_5300).source).toBe("flatbed");
    const { platen: _, ...feederOnly } = HP_477;
    expect(plan(feederOnly, {}, "ScannerAdfEmpty").source).toBe("feeder");
    expect(refused(feederOnly, { source: "flatbed" })).toMatchObject({
      kind: "unsupported",
      details: { sources: ["feeder", "feeder_duplex"] },
    });
    expect(refused(CANON_5300, { source: "feeder_duplex" }).kind).toBe("unsupported");
  });

  it("is refused while a person has to put the feeder right, but the glass", () => {
    expect(refused(HP_477, {}, "ScannerAdfJam").kind).toBe("document_jam");
    expect(refused(HP_477, { source: "feeder" }, "ScannerAdfHatchOpen").kind).toBe("cover_open");
    expect(plan(HP_477, { source: "flatbed" }, "ScannerAdfJam").source).toBe("flatbed");
  });

  it("is empty only where the feeder knows", () => {
    expect(refused(HP_477, { source: "feeder" }, "ScannerAdfEmpty").kind).toBe("feeder_empty");
    expect(plan({ ...HP_477, options: [] }, { source: "feeder" }, "ScannerAdfEmpty").source).toBe("feeder");
  });
});

describe("size", () => {
  it("is in 1/300 inch, and as large as the scanner can where it lacks a millimetre", () => {
    expect(plan(HP_477)).toMatchObject({ width: 2480, height: 3508 });
    expect(plan(BROTHER_8690)).toMatchObject({ width: 2480, height: 3507 });
    expect(plan(HP_477, { widthMm: 215.9, heightMm: 355.6 })).toMatchObject({ width: 2550, height: 4200 });
    expect(refused(CANON_5300, { heightMm: 355.6 })).toMatchObject({ kind: "unsupported", details: { mostMm: 297 } });
  });

  it("is no smaller than the scanner can", () => {
    expect(plan(platen({ width: [1749, 2550], height: [2481, 3508] }), { widthMm: 105, heightMm: 148 })).toMatchObject({
      width: 1749,
      height: 2481,
    });
  });
});

describe("resolution", () => {
  it.each([
    [[75, 300, 600], 75, 75],
    [[75, 300, 600], 76, 300],
    [[75, 300, 600], 600, 600],
    [[75, 300, 600], 601, undefined],
    [[600, 75], 100, 600],
  ])("of %j nearest to %i is %s", (dpi, resolutionDpi, found) => {
    if (found === undefined)
      expect(refused(platen({ dpi }), { resolutionDpi })).toMatchObject({ kind: "unsupported", details: { resolutionsDpi: dpi } });
    else expect(plan(platen({ dpi }), { resolutionDpi }).resolutionDpi).toBe(found);
  });

  it.each([
    [[100, 600, 50], 75, 100],
    [[100, 600, 50], 101, 150],
    [[100, 600, 50], 150, 150],
    [[100, 620, 50], 610, 620],
    [[100, 600, 50], 601, undefined],
  ] as const)("of the range %j nearest to %i is %s", (range, resolutionDpi, found) => {
    if (found === undefined) expect(refused(platen({ range }), { resolutionDpi }).kind).toBe("unsupported");
    else expect(plan(platen({ range }), { resolutionDpi }).resolutionDpi).toBe(found);
  });

  it("is less where the scanner gives a smaller picture of the glass, and not of the feeder", () => {
    const glass = plan(HP_477, { resolutionDpi: 600 });
    expect(realResolution(glass, { width: 4960, height: 7016 })).toBe(600);
    expect(realResolution(glass, { width: 2480, height: 3507 })).toBe(300);
    expect(realResolution(glass, { width: 2480, height: 7016 })).toBe(600);
    const fine = plan(platen({ range: [75, 600, 1] }), { resolutionDpi: 600 });
    expect(realResolution(fine, { width: 2480, height: 3508 })).toBe(300);
    expect(realResolution(plan(HP_477, {}, "ScannerAdfLoaded"), { width: 1240, height: 1754 })).toBe(300);
  });
});

describe("mode and format", () => {
  it("are the nearest that it has", () => {
    expect(plan(BROTHER_8690, { mode: "black_white" })).toMatchObject({ mode: "BlackAndWhite1", format: "image/jpeg" });
    expect(plan(HP_477, { mode: "black_white" }).mode).toBe("Grayscale8");
    expect(plan(platen({}), { mode: "gray" }).mode).toBe("RGB24");
    expect(refused(platen({ modes: ["Grayscale8"] }))).toMatchObject({ kind: "unsupported", message: expect.stringMatching(/mode/) });
  });

  it("are JPEG but for one bit a dot, and never a document", () => {
    const all = ["application/pdf", "image/tiff", "image/png", "image/jpeg"];
    expect(plan(platen({ pwg: all })).format).toBe("image/jpeg");
    expect(plan(platen({ pwg: all, modes: ["BlackAndWhite1"] }), { mode: "black_white" }).format).toBe("image/png");
    expect(plan(platen({ pwg: ["application/pdf"], ext: ["image/tiff"] }))).toMatchObject({
      format: "image/tiff",
      formatElements: ["scan:DocumentFormatExt"],
    });
    expect(refused(platen({ pwg: ["application/pdf"] }))).toMatchObject({ kind: "unsupported", message: expect.stringMatching(/format/) });
  });
});

describe("the order", () => {
  const sent = (...given: Parameters<typeof plan>): Record<string, string> => {
    const text = new TextDecoder().decode(scanSettings(plan(...given)));
    const root = new DOMParser().parseFromString(text, "text/xml").documentElement;
    expect(root?.namespaceURI).toBe("http://schemas.hp.com/imaging/escl/2011/05/03");
    const leaves = [...(root?.getElementsByTagName("*") ?? [])].filter(
      (element) => ![...element.childNodes].some(({ nodeType }) => nodeType === 1),
    );
    return Object.fromEntries(leaves.map((element) => [element.nodeName, element.textContent ?? ""]));
  };

  it("says it all", () => {
    expect(sent(HP_477, { source: "feeder_duplex" }, "ScannerAdfLoaded")).toEqual({
      "pwg:Version": "2.5",
      "scan:Intent": "Document",
      "pwg:ContentRegionUnits": "escl:ThreeHundredthsOfInches",
      "pwg:Height": "3508",
      "pwg:Width": "2480",
      "pwg:XOffset": "0",
      "pwg:YOffset": "0",
      "pwg:DocumentFormat": "image/jpeg",
      "scan:DocumentFormatExt": "image/jpeg",
      "pwg:InputSource": "Feeder",
      "scan:XResolution": "300",
      "scan:YResolution": "300",
      "scan:ColorMode": "RGB24",
      "scan:Duplex": "true",
    });
    expect(sent(HP_477, { source: "feeder" }, "ScannerAdfLoaded")).toMatchObject({ "scan:Duplex": "false" });
    const glass = sent(HP_477, { source: "flatbed", mode: "gray" });
    expect(glass).toMatchObject({ "pwg:InputSource": "Platen", "scan:ColorMode": "Grayscale8" });
    expect(glass).not.toHaveProperty("scan:Duplex");
  });
});
