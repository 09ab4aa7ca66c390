import type { Describe } from "../../../contracts/driver.js";

/** What scanimage is told to do and how it ends; of what it says, only how far it is. */
export function describe(): Describe {
  const text = new TextDecoder();
  return ({ what, bytes }) => {
    const [, number, verb = "", rest = ""] = /^(?:#(\d{1,9}) )?(\w{1,10}) ?(.*)$/s.exec(what) ?? [];
    switch (verb) {
      case "run":
        return [`${number}: scanimage ${argumentsText(rest)}`];
      case "stdin":
        return [`${number}: go on`];
      case "stderr": {
        const [percent] = /(?<=^Progress: )\d{1,3}(?=(\.\d+)?%$)/.exec(text.decode(bytes)) ?? [];
        return [`${number}: ${percent === undefined ? `says ${bytes.length} letters` : `${percent} %`}`];
      }
      case "stdout":
        return [`${number}: tells ${bytes.length} letters`];
      case "ended":
        return [`${number}: ended with code ${/"code":(\d{1,3})/.exec(rest)?.[1] ?? "unknown"}`];
      case "take":
        return ["fetches a page"];
      case "file":
        return [`a page of ${bytes.length} bytes`];
      default:
        return ["failed"];
    }
  };
}

/** They are ours: options, and the name of the scanner. */
function argumentsText(json: string): string {
  const given: unknown = JSON.parse(json);
  return Array.isArray(given) ? given.map(String).join(" ") : "";
}
