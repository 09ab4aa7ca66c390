import { writeFileSync } from "node:fs";
import type { Station } from "./station.js";
import { must, pullAndPush, pulled, pushed, trial } from "./trial.js";

/** The kernel's own test camera: it comes and goes with its platform device. */
export const VIVID = {
  pull: async () => writeFileSync("/sys/bus/platform/drivers/vivid/unbind", "vivid.0"),
  push: async () => writeFileSync("/sys/bus/platform/drivers/vivid/bind", "vivid.0"),
};

export async function cameras(station: Station): Promise<void> {
  const { page } = station;
  const look = async (frames: number, meanwhile?: (seen: () => number) => Promise<void>): Promise<Uint8Array> => {
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(), 25_000);
    let seen = 0;
    let last: Blob | undefined;
    const preview = page.preview(
      { device: "camera", maxFps: 5 },
      (jpeg) => {
        seen += 1;
        last = jpeg;
        if (seen >= frames) ending.abort();
      },
      { signal: ending.signal },
    );
    await meanwhile?.(() => seen);
    await preview;
    clearTimeout(timer);
    must(seen >= frames, `${seen} pictures`);
    return new Uint8Array((await last?.arrayBuffer()) ?? []);
  };
  await trial("camera", "live picture", async () => {
    const picture = await look(5);
    must(isJpeg(picture), "no JPEG");
    writeFileSync("/lab/results/camera.jpg", picture);
    return { outcome: "5 pictures" };
  });
  await trial("camera", "pulled idle", async () => {
    const times = await pullAndPush(station, "camera", VIVID);
    must(isJpeg(await look(2)), "no JPEG");
    return { ...times, outcome: "gives pictures again" };
  });
  await trial("camera", "pulled while looked at", async () => {
    let goneMs = 0;
    let backMs = 0;
    await look(15, async (seen) => {
      while (seen() < 5) await new Promise((resolve) => setTimeout(resolve, 20));
      goneMs = await pulled(station, "camera", VIVID);
      backMs = await pushed(station, "camera", VIVID.push);
    });
    return { goneMs, backMs, outcome: "the page's pictures go on" };
  });
}

export async function webcam(station: Station): Promise<void> {
  // The first picture waits for a large library, which here may take longer than a child may take to start.
  await snapshot(station, "webcam").catch(() => {});
  await trial("webcam", "takes a picture", async () => {
    const picture = await snapshot(station, "webcam");
    must(isJpeg(picture), "no JPEG");
    writeFileSync("/lab/results/webcam.jpg", picture);
    return { outcome: "through fswebcam" };
  });
  await trial("webcam", "pulled idle", async () => {
    const times = await pullAndPush(station, "webcam", VIVID);
    must(isJpeg(await snapshot(station, "webcam")), "no JPEG");
    return { ...times, outcome: "takes a picture again" };
  });
}

const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8;

async function snapshot({ page }: Station, device: string): Promise<Uint8Array> {
  const { image } = await page.call("camera.snapshot", { device, timeoutMs: 45_000 });
  return new Uint8Array(await page.blob(image).arrayBuffer());
}
