import type { Describe } from "../../../contracts/driver.js";
import { createMultipartReader } from "./codec.js";

/** How long each picture is, and nothing of it. */
export function describe({ boundary }: { readonly boundary: string }): Describe {
  const reader = createMultipartReader(boundary);
  return ({ from, bytes }) => {
    if (from === "agent") return [`${bytes.length} bytes`];
    return reader.push(bytes).map((part) => (part.type === "frame" ? `a picture of ${part.jpeg.length} bytes` : "no whole picture"));
  };
}
