import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { superviseChild } from "../child/child.js";
import { systemClock } from "../kernel/clock.js";
import { silentLog } from "../kernel/log.js";
import { type WebcamSettings, webcam } from "./webcam.js";

const never = new AbortController().signal;
const deps = { clock: systemClock(), log: silentLog };
const TEST: WebcamSettings = { kind: "webcam", device: "TEST", widthPx: 320, heightPx: 240 };

describe("the fence around node-webcam", () => {
  it("refuses in the child, too, whatever is no camera's name, no file of ours, or no number", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stationd-webcam-"));
    const child = superviseChild({ entry: new URL("./host/webcam-entry.js", import.meta.url), name: "webcam", ...deps });
    const good = { device: "TEST", widthPx: 320, heightPx: 240, delaySeconds: 0, location: join(folder, "still.jpg") };
    const victim = join(folder, "x");
    try {
      for (const hostile of [
        { device: `TEST; touch ${victim}#` },
        { device: `/dev/video0\ntouch ${victim}` },
        { device: `$(touch ${victim})` },
        { location: `${folder}/still.jpg; touch ${victim} #.jpg` },
        { location: `${folder}/$(touch ${victim}).jpg` },
        { location: "still.jpg" },
        { widthPx: `320; touch ${victim}` },
        { delaySeconds: Number.NaN },
      ]) {
        await expect(child.call("capture", { ...good, ...hostile }, never)).rejects.toMatchObject({ kind: "invalid_params" });
      }
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await child.stop();
      await rm(folder, { recursive: true });
    }
  });

  it("hands out files of its own folder once, of bounded size, and removes the folder", async () => {
    const link = await webcam(TEST, deps)(never);
    await writeFile(join(link.folder, "still.jpg"), "12345");
    await expect(link.take("still.jpg", 4)).rejects.toMatchObject({ kind: "too_large" });
    await expect(link.take("still.jpg", 10)).rejects.toMatchObject({ kind: "device_fault" });
    await writeFile(join(link.folder, "still.jpg"), "12345");
    expect(Buffer.from(await link.take("still.jpg", 10)).toString()).toBe("12345");
    await expect(link.take("still.jpg", 10)).rejects.toMatchObject({ kind: "device_fault" });
    for (const name of ["../secret.jpg", "/etc/passwd", "a/b.jpg", ""]) {
      await expect(link.take(name, 10)).rejects.toMatchObject({ kind: "invalid_params" });
    }
    await link.close();
    expect(existsSync(link.folder)).toBe(false);
    await expect(link.run(["still.jpg"], {}, never)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("tells that a camera is not there before anything is started", async () => {
    await expect(webcam({ ...TEST, device: "/dev/v4l/by-id/usb-not-there" }, deps)(never)).rejects.toMatchObject({ kind: "device_absent" });
  });
});
