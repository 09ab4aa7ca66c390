import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDeviceName, scanArguments } from "./arguments.js";
import { addOption, modeFor, resolutionFor, resolutionsOf, type SaneOption, settable, sourcesOf } from "./options.js";
import { isWholePnm } from "./pnm.js";
import { failureOf } from "./status.js";

const read = (text: string): Map<string, SaneOption> => {
  const options = new Map<string, SaneOption>();
  for (const line of text.split("\n")) addOption(options, line);
  return options;
};

/** As `scanimage -A` prints them, of four kinds of scanner. */
const AIRSCAN = read(`
  Standard:
    --resolution 75|100|150|200|300|600dpi [300]
        Sets the resolution of the scanned image.
    --mode Color|Gray [Color]
    --source Flatbed|ADF|ADF Duplex [Flatbed]
        --looks-like an option and is a description
  Geometry:
    -l 0..215.985mm [0]
    -t 0..297.011mm [0]
    -x 0..215.985mm [215.985]
    -y 0..297.011mm [297.011]
    --adf-justification-x <string> [inactive]`);
const FUJITSU = read(`
    --source ADF Front|ADF Back|ADF Duplex [ADF Front]
    --mode Lineart|Halftone|Gray|Color [Lineart]
    --resolution 50..600dpi (in steps of 1) [600]
    --page-width 0..224.846mm (in steps of 0.0211639) [215.872]
    --page-height 0..863.489mm (in steps of 0.0211639) [279.364]
    -l 0..224.846mm (in steps of 0.0211639) [0]
    -t 0..863.489mm (in steps of 0.0211639) [0]
    -x 0..224.846mm (in steps of 0.0211639) [215.872]
    -y 0..863.489mm (in steps of 0.0211639) [279.364]
    --swcrop[=(yes|no)] [no] [advanced]
    --page-loaded[=(yes|no)] [no] [hardware]`);
const EPSON = read(`
    --mode Binary|Gray|Color [Binary]
    --depth 8|16 [inactive]
    --resolution 75|300|1200dpi [75]
    --source Flatbed|Automatic Document Feeder [Flatbed]
    --adf-mode Simplex|Duplex [inactive]`);
const GENESYS = read(`
    --mode Color|Gray [Gray]
    --depth 8|16 [8]
    --source Flatbed [inactive]
    --resolution 4800|600|300|150|75dpi [75]`);

const order = { source: "flatbed", mode: "color", resolutionDpi: 300, widthMm: 210, heightMm: 297, maxPages: 9 } as const;
const config = { options: {}, unnamedSource: "flatbed" } as const;

describe("a backend's options", () => {
  it("are read off its list, with their values, and whether they can be set", () => {
    expect([...AIRSCAN.keys()]).toEqual(["resolution", "mode", "source", "l", "t", "x", "y", "adf-justification-x"]);
    expect(settable(AIRSCAN, "source")).toEqual(["Flatbed", "ADF", "ADF Duplex"]);
    expect(settable(FUJITSU, "swcrop")).toEqual(["yes", "no"]);
    expect(settable(FUJITSU, "page-loaded")).toBeUndefined();
    expect(settable(EPSON, "depth")).toBeUndefined();
  });

  it("name sources and modes each in their own way", () => {
    const sources = (options: ReadonlyMap<string, SaneOption>) => Object.fromEntries(sourcesOf(options, "flatbed"));
    expect(sources(AIRSCAN)).toEqual({ flatbed: ["--source=Flatbed"], feeder: ["--source=ADF"], feeder_duplex: ["--source=ADF Duplex"] });
    expect(sources(FUJITSU)).toEqual({ feeder: ["--source=ADF Front"], feeder_duplex: ["--source=ADF Duplex"] });
    const feeder = "--source=Automatic Document Feeder";
    expect(sources(EPSON)).toEqual({ flatbed: ["--source=Flatbed"], feeder: [feeder], feeder_duplex: [feeder, "--adf-mode=Duplex"] });
    expect(sources(GENESYS)).toEqual({ flatbed: [] });
    const brother = read("    --source FlatBed|Automatic Document Feeder(left aligned)|Automatic Document Feeder(left aligned,Duplex) [x]");
    expect([...sourcesOf(brother, "flatbed").keys()]).toEqual(["flatbed", "feeder", "feeder_duplex"]);
    expect(["color", "gray", "black_white"].map((mode) => modeFor(EPSON, mode as "gray"))).toEqual(["Color", "Gray", "Gray"]);
    const lineart = read("    --mode Lineart [Lineart]");
    expect(["color", "black_white"].map((mode) => modeFor(lineart, mode as "color"))).toEqual([undefined, "Lineart"]);
    const brotherModes = read("    --mode Black & White|Gray[Error Diffusion]|True Gray|24bit Color|24bit Color[Fast] [24bit Color]");
    expect(["color", "gray"].map((mode) => modeFor(brotherModes, mode as "color"))).toEqual(["24bit Color", "True Gray"]);
  });

  it("list resolutions or a range of them", () => {
    expect(resolutionsOf(GENESYS)).toEqual([4800, 600, 300, 150, 75]);
    expect(resolutionsOf(FUJITSU)).toEqual({ min: 50, max: 600 });
    expect([300, 601, 49].map((dpi) => resolutionFor(resolutionsOf(FUJITSU), dpi))).toEqual([300, undefined, 50]);
    expect([200, 600, 5000].map((dpi) => resolutionFor(resolutionsOf(GENESYS), dpi))).toEqual([300, 600, undefined]);
  });

  it("never break the reader, whatever the lines", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string(),
            fc.string().map((text) => `    --a${text}`),
          ),
          { maxLength: 30 },
        ),
        (lines) => {
          const options = read(lines.join("\n"));
          sourcesOf(options, "feeder");
          resolutionsOf(options);
          modeFor(options, "gray");
          expect(options.size).toBeLessThanOrEqual(500);
        },
      ),
    );
  });
});

