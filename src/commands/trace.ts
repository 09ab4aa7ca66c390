import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { seconds } from "./seconds.js";
import { wrap } from "./table.js";
import { paint, plain, type Terminal } from "./terminal.js";

interface TraceFlags extends ConnectionFlags, JsonFlag {
  readonly for?: number;
}

/** One asking of the agent; it is asked again until Ctrl-C. */
const TURN_MS = 600_000;

export const addTrace: AddCommand = (program, act) => {
  const command = program
    .command("trace")
    .summary("what passes between the agent and a device, live")
    .description(
      "Shows live what passes between the agent and a device: names of commands, states and lengths. Texts, codes, cards and pictures are not in it.",
    )
    .argument("<device>", "id of the device")
    .option("--for <seconds>", "end after so long instead of at Ctrl-C", seconds);
  withExamples(withConnection(withJson(command)), [
    ["stationd trace receipt", "until Ctrl-C"],
    ["stationd trace terminal --for 60 --json > trace.ndjson", "for a ticket"],
  ]).action(
    act(async (terminal, device: string, flags: TraceFlags) =>
      withStation(terminal, { ...flags, first: "technician" }, async (client, signal) => {
        const render = flags.json ? jsonLine(device) : textLine(terminal);
        if (terminal.noteIsTty) terminal.note(terminal.t`Showing ${plain(device)}; → to the device, ← from it. Ctrl-C ends.\n`);
        let leftOut = 0;
        do {
          const forMs = flags.for === undefined ? TURN_MS : Math.round(flags.for * 1_000);
          const onProgress = ({ stage, message }: { readonly stage: string; readonly message?: string | undefined }): void =>
            terminal.out(render(stage, message ?? "", Date.now()));
          const result = await client.call("devices.trace", { device, forMs }, { signal, onProgress }).catch((thrown) => {
            if (signal.aborted) return undefined;
            throw thrown;
          });
          leftOut += result?.leftOut ?? 0;
        } while (flags.for === undefined && !signal.aborted);
        if (leftOut > 0) terminal.note(terminal.t`${leftOut} exchanges came too fast to be shown.\n`);
        return EXIT_CODES.ok.code;
      }),
    ),
  );
};

type Render = (stage: string, words: string, at: number) => string;

const jsonLine =
  (device: string): Render =>
  (from, words, time) =>
    `${JSON.stringify({ time, device, from, words })}\n`;

/** `23:59:59.999 → words`; what is longer than a line goes on below its beginning. */
function textLine(terminal: Terminal): Render {
  return (from, words, at) => {
    const time = timeOfDay(at);
    const head = `${paint(time, "grey", terminal.colour)} ${from === "agent" ? "→" : "←"} `;
    const indent = " ".repeat(time.length + 3);
    const lines = wrap(plain(words), terminal.columns - indent.length);
    return lines.map((line, index) => `${index === 0 ? head : indent}${line}\n`).join("");
  };
}

function timeOfDay(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
