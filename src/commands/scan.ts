import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { seconds } from "./seconds.js";
import { json, plain } from "./terminal.js";

export const addScan: AddCommand = (program, act) => {
  const command = program
    .command("scan")
    .summary("wait for one barcode or QR code")
    .description("Waits for one code and prints its text. With --json also its bytes and what it means.")
    .option("-d, --device <id>", "which scanner, where there are several")
    .option("-t, --timeout <seconds>", "how long to wait", seconds, 30);
  withExamples(withConnection(withJson(command)), [
    ["stationd scan", "the text of the next code"],
    ["stationd scan --timeout 5 --json", "with all that is known of it"],
  ]).action(
    act(async (terminal, flags: ConnectionFlags & JsonFlag & { device?: string; timeout: number }) =>
      withStation(terminal, { ...flags, first: "service" }, async (client, signal) => {
        if (terminal.noteIsTty) terminal.note(terminal.t`Show a code to the scanner (${flags.timeout} s)…\n`);
        const params = { timeoutMs: Math.round(flags.timeout * 1_000), ...(flags.device === undefined ? {} : { device: flags.device }) };
        const scan = await client.call("barcodeScanner.scan", params, { signal });
        // On a terminal a code must not be able to steer it; a pipe gets the text as it is.
        terminal.out(flags.json ? json(scan) : `${terminal.outIsTty ? plain(scan.text) : scan.text}\n`);
        return EXIT_CODES.ok.code;
      }),
    ),
  );
};
