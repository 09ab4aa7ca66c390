import type { ApduTrace, CardReading, CardVerdicts } from "../protocol/chip-reader.js";
import { type Cell, formatTable } from "./table.js";
import { type Colour, paint, plain, type Terminal } from "./terminal.js";

type Mark = "good" | "bad" | "open";
const SIGNS: Readonly<Record<Mark, readonly [sign: string, colour: Colour]>> = {
  good: ["✓", "green"],
  bad: ["✗", "red"],
  open: ["!", "yellow"],
};

/** Each verdict's value in words, with what a technician should think of it. */
const WORDS: {
  readonly [V in Exclude<keyof CardVerdicts, "mismatched">]: { readonly [value in CardVerdicts[V]]: readonly [mark: Mark, words: string] };
} = {
  signature: {
    valid: ["good", "the data are signed"],
    invalid: ["bad", "the signature of the data is WRONG"],
    missing: ["bad", "the data are not signed"],
  },
  hashes: {
    match: ["good", "the data are those that were signed"],
    mismatch: ["bad", "data were CHANGED after signing"],
    not_checked: ["open", "the data could not be compared with what was signed"],
  },
  issuer: {
    trusted: ["good", "the signer is trusted"],
    untrusted: ["bad", "the signer is no signer of the issuing state"],
    unknown: ["open", "the signer is not known here: stationd trust import"],
  },
  revoked: {
    no: ["good", "the signer is not revoked"],
    yes: ["bad", "the signer is REVOKED"],
    unknown: ["open", "no current revocation list"],
  },
  certificateExpired: {
    no: ["good", "the signer's certificates are valid today"],
    yes: ["open", "a certificate of the signer has expired"],
    unknown: ["open", "the signer's validity is not known"],
  },
  documentExpired: { no: ["good", "the card has not expired"], yes: ["bad", "the card has EXPIRED"], unknown: ["open", "expiry not read"] },
  cardAccess: {
    confirmed: ["good", "the access parameters are the signed ones"],
    downgraded: ["bad", "the access parameters were CHANGED"],
    not_checked: ["open", "access parameters not checked"],
  },
  chip: {
    genuine: ["good", "the chip is genuine"],
    failed: ["bad", "the chip is a COPY"],
    unproven: ["open", "the chip has its key, but its signer is not trusted"],
    not_supported: ["open", "this chip cannot prove that it is no copy"],
  },
  activeAuthentication: {
    genuine: ["good", "the chip signed the challenge"],
    failed: ["bad", "the chip's answer to the challenge is WRONG"],
    unproven: ["open", "the chip signed the challenge, but its signer is not trusted"],
    not_asked: ["open", "no challenge was given"],
    not_supported: ["open", "this chip signs no challenge"],
    not_possible: ["open", "this reader cannot carry the chip's answer"],
  },
  qr: {
    same: ["good", "QR code and chip belong together"],
    different: ["bad", "the QR code is of ANOTHER card"],
    not_compared: ["open", ""],
  },
  printed: {
    same: ["good", "chip data agree with each other"],
    different: ["bad", "MRZ and details of the chip DIFFER"],
    not_compared: ["open", ""],
  },
};

/** Something is wrong with this card, beyond what is merely not known. */
export function verdictsFailed(verdicts: CardVerdicts): boolean {
  return lines(verdicts).some(([mark]) => mark === "bad");
}

function lines(verdicts: CardVerdicts): (readonly [Mark, string])[] {
  return (Object.keys(WORDS) as (keyof typeof WORDS)[])
    .map((name) => (WORDS[name] as Readonly<Record<string, readonly [Mark, string]>>)[verdicts[name]])
    .filter((line): line is readonly [Mark, string] => line !== undefined && line[1] !== "" && line[1] !== "no challenge was given");
}

/** A card in words, at most 80 columns. */
export function cardText(reading: CardReading, terminal: Terminal): string {
  const { mrz, details, access, device, durationMs, apdus, simulated } = reading;
  const { t } = terminal;
  const opened = t`${access.protocol.toUpperCase()} with ${access.password.toUpperCase()}, ${access.cipher.toUpperCase()}`;
  const expiry = details?.expiryDate ?? mrz?.expiryDate;
  const rows: readonly (readonly [string, string | undefined])[] = [
    [t`ID number`, details?.idNumber ?? mrz?.idNumber],
    [t`Old number`, details?.oldIdNumber],
    [t`Name`, details?.name ?? mrz?.name],
    [t`Born`, details?.birthDate ?? mrz?.birthDate],
    [t`Sex`, details?.sex ?? mrz?.sex],
    [t`Residence`, details?.residence],
    [t`Issued`, details?.issueDate],
    [t`Valid until`, expiry],
    [t`Portrait`, reading.portrait && `${reading.portrait.widthPx} x ${reading.portrait.heightPx}`],
    [t`Missing`, reading.missing.join(", ") || undefined],
    [t`Unreadable`, reading.unreadable.join(", ") || undefined],
    [t`Signed by`, reading.signer?.subject],
  ];
  const table = rows.flatMap(([label, value]): Cell[][] =>
    value === undefined ? [] : [[{ text: label, colour: "grey" }, { text: plain(value) }]],
  );
  const read = t`${plain(device)}: read in ${(durationMs / 1_000).toFixed(1)} s, ${apdus} round trips, ${opened}`;
  const head = `${read}${simulated ? ` ${t`[simulated]`}` : ""}\n`;
  const verdicts = lines(reading.verdicts).map(([mark, words]) => {
    const [sign, colour] = SIGNS[mark];
    return `${paint(sign, colour, terminal.colour)} ${t(words)}\n`;
  });
  return `${head}\n${formatTable(["", ""], table, terminal).replace(/^\n/, "")}\n${verdicts.join("")}`;
}

const INSTRUCTIONS: Readonly<Record<string, string>> = {
  "22": "MSE",
  "84": "GET CHALLENGE",
  "82": "EXTERNAL AUTH",
  "86": "GENERAL AUTH",
  "88": "INTERNAL AUTH",
  a4: "SELECT",
  b0: "READ BINARY",
  b1: "READ BINARY",
  ca: "GET DATA",
};

/** APDUs with their times; of what is inside them only the length. */
export function traceText(trace: readonly ApduTrace[], terminal: Terminal): string {
  const rows = trace.map(({ header, sentBytes, receivedBytes, status, atMs, durationMs }, index): Cell[] => [
    { text: String(index + 1) },
    { text: atMs.toFixed(0) },
    { text: durationMs.toFixed(1) },
    { text: header },
    { text: String(sentBytes) },
    { text: String(receivedBytes) },
    { text: status, colour: status === "9000" || status === "6282" ? "green" : "red" },
    { text: INSTRUCTIONS[header.slice(2, 4)] ?? "" },
  ]);
  return formatTable(["#", "AT ms", "TOOK ms", "HEADER", "SENT", "RECEIVED", "STATUS", "COMMAND"], rows, terminal);
}
