import type { Describe } from "../../../contracts/driver.js";
import { decodeStatus } from "./status.js";

/** Of the specification (eSCL 2.97 §7); anything else a scanner says is not repeated. */
const WORD = /^(Idle|Processing|Testing|Stopped|Down|ScannerAdf[A-Za-z]{1,40})$/;
const DOCUMENT = /\/(ScannerCapabilities|ScannerStatus|ScanJobs|NextDocument|ScanImageInfo)$/;

/** Which document was asked for, what was answered, how the scanner says it is: never a page. */
export function describe(): Describe {
  /** What each number asked for. */
  const asked = new Map<string, string>();
  return ({ what, bytes }) => {
    const [, number = "", verb = "", rest = ""] = /^#(\d{1,9}) (\w{1,10}) ?(.*)$/s.exec(what) ?? [];
    if (/^[A-Z]+$/.test(verb)) {
      const name = DOCUMENT.exec(rest)?.[1] ?? (verb === "DELETE" ? "the scan" : "a document");
      asked.set(number, name);
      return [`${number}: ${verb} ${name}`];
    }
    const name = asked.get(number);
    asked.delete(number);
    if (verb === "failed") return [`${number}: no answer`];
    const length = bytes.length === 0 ? "" : `, ${bytes.length} bytes`;
    return [`${number}: ${verb}${length}${name === "ScannerStatus" && verb === "200" ? stateWords(bytes) : ""}`];
  };
}

function stateWords(bytes: Uint8Array): string {
  try {
    const { state, adfState } = decodeStatus(bytes);
    const words = [state, adfState].filter((word) => word !== undefined && WORD.test(word));
    return words.length === 0 ? "" : `: ${words.join(", ")}`;
  } catch {
    return ": not readable";
  }
}
