import { DeviceError } from "../kernel/errors.js";
import type { z } from "../kernel/schema.js";

/** Names of fields come from the client and are cut short. */
const LONGEST_NAME = 40;

function pathOf(path: readonly PropertyKey[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += `${text === "" ? "" : "."}${String(step).slice(0, LONGEST_NAME)}`;
  }
  return text.slice(0, 200);
}

/** The first thing wrong, by the name of its field. Says what was expected, never what was sent. */
export function invalidParams(error: z.ZodError): DeviceError {
  const issue = error.issues[0];
  if (issue === undefined) return new DeviceError("invalid_params");
  const path = pathOf(issue.path);
  if (issue.code === "unrecognized_keys") {
    const name = pathOf([...issue.path, issue.keys[0] ?? ""]);
    return new DeviceError("invalid_params", { message: `unknown field: ${name}`, details: { field: name } });
  }
  const message = path === "" ? issue.message : `${path}: ${issue.message}`;
  return new DeviceError("invalid_params", { message: message.slice(0, 300), details: { field: path } });
}
