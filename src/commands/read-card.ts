import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import type { Progress, StationClient } from "../client/exports.js";
import { DeviceError } from "../kernel/errors.js";
import type { CardAccess, CardReading } from "../protocol/chip-reader.js";
import { cardText, verdictsFailed } from "./card-text.js";
import { type Act, type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { readText } from "./input.js";
import { progressLine } from "./progress-line.js";
import { seconds } from "./seconds.js";
import { json, type Terminal } from "./terminal.js";

export interface CardFlags extends ConnectionFlags, JsonFlag {
  readonly device?: string;
  readonly qr?: string;
  readonly can?: string;
  readonly id?: string;
  readonly mrz?: string;
  readonly bac?: true;
  readonly portrait?: string;
  readonly challenge?: string;
  readonly timeout: number;
}

/** The options of every command that opens a chip. */
export function withCardAccess(command: Command): Command {
  return command
    .option("-d, --device <id>", "which reader, where there are several")
    .option("--qr <text>", "text of the card's QR code; - reads it from the standard input")
    .option("--can <digits>", "the last 6 digits of the ID number")
    .option("--id <digits>", "the ID number, 12 digits")
    .option("--mrz <text>", "document number,birth,expiry (yyMMdd), or the three lines of the card's back")
    .option("--bac", "open it with BAC instead of PACE; needs --mrz")
    .option("-t, --timeout <seconds>", "how long to wait for the card and its data", seconds, 60);
}

export const addReadCard: AddCommand = (program, act: Act) => {
  const command = withCardAccess(
    program
      .command("read-card")
      .summary("read the chip of an ID card")
      .description(
        "Reads the chip of an ID card and says what can be proved about it. Without a key it asks the scanner for the card's QR code.",
      ),
  )
    .option("--portrait <file>", "save the portrait (JPEG)")
    .option("--challenge <hex>", "8 bytes that the chip signs (active authentication)");
  withExamples(withConnection(withJson(command)), [
    ["stationd read-card", "scan the QR code, then lay the card on the reader"],
    ["stationd read-card --can 004321 --portrait face.jpg", "with the portrait"],
  ]).action(
    act(async (terminal, flags: CardFlags) =>
      withStation(terminal, { ...flags, first: "service" }, async (client, signal) => {
        const { reading } = await read(client, terminal, flags, signal, false);
        if (flags.portrait !== undefined) await savePortrait(client, reading, flags.portrait);
        terminal.out(flags.json ? json(reading) : cardText(reading, terminal));
        return verdictsFailed(reading.verdicts) ? EXIT_CODES.failed.code : EXIT_CODES.ok.code;
      }),
    ),
  );
};

/** Reads the card with what the flags say, live on the terminal. */
export async function read(
  client: StationClient,
  terminal: Terminal,
  flags: CardFlags,
  signal: AbortSignal,
  trace: boolean,
): Promise<{ reading: CardReading }> {
  const access = await accessOf(client, terminal, flags, signal);
  const line = progressLine(terminal);
  const onProgress = (progress: Progress): void => {
    if (progress.stage === "waiting" && terminal.noteIsTty) line.say(terminal.t`Lay the card on the reader (${flags.timeout} s)…`);
    else line.show(progress);
  };
  try {
    const reading = await client.call(
      "chipReader.readCard",
      {
        access,
        timeoutMs: Math.round(flags.timeout * 1_000),
        ...(flags.bac ? { protocol: "bac" as const } : {}),
        ...(flags.challenge === undefined ? {} : { challenge: flags.challenge }),
        ...(flags.device === undefined ? {} : { device: flags.device }),
        ...(trace ? { trace } : {}),
      },
      { signal, onProgress },
    );
    return { reading };
  } finally {
    line.clear();
  }
}

async function accessOf(client: StationClient, terminal: Terminal, flags: CardFlags, signal: AbortSignal): Promise<CardAccess> {
  const given = [flags.qr, flags.can, flags.id, flags.mrz].filter((flag) => flag !== undefined).length;
  if (given > 1) throw new DeviceError("invalid_params", { message: "give one of --qr, --can, --id and --mrz", hint: "" });
  if (flags.can !== undefined) return { can: flags.can };
  if (flags.id !== undefined) return { idNumber: flags.id };
  if (flags.mrz !== undefined) return { mrz: mrzOf(flags.mrz) };
  if (flags.qr !== undefined) return { qr: flags.qr === "-" ? (await readText("-")).trim() : flags.qr };
  if (terminal.noteIsTty) terminal.note(terminal.t`Show the card's QR code to the scanner…\n`);
  const scan = await client.call("barcodeScanner.scan", { timeoutMs: Math.round(flags.timeout * 1_000) }, { signal });
  return { qr: scan.text };
}

type MrzAccess = Extract<CardAccess, { mrz: unknown }>["mrz"];

/** `number,yyMMdd,yyMMdd`, or TD1 as printed (ICAO 9303-5 §4.2.2): line 1 has the number from 6 to 14, line 2 begins with the dates. */
export function mrzOf(text: string): MrzAccess {
  const [, documentNumber, birthDate, expiryDate] = /^([A-Z0-9<]{1,22}),(\d{6}),(\d{6})$/.exec(text.trim()) ?? [];
  if (documentNumber && birthDate && expiryDate) return { documentNumber, birthDate, expiryDate };
  const lines = text.replaceAll(/\s/g, "");
  if (!/^[A-Z0-9<]{90}$/.test(lines)) {
    throw new DeviceError("invalid_params", {
      message: "--mrz is neither number,birth,expiry nor three lines of 30 characters",
      hint: "For example --mrz 085004321,850315,450315",
    });
  }
  return { documentNumber: lines.slice(5, 14).replaceAll("<", ""), birthDate: lines.slice(30, 36), expiryDate: lines.slice(38, 44) };
}

async function savePortrait(client: StationClient, { portrait }: CardReading, file: string): Promise<void> {
  if (!portrait)
    throw new DeviceError("unsupported", { message: "no portrait could be read", hint: "Read the card again without --portrait" });
  const bytes = new Uint8Array(await client.blob(portrait.image).arrayBuffer());
  // A face is personal: nobody else on this machine may look.
  await writeFile(file, bytes, { mode: 0o600 });
}
