import { KEYBOARD_DESCRIPTOR, MODELS } from "../../simulators/hid-scanner/models.js";
import { decodeCode as decodeLine, splitLines } from "../../src/drivers/_template/codec.js";
import { parseReportDescriptor } from "../../src/drivers/barcode-scanner/hid-pos/descriptor.js";
import { createKeyboardReader } from "../../src/drivers/barcode-scanner/hid-pos/keyboard-reader.js";
import { codeLayouts, isKeyboard, keyboardLayout, triggerReports } from "../../src/drivers/barcode-scanner/hid-pos/layout.js";
import { createPosReader } from "../../src/drivers/barcode-scanner/hid-pos/pos-reader.js";
import { ANSWERS, decodeCode, readAnswer, terminatorBytes } from "../../src/drivers/barcode-scanner/serial-scanner/codec.js";
import { createFramer as createCodeFramer } from "../../src/drivers/barcode-scanner/serial-scanner/framer.js";
import { createMultipartReader } from "../../src/drivers/camera/ffmpeg/codec.js";
import { readerFacts } from "../../src/drivers/chip-reader/pcsc/reader-name.js";
import { parseBaseline } from "../../src/drivers/printer/escpos/evidence.js";
import { createReplySorter } from "../../src/drivers/printer/escpos/replies.js";
import { conditionOf, signsOfAutoStatus, signsOfStatus, statusOf } from "../../src/drivers/printer/escpos/status.js";
import { concatBytes, fromHex } from "../../src/kernel/bytes.js";
import { manualClock } from "../../src/kernel/clock.js";
import { hidOverLink } from "../../src/transports/hid-over-link.js";
import { memoryPair } from "../../src/transports/memory.js";
import { findInTlv } from "../../src/transports/pcsc-max-apdu.js";
import { replay } from "../../src/transports/replay.js";
import { vpcd } from "../../src/transports/vpcd.js";
import { type Decoder, insist, utf8 } from "./decoder.js";
import { chunks, type Dice, jsonOf, textOf } from "./inputs.js";

const MOST_CODE = 512;
const never = new AbortController().signal;
const CARD = utf8("079203004567|234567890|Nguyễn Thị Thuỳ Dương|01022003|Nữ|Số 7, hẻm Cầu Đá, tỉnh Khánh Hoà|03042021\r\n");

function printerReplies(input: Uint8Array, dice: Dice): void {
  const sorter = createReplySorter();
  const status: number[] = [];
  for (const chunk of chunks(dice, input)) {
    for (const reply of sorter.push(chunk)) {
      if (reply.type === "status") status.push(reply.byte);
      if (reply.type === "auto_status") conditionOf(signsOfAutoStatus(reply.bytes), "receipt");
    }
  }
  const [one = 0x12, two = 0x12, three = 0x12, four = 0x12] = status;
  statusOf(signsOfStatus([one, two, three, four]));
}

const DIALECTS = ["plain", "honeywell", "newland"] as const;
function serialScanner(input: Uint8Array, dice: Dice): void {
  const framer = createCodeFramer({
    terminator: terminatorBytes(dice.pick(["cr", "lf", "crlf", "none", "hex:0304"])),
    answers: ANSWERS[dice.pick(DIALECTS)],
    maxCodeBytes: MOST_CODE,
  });
  const echo = dice.bytes(dice.roll(6));
  const all = [...chunks(dice, input)].flatMap((chunk) => framer.push(chunk));
  for (const framed of [...all, ...framer.flush()]) {
    if (framed.type === "dropped") continue;
    insist(framed.bytes.length <= MOST_CODE, "a code is longer than the longest");
    if (framed.type === "code") decodeCode(framed.bytes, dice.pick(["none", "aim"]));
    else readAnswer(framed.bytes, echo);
  }
}

function reportDescriptor(input: Uint8Array): void {
  const descriptor = parseReportDescriptor(input);
  codeLayouts(descriptor);
  keyboardLayout(descriptor);
  isKeyboard(descriptor);
  triggerReports(descriptor, true);
}

const sound = Object.values(MODELS).map(({ descriptor }) => parseReportDescriptor(descriptor));
const keyboard = parseReportDescriptor(KEYBOARD_DESCRIPTOR);
function hidReports(input: Uint8Array, dice: Dice): void {
  const keys = keyboardLayout(keyboard);
  const descriptor = dice.pick(sound);
  const reader =
    keys && dice.roll(4) === 0
      ? createKeyboardReader(keys, keyboard.numbered, MOST_CODE)
      : createPosReader({
          layouts: codeLayouts(descriptor),
          numbered: descriptor.numbered,
          maxCodeBytes: MOST_CODE,
          fullReportMayEnd: dice.roll(2) === 0,
        });
  const outcomes = [...chunks(dice, input)].flatMap((report) => [...reader.push(report), ...(dice.roll(8) ? [] : reader.flush())]);
  for (const outcome of [...outcomes, ...reader.flush()]) {
    if (outcome.type === "code") insist(outcome.code.bytes.length <= MOST_CODE, "a code is longer than the longest");
  }
}

/** A far end that says this to whoever connects, and hangs up. */
async function saidByFarEnd(
  input: Uint8Array,
  dice: Dice,
  talk: (connect: () => Promise<ReturnType<typeof memoryPair>[0]>) => Promise<unknown>,
) {
  const [near, far] = memoryPair();
  const speaking = (async () => {
    for (const chunk of chunks(dice, input.subarray(0, 2_000))) await far.write(chunk, never);
    await far.close();
  })().catch(() => {});
  try {
    await talk(async () => near);
  } finally {
    await Promise.all([near.close(), far.close(), speaking]);
  }
}