describe("arguments", () => {
  it("say what was ordered, in the order in which options depend on each other", () => {
    expect(scanArguments("fujitsu:fi-7160:1", "feeder_duplex", order, FUJITSU, { ...config, options: { swcrop: "yes" } }).args).toEqual([
      ...["--device-name=fujitsu:fi-7160:1", "--source=ADF Duplex", "--mode=Color", "--resolution=300", "--swcrop=yes"],
      ...["--page-width=210", "--page-height=297", "-l", "0", "-t", "0", "-x", "210", "-y", "297"],
      ...["--format=pnm", "--batch=page%d.pnm", "--batch-count=9", "--batch-print", "--batch-prompt", "--progress"],
    ]);
    const wish = { ...order, mode: "black_white", resolutionDpi: 200 } as const;
    const { args: glass, resolutionDpi } = scanArguments("genesys:libusb:001:004", "flatbed", wish, GENESYS, config);
    expect(resolutionDpi).toBe(300);
    expect(glass).toEqual(expect.arrayContaining(["--mode=Gray", "--depth=8", "--resolution=300", "--batch-count=1"]));
    expect(glass.join(" ")).not.toContain("--source");
  });

  it("are refused for what the scanner has not", () => {
    const refused = (wish: () => unknown) => expect(wish).toThrow(expect.objectContaining({ kind: "unsupported" }));
    refused(() => scanArguments("a", "feeder", order, GENESYS, config));
    refused(() => scanArguments("a", "flatbed", { ...order, resolutionDpi: 5_000 }, GENESYS, config));
    refused(() => scanArguments("a", "flatbed", order, GENESYS, { ...config, options: { "output-file": "/etc/passwd" } }));
    refused(() => scanArguments("a", "flatbed", order, AIRSCAN, { ...config, options: { x: "1" } }));
  });

  it("take only names that are names", () => {
    for (const name of [
      "test:0",
      "genesys:libusb:001:004",
      "airscan:e0:Kyocera ECOSYS M2040dn",
      "hpaio:/usb/HP_LaserJet?serial=VNB3",
      "v4l:/dev/video0",
    ])
      expect([name, isDeviceName(name)]).toEqual([name, true]);
    for (const name of ["", "-h", "TEST; touch x#", "a:$(x)", "a:`x`", "a|b", "a:b\nc", "a:'x'", "a:\u0000", `a:${"x".repeat(300)}`])
      expect([name, isDeviceName(name)]).toEqual([name, false]);
  });
});

describe("a picture", () => {
  const pnm = (head: string, bytes: number): Uint8Array => Uint8Array.from([...Buffer.from(head), ...new Uint8Array(bytes)]);

  it("is whole, or not: not a byte more or less", () => {
    for (const [head, bytes] of [
      ["P5\n# SANE data follows\n3 2\n255\n", 6],
      ["P6\n3 2\n255\n", 18],
      ["P6 3 2 65535\n", 36],
      ["P4\n# SANE data follows\n9 2\n", 4],
    ] as const) {
      expect([head, isWholePnm(pnm(head, bytes))]).toEqual([head, true]);
      expect([head, isWholePnm(pnm(head, bytes - 1))]).toEqual([head, false]);
      expect([head, isWholePnm(pnm(head, bytes + 1))]).toEqual([head, false]);
    }
    for (const head of ["", "P7\n1 1\n255\n", "P5\n0 0\n255\n", "P5\n1 1\n0\n", "P5\n1\n", "P5\n999999 999999\n255\n"])
      expect([head, isWholePnm(pnm(head, 0))]).toEqual([head, false]);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => void isWholePnm(bytes)));
  });
});

describe("an end", () => {
  it("is told by its code, by what was said where there is none, and by why the device was not opened", () => {
    const kind = (code: number | undefined, ...said: string[]): [string, boolean] => {
      const { error, notOpened } = failureOf(code, said);
      return [error.kind, notOpened];
    };
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 134, undefined].map((code) => kind(code)[0])).toEqual([
      ...["unsupported", "device_fault", "busy", "unsupported", "device_fault", "document_jam", "feeder_empty", "cover_open"],
      ...["device_fault", "device_fault", "device_fault", "device_fault", "device_fault"],
    ]);
    expect(kind(undefined, "scanimage: sane_start: Document feeder jammed")).toEqual(["document_jam", false]);
    expect(kind(1, "scanimage: open of device genesys:libusb:001:004 failed: Invalid argument")).toEqual(["device_absent", true]);
    expect(kind(1, "scanimage: open of device airscan:e0:S failed: Error during device I/O")).toEqual(["device_absent", true]);
    expect(kind(1, "scanimage: open of device x failed: Device busy")).toEqual(["busy", false]);
    expect(kind(1, "scanimage: open of device x failed: Access to resource has been denied")).toEqual(["device_fault", false]);
    expect(kind(1, "scanimage: setting of option --mode failed (Invalid argument)")).toEqual(["unsupported", false]);
  });
});
