import { renderUnicodeCompact } from "uqr";
import { judgeCard, judgeScan, masked } from "../technician/judge.js";
import { TEST_CODE } from "../technician/test-page.js";
import type { Terminal } from "./terminal.js";
import type { Finding, Trial } from "./test-device-run.js";

/** Shows a code in the terminal and compares what the scanner makes of it. Whatever else it reads is not repeated. */
export async function testBarcodeScanner({ client, device, terminal, signal, timeoutMs }: Trial): Promise<Finding> {
  terminal.note(`${qrBlocks(TEST_CODE, terminal)}\n`);
  terminal.note(terminal.t`Show this code to the scanner, or that of a printed test page (${timeoutMs / 1_000} s).\n`);
  const { text, parsed, symbology, encoding } = await client.call("barcodeScanner.scan", { device: device.id, timeoutMs }, { signal });
  const { good, notes } = judgeScan({ text, parsed });
  const facts = { same: good, symbology, encoding, characters: [...text].length };
  return { result: good ? "passed" : "failed", notes, facts };
}

/** White on black whatever the terminal's colours are: a code in negative cannot be read by every scanner. */
function qrBlocks(text: string, { noteIsTty, env }: Terminal): string {
  const blocks = renderUnicodeCompact(text, { border: 2 });
  if (!noteIsTty || env.TERM === "dumb") return blocks;
  return blocks.replaceAll(/^.*$/gm, (line) => `\u001b[97;40m${line}\u001b[0m`);
}

/** Says what lies on the reader; with the card access number it opens it. Of a number only the end is shown. */
export async function testChipReader({ client, device, terminal, signal, timeoutMs, can }: Trial): Promise<Finding> {
  terminal.note(terminal.t`Lay any card on the reader (${timeoutMs / 1_000} s)…\n`);
  await client.call("chipReader.waitForCard", { device: device.id, timeoutMs }, { signal });
  if (can !== undefined) {
    const reading = await client.call("chipReader.readCard", { device: device.id, access: { can }, parts: ["dg1"], timeoutMs }, { signal });
    const { protocol } = reading.access;
    const number = masked(reading.mrz?.idNumber ?? reading.mrz?.documentNumber ?? "");
    return {
      result: "passed",
      notes: [`An ID card, number ${number}, opened with ${protocol.toUpperCase()} in ${(reading.durationMs / 1_000).toFixed(1)} s.`],
      facts: { card: "id", number, protocol, durationMs: Math.round(reading.durationMs), apdus: reading.apdus },
    };
  }
  const uid = await client.call("chipReader.readUid", { device: device.id, timeoutMs }, { signal }).catch((error: unknown) => {
    // A card with contacts, or a reader that does not tell: there is a card all the same.
    if (error instanceof Error && "kind" in error && ["unsupported", "card_unsupported"].includes(String(error.kind))) return undefined;
    throw error;
  });
  const { family, note } = judgeCard(uid);
  const next = `Open an ID card: stationd test ${device.id} --can LAST-SIX-DIGITS`;
  return { result: "passed", notes: [note, next], facts: { card: family } };
}
