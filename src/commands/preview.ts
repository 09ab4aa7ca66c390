import { writeFile } from "node:fs/promises";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { readText } from "./input.js";
import { json } from "./terminal.js";

export const addPreview: AddCommand = (program, act) => {
  const command = program
    .command("preview")
    .summary("a picture of what would be printed")
    .description("Writes a PNG of what would come out of the printer, dot for dot. Needs no paper.")
    .argument("<file>", "JSON document or text; - reads from the pipe")
    .requiredOption("-o, --output <png>", "where to write the picture")
    .option("-d, --device <id>", "which printer, where there are several");
  withExamples(withConnection(withJson(command)), [["stationd preview slip.json -o slip.png", "look before you print"]]).action(
    act(async (terminal, file: string, flags: ConnectionFlags & JsonFlag & { output: string; device?: string }) => {
      const { documentFrom } = await import("./text-document.js");
      const document = documentFrom(await readText(file));
      return withStation(terminal, { ...flags, first: "service" }, async (client, signal) => {
        const params = { document, ...(flags.device === undefined ? {} : { device: flags.device }) };
        const { image, widthDots, heightDots, device } = await client.call("printer.preview", params, { signal });
        const picture = client.blob(image);
        await writeFile(flags.output, new Uint8Array(await picture.arrayBuffer()));
        terminal.out(
          flags.json
            ? json({ device, file: flags.output, widthDots, heightDots, byteLength: picture.size })
            : terminal.t`${flags.output}: ${widthDots} × ${heightDots} dots\n`,
        );
        return EXIT_CODES.ok.code;
      });
    }),
  );
};
