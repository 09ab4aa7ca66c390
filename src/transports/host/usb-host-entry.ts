import { usbPrinter } from "../usb-printer.js";
import { serveLink } from "./serve-link.js";

// See serial-host-entry.
await import("usb").catch(() => {});
serveLink(usbPrinter);
