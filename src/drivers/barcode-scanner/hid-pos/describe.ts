import type { Describe } from "../../../contracts/driver.js";

/** Which report and how long: never what is in it. */
export function describe(): Describe {
  return ({ what, bytes }) => [
    `${what === "input" || what === "output" || what === "feature" ? what : "another"} report, ${bytes.length} bytes`,
  ];
}
