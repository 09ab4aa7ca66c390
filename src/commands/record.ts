import { open, rm } from "node:fs/promises";
import { InvalidArgumentError } from "commander";
import { systemClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { seconds } from "./seconds.js";
import { json, plain } from "./terminal.js";

interface RecordFlags extends ConnectionFlags, JsonFlag {
  readonly for?: number;
  readonly most: number;
}

const MIB = 1024 * 1024;

export const addRecord: AddCommand = (program, act) => {
  const command = program
    .command("record")
    .summary("keep all that passes between the agent and a device")
    .description(
      "Opens a device anew and keeps all that passes from then on, for `stationd replay` and for the makers of a driver. In maintenance mode only. The file holds everything, unmasked: use test documents, test cards and test codes.",
    )
    .argument("<device>", "id of the device")
    .argument("<file>", "where to; it must not be there yet")
    .option("--for <seconds>", "end after so long instead of at Ctrl-C", seconds)
    .option("--most <mib>", "how long the recording may become, in MiB", mebibytes, 16);
  withExamples(withConnection(withJson(command)), [
    ["stationd maintenance on", "first: no citizen may be at the station"],
    ["stationd record scanner scanner.ndjson", "until Ctrl-C"],
    ["stationd record receipt receipt.ndjson --for 30", "print a test slip meanwhile"],
  ]).action(
    act(async (terminal, device: string, path: string, flags: RecordFlags) =>
      withStation(terminal, { ...flags, first: "technician", staysConnected: true }, async (client, signal) => {
        const { t } = terminal;
        // Only its owner reads it, and it is there before anything is recorded: nothing is lost for want of a folder.
        const file = await open(path, "wx", 0o600).catch((thrown: NodeJS.ErrnoException) => {
          if (thrown.code !== "EEXIST") throw thrown;
          throw new DeviceError("invalid_params", { message: `${path} is there already`, hint: "Name a file that does not exist yet" });
        });
        let whole = false;
        try {
          await client.call("devices.startRecording", { device, mostBytes: flags.most * MIB }, { signal });
          terminal.note(t`RECORDING ${plain(device)}: ALL that passes, unmasked. No real cards, documents or codes!\n`);
          terminal.note(flags.for === undefined ? t`Ctrl-C ends it.\n` : t`It ends after ${flags.for} s, or with Ctrl-C.\n`);
          await waited(flags.for, client.onState, signal);
          const told = await client.call("devices.stopRecording", { device });
          await file.writeFile(new Uint8Array(await client.blob(told.recording).arrayBuffer()));
          whole = true;
          const { exchanges, truncated } = told;
          if (truncated) terminal.note(t`It is cut off after ${flags.most} MiB: --most allows more.\n`);
          const size = `${Math.ceil(told.recording.byteLength / 1_000)} kB`;
          const text = t`${plain(path)}: ${exchanges} exchanges, ${size}. It holds all that passed: delete it when it has served.\n`;
          terminal.out(flags.json ? json({ device, file: path, exchanges, truncated, bytes: told.recording.byteLength }) : text);
          return EXIT_CODES.ok.code;
        } finally {
          await file.close();
          if (!whole) await rm(path, { force: true });
        }
      }),
    ),
  );
};

/** Until the time is over, Ctrl-C, or the agent is gone. */
async function waited(
  forSeconds: number | undefined,
  onState: (listener: (state: string) => void) => unknown,
  signal: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
    onState((state) => state === "closed" && resolve());
    if (forSeconds !== undefined) systemClock().timer(forSeconds * 1_000, resolve);
  });
}

function mebibytes(text: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 1 && value <= 64)) throw new InvalidArgumentError("expected a whole number from 1 to 64");
  return value;
}
