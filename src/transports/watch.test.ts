import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { manualClock } from "../kernel/clock.js";
import { watchDevices } from "./watch.js";

it("tells of devices that come, change and go, in folders that come and go", async () => {
  const root = await mkdtemp(join(tmpdir(), "stationd-watch-"));
  const clock = manualClock();
  const ending = new AbortController();
  const folder = join(root, "by-id");
  let changes = 0;
  const changed = async (count: number): Promise<void> => {
    while (changes < count) {
      await clock.advance(50);
      await pause(1);
    }
    expect(changes).toBe(count);
  };
  try {
    watchDevices({ clock, signal: ending.signal, folders: [folder] }, () => changes++);
    await pause(30);
    await mkdir(folder);
    await changed(1);
    await writeFile(join(folder, "usb-scanner"), "");
    await changed(2);
    await rm(folder, { recursive: true });
    await changed(3);
    ending.abort();
    await mkdir(folder);
    await clock.advance(10_000);
    expect(changes).toBe(3);
  } finally {
    ending.abort();
    await rm(root, { recursive: true });
  }
});