const part = (body: string, length = body.length): string =>
  `--frame\r\nContent-type: image/jpeg\r\nContent-length: ${length}\r\n\r\n${body}\r\n`;
const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
const RECORDING = [
  { atMs: 1, from: "device", base64: "Eg==" },
  { atMs: 2, from: "agent", base64: "EAQB" },
  { atMs: 3, from: "device", end: true },
];

export const wireDecoders: readonly Decoder[] = [
  {
    name: "escpos replies",
    files: ["drivers/printer/escpos/replies.ts", "drivers/printer/escpos/status.ts"],
    weight: 10,
    samples: ["12121212", "1211361613", "14000000", "3722414231320037223030303000", "5f4d54303100", "10000060121672"].map(fromHex),
    run: printerReplies,
  },
  {
    name: "escpos baseline of the journal",
    files: ["drivers/printer/escpos/evidence.ts"],
    weight: 2,
    samples: [utf8('{"counter":178,"value":17,"cuts":1,"serial":"a1b2","padBytes":12,"autoStatus":true,"processId":true,"inTurn":false}')],
    run: (input) => parseBaseline(jsonOf(input) as never),
  },
  {
    name: "serial scanner",
    files: ["drivers/barcode-scanner/serial-scanner/framer.ts", "drivers/barcode-scanner/serial-scanner/codec.ts"],
    weight: 10,
    samples: [CARD, utf8("]Q1HS-2026-000123\r"), concatBytes([fromHex("0201"), utf8("0000#SCNTRG1"), fromHex("063b03")])],
    run: serialScanner,
  },
  {
    name: "driver template",
    files: ["drivers/_template/codec.ts"],
    weight: 4,
    samples: [CARD],
    run(input, dice) {
      let rest: Uint8Array = new Uint8Array();
      for (const chunk of chunks(dice, input.subarray(0, 1_500))) {
        const split = splitLines(concatBytes([rest, chunk]), MOST_CODE);
        for (const code of split.codes) decodeLine(code);
        rest = split.rest;
        insist(rest.length <= MOST_CODE + 1, "a line without end is held");
      }
    },
  },
  {
    name: "HID report descriptor",
    files: ["drivers/barcode-scanner/hid-pos/descriptor.ts"],
    weight: 8,
    samples: [...Object.values(MODELS).map(({ descriptor }) => descriptor), KEYBOARD_DESCRIPTOR],
    run: reportDescriptor,
  },
  {
    name: "HID reports",
    files: [
      "drivers/barcode-scanner/hid-pos/pos-reader.ts",
      "drivers/barcode-scanner/hid-pos/keyboard-reader.ts",
      "drivers/barcode-scanner/hid-pos/reader.ts",
    ],
    weight: 6,
    samples: Object.values(MODELS).map((model) => model.report(CARD.subarray(0, Math.min(model.room, CARD.length)), "]Q1", true)),
    run: hidReports,
  },
  {
    name: "camera stream",
    files: ["drivers/camera/ffmpeg/codec.ts"],
    weight: 3,
    samples: [
      latin1(part("\u00ff\u00d8picture\u00ff\u00d9") + part("\u00ff\u00d8other\u00ff\u00d9")),
      latin1(part("\u00ff\u00d8", 99_999_999)),
    ],
    run(input, dice) {
      const reader = createMultipartReader("frame", 4_096);
      for (const chunk of chunks(dice, input)) reader.push(chunk);
    },
  },
  {
    name: "card reader's name",
    files: ["drivers/chip-reader/pcsc/reader-name.ts"],
    weight: 4,
    samples: [utf8("ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] (0123456) 00 00"), utf8("Alcor Micro AU9540 00 00")],
    run: (input, dice) => readerFacts(textOf(dice, input)),
  },
  {
    name: "card reader's properties",
    files: ["transports/pcsc-max-apdu.ts"],
    weight: 5,
    samples: ["0a0400010000", "1204423300010a0400010000"].map(fromHex),
    run: (input, dice) => findInTlv(input, dice.pick([0x0a, 0x12, dice.roll(256)])),
  },
  {
    name: "virtual card's wire",
    files: ["transports/vpcd.ts"],
    weight: 1,
    samples: ["00053b80800101", "0005 3b80800101 0002 9000".replaceAll(" ", ""), "0000"].map(fromHex),
    run: (input, dice) =>
      saidByFarEnd(input, dice, async (connect) => {
        const reader = await vpcd(connect, manualClock())(never);
        await reader.close();
      }),
  },
  {
    name: "HID device over a wire",
    files: ["transports/hid-over-link.ts"],
    weight: 1,
    samples: Object.values(MODELS).map(({ descriptor }) =>
      concatBytes([Uint8Array.of(1, descriptor.length >> 8, descriptor.length & 0xff), descriptor, fromHex("02000400010203")]),
    ),
    run: (input, dice) =>
      saidByFarEnd(input, dice, async (connect) => {
        const device = await hidOverLink(connect)(never);
        for (;;) await device.read(never);
      }),
  },
  {
    name: "recording of a link",
    files: ["transports/replay.ts", "transports/record.ts"],
    weight: 2,
    samples: [utf8(RECORDING.map((line) => JSON.stringify(line)).join("\n"))],
    run: (input, dice) => replay(textOf(dice, input)),
  },
];
