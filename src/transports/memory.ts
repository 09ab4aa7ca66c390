import type { Link } from "../kernel/link.js";
import { absent, type WireLink, wireLink } from "./wire.js";

/** Like the buffer of a small device: who does not read stalls the other side. */
const WINDOW_BYTES = 64 * 1024;

/** One direction of the pair. */
interface Flow {
  unreadBytes: number;
  /** Lets the stalled writer go on. */
  resume: () => void;
}

/** Two links, each the far end of the other, inside one process; bytes are copied on their way. */
export function memoryPair(description = "memory"): [Link, Link] {
  const there: Flow = { unreadBytes: 0, resume() {} };
  const back: Flow = { unreadBytes: 0, resume() {} };
  const near: WireLink = memoryEnd(description, there, () => far);
  const far: WireLink = memoryEnd(description, back, () => near);
  return [countingReads(near.link, back), countingReads(far.link, there)];
}

function memoryEnd(description: string, outward: Flow, other: () => WireLink): WireLink {
  return wireLink({
    description,
    chunkBytes: WINDOW_BYTES,
    async write(chunk) {
      outward.unreadBytes += chunk.length;
      other().receive(chunk);
      while (outward.unreadBytes > WINDOW_BYTES) {
        await new Promise<void>((resolve) => {
          outward.resume = resolve;
        });
      }
    },
    release: async () => other().end(absent(`${description}: the far end is gone`)),
  });
}

function countingReads(link: Link, inward: Flow): Link {
  return {
    ...link,
    async read(signal) {
      const bytes = await link.read(signal);
      inward.unreadBytes -= bytes.length;
      inward.resume();
      return bytes;
    },
  };
}
