import { readFileSync } from "node:fs";
import { parseCardCode } from "../../src/citizen-id/card-code.js";
import { readIdNumber } from "../../src/citizen-id/id-number.js";
import { parseScan } from "../../src/citizen-id/scan.js";
import { isExpired } from "../../src/citizen-id/validity.js";
import { vietnameseMrz } from "../../src/citizen-id/vietnamese-mrz.js";
import { hostProblem, isLoopback as isLoopbackAddress, originProblem } from "../../src/config/addresses.js";
import { keyPositions } from "../../src/config/key-positions.js";
import { parseConfig } from "../../src/config/load.js";
import { drivers } from "../../src/drivers/index.js";
import { parseEmvcoObjects, parseEmvcoPayload } from "../../src/formats/emvco.js";
import { checkDigit, parseTd1 } from "../../src/formats/mrz.js";
import { readVietQr } from "../../src/formats/vietqr.js";
import { decodeFrame, encodeFrame } from "../../src/protocol/binary-frame.js";
import { examples } from "../../src/protocol/examples.js";
import { parseRequest } from "../../src/protocol/jsonrpc.js";
import { methods } from "../../src/protocol/methods.js";
import { admissionRules, isLoopback, printableOrigin, refuseHost, refuseOrigin } from "../../src/server/admission.js";
import { readRequest } from "../../src/server/dispatch.js";
import { parseSockets } from "../../src/server/peer-uid.js";
import { bearerRole } from "../../src/server/tokens.js";
import { type Decoder, utf8 } from "./decoder.js";
import { textOf } from "./inputs.js";

const NOW_MS = Date.UTC(2026, 6, 1);
const environment = { stateDir: "/var/lib/stationd", runtimeDir: "/run/stationd", uidOf: () => 1_000 };
export const requests = Object.entries(examples).map(([method, { params }]) =>
  utf8(JSON.stringify({ jsonrpc: "2.0", id: 7, method, params })),
);
const settings = { host: "127.0.0.1", origins: ["https://kiosk.example.gov.vn"], hosts: ["station.local"], kioskUids: [], tls: undefined };
const rules = admissionRules(settings as never, 7_870);
const ZONE = "IDVNM1900000015001190000001<<69002015F3002017VNM<<<<<<<<<<<4NGUYEN<<THI<MAU<<<<<<<<<<<<<<<";

export const textDecoders: readonly Decoder[] = [
  {
    name: "scanned texts",
    files: ["citizen-id/scan.ts", "citizen-id/card-code.ts", "citizen-id/id-number.ts", "citizen-id/validity.ts"],
    weight: 8,
    samples: [
      utf8("001190000001|012345678|Nguyễn Thị Mẫu|01021990|Nữ|Số 1 Đường Mẫu, Hà Nội|03042021"),
      utf8("HS-2026-000123"),
      utf8("00020101021138580010A000000727012800069704070114190304136010180208QRIBFTTA53037045802VN63040283"),
    ],
    run(input, dice) {
      const text = textOf(dice, input);
      parseScan(text);
      parseCardCode(text);
      readIdNumber(text);
      isExpired(text, NOW_MS);
    },
  },
  {
    name: "EMVCo and VietQR",
    files: ["formats/emvco.ts", "formats/vietqr.ts"],
    weight: 8,
    samples: [
      utf8("00020101021238530010A0000007270123000697041601092576788590208QRIBFTTA5303704540410005802VN62150811Chuyen tien6304BBB8"),
    ],
    run(input, dice) {
      const text = textOf(dice, input);
      parseEmvcoObjects(text);
      parseEmvcoPayload(text);
      readVietQr(text);
    },
  },
  {
    name: "machine-readable zone",
    files: ["formats/mrz.ts", "citizen-id/vietnamese-mrz.ts"],
    weight: 8,
    samples: [utf8(ZONE), utf8(ZONE.replace(/(.{30})/g, "$1\n"))],
    run(input, dice) {
      const text = textOf(dice, input);
      // Its callers give it characters that it knows.
      checkDigit(text.replaceAll(/[^0-9A-Z<]/g, ""));
      const td1 = parseTd1(text);
      if (td1) vietnameseMrz(td1, NOW_MS);
    },
  },
  {
    name: "configuration",
    files: ["config/load.ts", "config/key-positions.ts"],
    weight: 0.3,
    samples: [utf8(readFileSync("systemd/stationd.toml", "utf8"))],
    run(input, dice) {
      const text = textOf(dice, input);
      keyPositions(text);
      parseConfig(text, "stationd.toml", drivers, environment);
    },
  },
  {
    name: "addresses",
    files: ["config/addresses.ts", "server/admission.ts"],
    weight: 4,
    samples: [utf8("https://kiosk.example.gov.vn"), utf8("http://[::1]:8080"), utf8("127.0.0.1:7870")],
    run(input, dice) {
      const text = textOf(dice, input);
      hostProblem(text);
      originProblem(text);
      isLoopbackAddress(text);
      isLoopback(text);
      printableOrigin(text);
      refuseHost("tcp", text.split(","), rules);
      refuseOrigin({ door: "tcp", origins: text.split(",") } as never, rules);
    },
  },
  {
    name: "tokens",
    files: ["server/tokens.ts"],
    weight: 2,
    samples: [utf8("Bearer technician-token-0123456789abcdef")],
    run: (input, dice) => bearerRole(textOf(dice, input), [{ name: "anna", role: "technician", sha256: "00".repeat(32) }]),
  },
  {
    name: "requests",
    files: ["protocol/jsonrpc.ts", "server/dispatch.ts"],
    weight: 10,
    samples: requests,
    run(input, dice) {
      const text = textOf(dice, input);
      const { method, params } = dice.roll(2) ? readRequest(text) : parseRequest(text, 32);
      if (Object.hasOwn(methods, method)) methods[method as keyof typeof methods].params.safeParse(params);
    },
  },
  {
    name: "binary frames",
    files: ["protocol/binary-frame.ts"],
    weight: 5,
    samples: [encodeFrame({ kind: "blob", last: true, channel: 1, sequence: 0, capturedAt: 1 }, utf8("picture"))],
    run: (input) => decodeFrame(input),
  },
  {
    name: "the kernel's table of sockets",
    files: ["server/peer-uid.ts"],
    weight: 3,
    samples: [
      utf8(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n   0: 0100007F:1EBE 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 12345 1",
      ),
    ],
    run: (input, dice) => parseSockets(textOf(dice, input)),
  },
];
