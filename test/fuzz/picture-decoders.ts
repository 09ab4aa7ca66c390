import { decodeCapabilities, describeCapabilities } from "../../src/drivers/document-scanner/escl/capabilities.js";
import {
  BROTHER_8690,
  CANON_5300,
  capabilitiesXml,
  HP_477,
  imageInfoXml,
  jpeg,
  statusXml,
} from "../../src/drivers/document-scanner/escl/documents.test.support.js";
import { recognisePage } from "../../src/drivers/document-scanner/escl/page.js";
import { decodeImageInfo, decodeStatus, pathOf, trouble } from "../../src/drivers/document-scanner/escl/status.js";
import { isDeviceName } from "../../src/drivers/document-scanner/sane/arguments.js";
import {
  addOption,
  modeFor,
  resolutionFor,
  resolutionsOf,
  type SaneOption,
  settable,
  sourcesOf,
} from "../../src/drivers/document-scanner/sane/options.js";
import { isWholePnm } from "../../src/drivers/document-scanner/sane/pnm.js";
import { keepLines } from "../../src/drivers/document-scanner/sane/session.js";
import { endOf, failureOf } from "../../src/drivers/document-scanner/sane/status.js";
import { pnmHeader, pnmPicture } from "../../src/imaging/document-pnm.js";
import { imageSize, sizeInHeader } from "../../src/imaging/image-size.js";
import { hasEnd, hasManyScans, isWhole } from "../../src/imaging/jpeg-whole.js";
import { isJpeg2000, readJpeg2000 } from "../../src/imaging/jpeg2000.js";
import { concatBytes, fromHex } from "../../src/kernel/bytes.js";
import { DeviceError } from "../../src/kernel/errors.js";
import { type Decoder, utf8 } from "./decoder.js";
import { textOf } from "./inputs.js";

const escl = (file: string): string => `drivers/document-scanner/escl/${file}.ts`;
const sane = (file: string): string => `drivers/document-scanner/sane/${file}.ts`;
const OPTIONS = utf8(`    --resolution 75|100|150|300dpi [300]
    --resolution 50..600dpi (in steps of 1) [600]
    --mode Color|Gray|Lineart [Color]
    --source Flatbed|ADF|ADF Duplex [Flatbed]
    -x 0..215.985mm [215.985]
    --swcrop[=(yes|no)] [no] [advanced]
scanimage: sane_start: Document feeder jammed
scanimage: open of device airscan:e0:Sim failed: Device busy
Batch terminated, 3 pages scanned`);
const PNG = fromHex("89504e470d0a1a0a0000000d49484452000002800000 01e00802000000b0d51bff".replaceAll(" ", ""));
/** SOI, APP0, SOF0 of 640 by 480, end. */
const JPEG = fromHex(
  "ffd8ffe000104a46494600010100000100010000ffc0001108 01e00280030122000211010311 01ffda0008010100003f0012ffd9".replaceAll(" ", ""),
);
const CODESTREAM = fromHex(
  "ff4fff51002f0000000002800000 01e00000000000000000000002800000 01e0000000000000 0000000307010107010107 0101ff52000c".replaceAll(" ", ""),
);
const JP2 = concatBytes([
  fromHex("0000000c6a5020200d0a870a"),
  fromHex("000000146674797" + "06a703220000000006a703220"),
  fromHex("0000002d6a7032680000001669686472000001e0000002800003070700000000000f636f6c720100000000 0010".replaceAll(" ", "")),
  fromHex("000000006a703263"),
  CODESTREAM,
]);

export const pictureDecoders: readonly Decoder[] = [
  {
    name: "eSCL capabilities",
    files: [escl("capabilities"), escl("xml")],
    weight: 0.4,
    samples: [HP_477, BROTHER_8690, CANON_5300].map((model) => utf8(capabilitiesXml(model as never))),
    run: (input) => describeCapabilities(decodeCapabilities(input)),
  },
  {
    name: "eSCL status, image info, addresses",
    files: [escl("status"), escl("xml")],
    weight: 1,
    samples: [utf8(statusXml("Idle", "ScannerAdfLoaded")), utf8(imageInfoXml(2_480, 3_508)), utf8("http://127.0.0.1:80/eSCL/ScanJobs/1")],
    run(input, dice) {
      pathOf(textOf(dice, input));
      decodeImageInfo(input);
      trouble(decodeStatus(input));
    },
  },
  { name: "scanned page's kind", files: [escl("page")], weight: 4, samples: [jpeg(), PNG, utf8("%PDF-1.7")], run: recognisePage },
  {
    name: "what scanimage says",
    files: [sane("options"), sane("status"), sane("session"), sane("arguments")],
    weight: 3,
    samples: [OPTIONS],
    run(input, dice) {
      const options = new Map<string, SaneOption>();
      const said: string[] = [];
      const keep = keepLines(said);
      for (const line of textOf(dice, input).split("\n")) {
        addOption(options, line);
        keep(line);
        endOf(line, dice.roll(2));
        isDeviceName(line);
      }
      failureOf(dice.pick([undefined, 0, 3, 6, 7, 134]), said);
      sourcesOf(options, "flatbed");
      modeFor(options, "gray");
      resolutionFor(resolutionsOf(options), 300);
      settable(options, "source");
    },
  },
  {
    name: "PNM",
    files: [sane("pnm"), "imaging/document-pnm.ts"],
    weight: 5,
    samples: [utf8("P5\n# scanned\n4 2\n255\n12345678"), utf8("P4\n9 2\n1234"), utf8("P6\n1 1\n255\n123")],
    run(input) {
      isWholePnm(input);
      const header = pnmHeader(input);
      if (header) pnmPicture(input, header);
    },
  },
  {
    name: "PNG, JPEG and JPEG 2000 headers",
    files: ["imaging/image-size.ts", "imaging/jpeg-whole.ts", "imaging/jpeg2000.ts"],
    weight: 8,
    samples: [PNG, JPEG, JP2, CODESTREAM],
    run(input) {
      for (const mediaType of ["image/png", "image/jpeg"] as const) {
        sizeInHeader(input, mediaType);
        try {
          imageSize(input, mediaType);
        } catch (thrown) {
          if (!(thrown instanceof DeviceError)) throw thrown;
        }
      }
      hasEnd(input);
      hasManyScans(input);
      isWhole(input);
      if (isJpeg2000(input)) readJpeg2000(input);
    },
  },
];
