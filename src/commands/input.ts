import { readFile } from "node:fs/promises";
import { DeviceError } from "../kernel/errors.js";

/** Far more than the agent takes in one request. */
const LIMIT_BYTES = 8 * 1024 * 1024;

/** UTF-8 text of a file, or of the pipe for `-`. @throws DeviceError `invalid_params`, `too_large`; a system error where it cannot be read */
export async function readText(file: string): Promise<string> {
  const bytes = file === "-" ? await readPipe() : await readFile(file);
  if (bytes.length > LIMIT_BYTES) throw tooLarge();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DeviceError("invalid_params", { message: "the text is not UTF-8", hint: "Convert it, e.g. with iconv -t UTF-8", cause });
  }
}

async function readPipe(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LIMIT_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(): DeviceError {
  return new DeviceError("too_large", { message: "the document is too large", hint: "The agent takes 1 MiB in one request" });
}
