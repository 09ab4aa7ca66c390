import { describe, expect, it } from "vitest";
import { decodeCapabilities, describeCapabilities } from "./capabilities.js";
import { BROTHER_8690, CANON_5300, capabilitiesXml, HP_477, type Model, utf8 } from "./documents.test.support.js";

const decode = (model: Model) => decodeCapabilities(utf8(capabilitiesXml(model)));
const A4 = { width: [1, 2550], height: [1, 3508], modes: ["RGB24"], pwg: ["image/jpeg"], dpi: [300] } as const;

describe("scanners as they are sold", () => {
  it("HP PageWide Pro 477dw", () => {
    const told = decode(HP_477);
    expect(told).toMatchObject({ version: "2.5", model: "HP PageWide Pro 477dw MFP", serial: "CN136MX02P", detectsPaper: true });
    expect(told.sources.flatbed).toMatchObject({
      minWidth: 8,
      maxWidth: 2550,
      minHeight: 8,
      maxHeight: 4201,
      intents: ["Document", "Photo"],
    });
    const feeder = {
      modes: ["color", "gray", "black_white"],
      resolutionsDpi: [75, 100, 150, 200, 300],
      maxWidthMm: 215.9,
      maxHeightMm: 355.6,
    };
    expect(describeCapabilities(told)).toEqual({
      version: 1,
      sources: ["flatbed", "feeder", "feeder_duplex"],
      duplex: true,
      detectsPaper: true,
      flatbed: { ...feeder, resolutionsDpi: [75, 100, 150, 200, 300, 400, 600, 1200], maxHeightMm: 355.7 },
      feeder,
      feeder_duplex: feeder,
    });
  });

  it("Brother MFC-L8690CDW, with other prefixes", () => {
    const told = decodeCapabilities(utf8(capabilitiesXml({ ...BROTHER_8690, prefixes: ["", "sm"] })));
    expect(told.serial).toBeUndefined();
    expect(told.sources.feeder?.profiles).toEqual([
      {
        modes: ["BlackAndWhite1", "Grayscale8", "RGB24"],
        pwgFormats: ["image/jpeg", "application/pdf"],
        extFormats: ["image/jpeg", "application/pdf"],
        resolutions: { discrete: [100, 200, 300, 600] },
      },
    ]);
  });

  it("Canon TS5300", () => {
    const told = decode(CANON_5300);
    expect(Object.keys(told.sources)).toEqual(["flatbed"]);
    expect(describeCapabilities(told)).toMatchObject({ duplex: false, detectsPaper: false, sources: ["flatbed"] });
  });
});

describe("scanners that tell it their own way", () => {
  it("have a range of resolutions", () => {
    const told = decode({ name: "x", platen: { ...A4, range: [75, 1200, 10] } });
    expect(told.sources.flatbed?.profiles[0]?.resolutions).toEqual({ least: 75, most: 1200, step: 10 });
    expect(describeCapabilities(told).flatbed).toMatchObject({ resolutionsDpi: { min: 75, max: 1200 } });
  });

  it("tell of duplex only, or of it in the options only", () => {
    expect(Object.keys(decode({ name: "x", duplex: A4 }).sources)).toEqual(["feeder", "feeder_duplex"]);
    expect(Object.keys(decode({ name: "x", simplex: A4, options: ["Duplex"] }).sources)).toEqual(["feeder", "feeder_duplex"]);
    expect(Object.keys(decode({ name: "x", simplex: A4 }).sources)).toEqual(["feeder"]);
  });

  it("name no format: then it is JPEG", () => {
    expect(decode({ name: "x", simplex: { ...A4, pwg: [] } }).sources.feeder?.profiles[0]).toMatchObject({
      pwgFormats: ["image/jpeg"],
      extFormats: [],
    });
  });

  it("have profiles elsewhere, or none at all as before version 2", () => {
    const namespaces = 'xmlns="http://schemas.hp.com/imaging/escl/2011/05/03"';
    const size = "<MaxWidth>2550</MaxWidth><MaxHeight>3508</MaxHeight>";
    const dpi = "<XResolution>300</XResolution><YResolution>300</YResolution>";
    const uneven = "<DiscreteResolution><XResolution>300</XResolution><YResolution>600</YResolution></DiscreteResolution>";
    const profile = `<ColorMode>RGB24</ColorMode>${uneven}<DiscreteResolution>${dpi}</DiscreteResolution>`;
    const referring = `<ScannerCapabilities ${namespaces}><SettingProfiles><SettingProfile name="p">${profile}</SettingProfile></SettingProfiles>
      <Platen><PlatenInputCaps>${size}<SettingProfiles><SettingProfile ref="p"/></SettingProfiles></PlatenInputCaps></Platen></ScannerCapabilities>`;
    const old = `<ScannerCapabilities ${namespaces}><Version>1.0</Version><Platen><PlatenInputCaps>${size}<SupportedResolutions><Resolution>${dpi}
      <ColorReferences><ColorReference>RGB24</ColorReference></ColorReferences></Resolution></SupportedResolutions></PlatenInputCaps></Platen></ScannerCapabilities>`;
    for (const text of [referring, old]) {
      const read = decodeCapabilities(utf8(text)).sources.flatbed;
      expect(read).toMatchObject({ minWidth: 1, profiles: [{ modes: ["RGB24"], resolutions: { discrete: [300] } }] });
    }
  });

  it("are refused where they can scan with nothing", () => {
    for (const model of [
      { name: "x" },
      { name: "x", platen: { ...A4, dpi: [] } },
      { name: "x", platen: { ...A4, width: [0, 0] } } as const,
    ]) {
      expect(() => decode(model)).toThrow(/nothing that it could scan with/);
    }
  });

  it("do not put into orders what they like, nor into names", () => {
    const told = decode({ name: "a\u001b[31m\nb", version: "2.0&lt;/pwg:Version>", platen: A4 });
    expect(told.version).toBe("2.0");
    const red = decodeCapabilities(utf8(capabilitiesXml({ name: `a\u0085\n b${"c".repeat(500)}`, platen: A4 })));
    expect(red.model).toMatch(/^a bc{117}$/);
  });
});
