import { localHid } from "../hid-device.js";
import { serveHid } from "./serve-hid.js";

// See serial-host-entry.
await import("node-hid").catch(() => {});
serveHid(localHid);
