import { writeFile } from "node:fs/promises";
import { InvalidArgumentError } from "commander";
import type { Translate } from "../languages/translate.js";
import type { Result } from "../protocol/methods.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { seconds } from "./seconds.js";
import { json, plain } from "./terminal.js";

interface CameraFlags extends ConnectionFlags, JsonFlag {
  readonly device?: string;
}
interface SnapshotFlags extends CameraFlags {
  readonly out: string;
  readonly width?: number;
  readonly minSharpness?: number;
  readonly timeout: number;
}

export const addSnapshot: AddCommand = (program, act) => {
  const command = program
    .command("snapshot")
    .summary("take a picture")
    .description("Takes one picture and says how sharp and how bright it is.")
    .requiredOption("-o, --out <file>", "where to (JPEG)")
    .option("-d, --device <id>", "which camera, where there are several")
    .option("-w, --width <pixels>", "make it no wider", number)
    .option("--min-sharpness <value>", "take pictures until one is as sharp; some 100 is usual for a face", number)
    .option("-t, --timeout <seconds>", "how long to wait", seconds, 10);
  withExamples(withConnection(withJson(command)), [
    ["stationd snapshot --out face.jpg", "what the camera sees now"],
    ["stationd snapshot --out face.jpg --min-sharpness 150", "not before it is sharp"],
  ]).action(
    act(async (terminal, flags: SnapshotFlags) =>
      withStation(terminal, { ...flags, first: "service" }, async (client, signal) => {
        const { device, width, minSharpness } = flags;
        const picture = await client.call(
          "camera.snapshot",
          {
            timeoutMs: Math.round(flags.timeout * 1_000),
            ...(device === undefined ? {} : { device }),
            ...(width === undefined ? {} : { maxWidthPx: width }),
            ...(minSharpness === undefined ? {} : { quality: { minSharpness } }),
          },
          { signal },
        );
        await writeFile(flags.out, new Uint8Array(await client.blob(picture.image).arrayBuffer()), { mode: 0o600 });
        terminal.out(flags.json ? json(picture) : pictureText(picture, flags.out, terminal.t));
        return EXIT_CODES.ok.code;
      }),
    ),
  );
};

export const addCamera: AddCommand = (program, act) => {
  const camera = program.command("camera").summary("look after cameras");
  const stats = camera
    .command("stats")
    .summary("what a camera has done")
    .description("Pictures, losses and who is looking, since the camera was opened.")
    .option("-d, --device <id>", "which camera, where there are several");
  withExamples(withConnection(withJson(stats)), [["stationd camera stats", "the only camera"]]).action(
    act(async (terminal, flags: CameraFlags) =>
      withStation(terminal, { ...flags, first: "technician" }, async (client, signal) => {
        const told = await client.call("camera.stats", flags.device === undefined ? {} : { device: flags.device }, { signal });
        terminal.out(flags.json ? json(told) : statsText(told, terminal.t));
        return EXIT_CODES.ok.code;
      }),
    ),
  );
};

function pictureText(
  { device, widthPx, heightPx, image, quality, simulated }: Result<"camera.snapshot">,
  out: string,
  t: Translate,
): string {
  const share = (part: number): string => `${Math.round(100 * part)} %`;
  const { sharpness, brightness, darkShare, brightShare } = quality;
  return [
    `${t`${plain(device)}: ${widthPx} × ${heightPx} pixels, ${Math.ceil(image.byteLength / 1_000)} kB`}${simulated ? ` ${t`[simulated]`}` : ""}`,
    t`  sharpness ${Math.round(sharpness)}, brightness ${Math.round(brightness)} of 255, too dark ${share(darkShare)}, too bright ${share(brightShare)}`,
    `  ${out}`,
    "",
  ].join("\n");
}

function statsText(
  { device, frames, broken, restarts, viewers, framesPerSecond, previews, simulated }: Result<"camera.stats">,
  t: Translate,
): string {
  const rate = framesPerSecond.toFixed(1);
  const seen = viewers === 1 ? t`${rate} pictures a second for 1 viewer` : t`${rate} pictures a second for ${viewers} viewers`;
  const lines = [
    `${plain(device)}: ${seen}${simulated ? ` ${t`[simulated]`}` : ""}`,
    restarts === 1
      ? t`  since it was opened: ${frames} pictures, ${broken} broken, started anew 1 time`
      : t`  since it was opened: ${frames} pictures, ${broken} broken, started anew ${restarts} times`,
    ...previews.map(({ client, sent, dropped }) => t`  ${plain(client)}: ${sent} sent, ${dropped} left out`),
  ];
  return `${lines.join("\n")}\n`;
}

function number(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError("expected a whole number");
  return Number(text);
}
