import { InvalidArgumentError } from "commander";
import type { DeviceClass } from "../protocol/devices.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { seconds } from "./seconds.js";
import { wrap } from "./table.js";
import { type Colour, json, paint, plain, type Terminal } from "./terminal.js";
import type { Finding, Trial } from "./test-device-run.js";

interface TestFlags extends ConnectionFlags, JsonFlag {
  readonly yes?: true;
  readonly out?: string;
  readonly can?: string;
  readonly timeout: number;
}

export const addTestDevice: AddCommand = (program, act) => {
  const command = program
    .command("test")
    .summary("try one device, step by step")
    .description(
      "Tries one device as a citizen would use it and says whether it works. Printers and payment terminals are tried out of service only: you are asked, and the station is back in service afterwards.",
    )
    .argument("<device>", "its name, as stationd devices shows it")
    .option("-y, --yes", "ask nothing: for scripts; the paper is then not judged")
    .option("-o, --out <file>", "keep the page or picture; nothing is kept unless told")
    .option("--can <digits>", "last 6 digits of the ID card that is laid on the reader", can)
    .option("-t, --timeout <seconds>", "how long to wait for paper, card or code", seconds, 60);
  withExamples(withConnection(withJson(command)), [
    ["stationd test receipt", "prints a test page and asks about it"],
    ["stationd test scanner", "shows the code that it should read"],
    ["stationd test camera --yes --json", "for scripts"],
    ["stationd test terminal --url ws://… --token-file …", "charges 1000 VND and takes it back"],
  ]).action(
    act(async (plainTerminal, id: string, flags: TestFlags) => {
      const { asker, mutedByHangup } = await import("./test-device-dialog.js");
      using terminal = mutedByHangup(plainTerminal);
      return await withStation(terminal, flags, async (client, signal) => {
        const device = await client.call("devices.get", { device: id }, { signal });
        const { yes = false, out, can } = flags;
        const finding = await tried({
          ...{ client, device, terminal, signal, yes, out, can },
          ask: asker(terminal, signal),
          timeoutMs: Math.round(flags.timeout * 1_000),
          named: flags.tokenFile !== undefined && client.hello.role === "technician",
        });
        const { result, facts } = finding;
        const simulated = device.simulated === true;
        if (flags.json) terminal.out(json({ device: id, class: device.class, result, simulated, ...facts }));
        else terminal.out(findingText(id, finding, simulated, terminal));
        return finding.code ?? (result === "failed" ? EXIT_CODES.failed.code : EXIT_CODES.ok.code);
      });
    }),
  );
};

/** Loaded when it is needed; those of which a citizen could be in the middle run out of service. */
const TESTS: { readonly [C in DeviceClass]: () => Promise<(trial: Trial) => Promise<Finding>> } = {
  printer: async () => {
    const { testPrinter } = await import("./test-device-sheets.js");
    return (trial) => outOfService(trial, "The page shows “out of service” while the test page is printed. Go on?", testPrinter);
  },
  paymentTerminal: async () => {
    const { mayBeReversed, testPaymentTerminal } = await import("./test-device-payment.js");
    return async (trial) => {
      await mayBeReversed(trial);
      const question =
        "Charge 1000 VND to a card that you present now, and take it back at once?\nThe page shows “out of service” meanwhile.";
      return await outOfService(trial, question, testPaymentTerminal);
    };
  },
  barcodeScanner: async () => (await import("./test-device-cards.js")).testBarcodeScanner,
  chipReader: async () => (await import("./test-device-cards.js")).testChipReader,
  documentScanner: async () => (await import("./test-device-sheets.js")).testDocumentScanner,
  camera: async () => (await import("./test-device-sheets.js")).testCamera,
};

async function tried(trial: Trial): Promise<Finding> {
  return await (await TESTS[trial.device.class]())(trial);
}

async function outOfService(trial: Trial, question: string, test: (trial: Trial) => Promise<Finding>): Promise<Finding> {
  const { asker, inMaintenance } = await import("./test-device-dialog.js");
  const { client, terminal, signal, yes, ask } = trial;
  const agree = async (): Promise<boolean> => yes || (await ask(terminal.t(question)));
  return await inMaintenance(client, terminal, agree, signal, (within) => test({ ...trial, signal: within, ask: asker(terminal, within) }));
}

const WORDS: Readonly<Record<Finding["result"], readonly [text: string, colour: Colour]>> = {
  passed: ["works", "green"],
  failed: ["DOES NOT WORK as it should", "red"],
  unseen: ["works as far as it can tell", "yellow"],
};

function findingText(id: string, { result, notes }: Finding, simulated: boolean, { columns, colour, t }: Terminal): string {
  const [words, tint] = WORDS[result];
  const lines = notes.flatMap((note) => wrap(plain(t(note)), columns - 2)).map((line) => `  ${line}\n`);
  return `${plain(id)}: ${paint(t(words), tint, colour)}${simulated ? ` ${t`[simulated]`}` : ""}\n${lines.join("")}`;
}

function can(text: string): string {
  if (!/^\d{6}$/.test(text)) throw new InvalidArgumentError("expected six digits");
  return text;
}
