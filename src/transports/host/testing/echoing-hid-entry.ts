import { EventEmitter } from "node:events";
import { localHid } from "../../hid-device.js";
import { serveHid } from "../serve-hid.js";

/** A native library whose device sends back each report, ends with report 255, and refuses feature report 9. */
serveHid((settings, clock, roots) =>
  localHid(settings, clock, roots, async () => {
    const emitter = new EventEmitter();
    return Object.assign(emitter, {
      async write(report: Buffer) {
        if (report[0] === 255) emitter.emit("error", "could not read from HID device");
        else emitter.emit("data", report);
        return report.length;
      },
      async sendFeatureReport(report: Buffer) {
        if (report[0] === 9) throw new TypeError("could not send feature report to device");
        emitter.emit("data", Buffer.concat([Buffer.from("feature "), report]));
        return report.length;
      },
      async close() {},
    });
  }),
);
