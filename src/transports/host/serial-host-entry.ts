import { serial } from "../serial.js";
import { serveLink } from "./serve-link.js";

// Loaded before it says that it is ready: on a slow machine that takes longer than a heart may stand still.
// Where it cannot be loaded, opening says so.
await import("serialport").catch(() => {});
serveLink(serial);
