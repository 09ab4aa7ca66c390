import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { camera as cameraSimulator } from "../../simulators/camera/index.js";
import { serveTcp } from "../../simulators/serve.js";
import type { Camera, CameraFrame } from "../../src/contracts/camera.js";
import type { DriverContext } from "../../src/contracts/driver.js";
import { ffmpeg } from "../../src/drivers/camera/ffmpeg/driver.js";
import { nodeWebcam } from "../../src/drivers/camera/node-webcam/driver.js";
import { systemClock } from "../../src/kernel/clock.js";
import type { Connect, Link } from "../../src/kernel/link.js";
import { silentLog } from "../../src/kernel/log.js";
import type { ProgramLink } from "../../src/kernel/program.js";
import { seededRandom } from "../../src/kernel/random.js";
import { tcp } from "../../src/transports/tcp.js";
import { type VideoSettings, video } from "../../src/transports/video.js";
import { webcam } from "../../src/transports/webcam.js";
import { faultRow } from "../support/fault.js";

const run = promisify(execFile);
const never = new AbortController().signal;
const clock = systemClock();

async function has(program: string, version: string): Promise<boolean> {
  const installed = await run(program, [version]).then(
    () => true,
    // fswebcam ends badly after its help, too.
    (thrown: NodeJS.ErrnoException) => thrown.code !== "ENOENT",
  );
  if (!installed && process.env.STATIOND_REAL_STACK === "required")
    throw new RangeError(`STATIOND_REAL_STACK=required, but there is no ${program}`);
  if (!installed) console.warn(`SKIPPED: the camera through ${program}, which is not installed`);
  return installed;
}
const withFfmpeg = await has("ffmpeg", "-version");
const withFswebcam = await has("fswebcam", "--help");

const TEST: VideoSettings = { kind: "video", device: "/dev/video0", inputFormat: "test", widthPx: 160, heightPx: 120, framesPerSecond: 30 };

function context<L>(connect: Connect<L>): DriverContext<L> {
  return {
    device: "face",
    connect,
    clock,
    random: seededRandom(1),
    log: silentLog,
    signal: never,
    imaging: { draw: async () => [], png: async () => new Uint8Array() },
    simulated: false,
    report() {},
  };
}
const openFfmpeg = (connect: Connect<Link>): Promise<Camera> =>
  ffmpeg.open(ffmpeg.config.parse({ lingerMs: 0 }), context(connect) as DriverContext<Link | ProgramLink>);

/** Looks until so many pictures have come. */
async function look(camera: Camera, count: number): Promise<CameraFrame[]> {
  const seen: CameraFrame[] = [];
  let view: Disposable | undefined;
  await new Promise<void>((resolve, reject) => {
    view = camera.view({
      frame: (frame) => {
        seen.push(frame);
        if (seen.length === count) resolve();
      },
      lost: reject,
    });
  }).finally(() => view?.[Symbol.dispose]());
  return seen;
}

/** Processes whose command line holds these words. */
function processes(...words: string[]): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return words.every((word) => line.includes(word));
    } catch {
      return false;
    }
  });
}
const children = (): string =>
  readdirSync("/proc/self/task")
    .map((task) => readFileSync(`/proc/self/task/${task}/children`, "utf8").trim())
    .join(" ")
    .trim();
async function gone(find: () => readonly string[] | string): Promise<void> {
  while (find().length > 0) await pause(5);
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
async function held(): Promise<{ descriptors: number; bytes: number }> {
  for (let turn = 0; turn < 3; turn++) {
    await pause(20);
    collect();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { descriptors: readdirSync("/proc/self/fd").length, bytes: heapUsed + arrayBuffers };
}

/** 200 in the nightly run; a leak of one thing per start shows with fewer. */
const CYCLES = Number(process.env.STATIOND_CAMERA_CYCLES ?? 40);

/** Starts and stops so often; then nothing is left of it. */
async function cycles(camera: Camera): Promise<void> {
  const round = async (): Promise<void> => {
    await look(camera, 1);
    await gone(children);
  };
  for (let warm = 0; warm < 10; warm++) await round();
  const before = await held();
  for (let cycle = 0; cycle < CYCLES; cycle++) await round();
  const after = await held();
  expect(children()).toBe("");
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors);
  expect(after.bytes - before.bytes).toBeLessThan(4_000_000);
  expect(camera.stats()).toMatchObject({ broken: 0, restarts: 0, viewers: 0 });
}

describe.skipIf(!withFfmpeg)("the camera through a real ffmpeg", () => {
  it("gives JPEGs that an independent reader takes, all different", async () => {
    const camera = await openFfmpeg(video(TEST, clock));
    const seen = await look(camera, 5);
    expect(new Set(seen.map(({ jpeg }) => Buffer.from(jpeg).toString("base64"))).size).toBe(5);
    for (const { jpeg } of seen) {
      const probing = run("ffprobe", [
        "-v",
        "error",
        "-show_entries",
        "stream=codec_name,width,height",
        "-of",
        "csv=p=0",
        "-f",
        "jpeg_pipe",
        "-",
      ]);
      probing.child.stdin?.end(jpeg);
      expect((await probing).stdout.trim()).toBe("mjpeg,160,120");
    }
    await camera.close();
    await gone(children);
  });

  it(`${CYCLES} times started and stopped: no process, descriptor or memory is left`, { timeout: 300_000 }, async () => {
    const camera = await openFfmpeg(video(TEST, clock));
    await cycles(camera);
    await camera.close();
  });

  it("ends with the agent, even where that is killed", async () => {
    const script = `
      import { video } from ${JSON.stringify(new URL("../../src/transports/video.js", import.meta.url).href)};
      const link = await video(${JSON.stringify({ ...TEST, widthPx: 176 })}, undefined)(new AbortController().signal);
      await link.read(new AbortController().signal);
      console.log("running");
      setInterval(() => {}, 1000);`;
    const agent = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(agent.stdout, "data");
    const mine = (): string[] => processes("ffmpeg", "testsrc2=size=176x120");
    expect(mine().length).toBe(1);
    agent.kill("SIGKILL");
    await once(agent, "exit");
    await gone(mine);
  });

  faultRow({
    device: "camera",
    fault: "ffmpeg is stopped dead",
    sees: "`camera_lost`, then pictures again",
    does: "kills it and starts another one",
    bounds: ["cameraSilence", "cameraAgain"],
  });
  it("a program that is stopped dead is lost and replaced", async () => {
    const camera = await ffmpeg.open(
      ffmpeg.config.parse({ frameWithinMs: 300, lingerMs: 0 }),
      context(video({ ...TEST, widthPx: 192 }, clock)) as DriverContext<Link | ProgramLink>,
    );
    const lost = new Promise<unknown>((resolve) => {
      let frozen = false;
      camera.view({
        frame: () => {
          if (frozen) return;
          frozen = true;
          process.kill(Number(processes("ffmpeg", "size=192x120")[0]), "SIGSTOP");
        },
        lost: resolve,
      });
    });
    expect(await lost).toMatchObject({ kind: "camera_lost" });
    expect((await look(camera, 2)).length).toBe(2);
    await camera.close();
    await gone(() => processes("ffmpeg", "size=192x120"));
  });
});

it(`${CYCLES} times started and stopped on the simulator: no descriptor or memory is left`, { timeout: 120_000 }, async () => {
  const options = cameraSimulator.options.parse({ widthPx: 160, heightPx: 120 });
  const simulator = cameraSimulator.create(options, { clock, random: seededRandom(1), changed() {} });
  const served = await serveTcp(simulator, { host: "127.0.0.1", port: 0 });
  const camera = await openFfmpeg(tcp({ kind: "tcp", host: "127.0.0.1", port: served.port }));
  // All pictures of its loop are drawn and kept before the count begins.
  await look(camera, 151);
  await cycles(camera);
  await camera.close();
  await simulator.close();
  await served.close();
});

describe.skipIf(!withFswebcam)("stills through a real fswebcam", () => {
  const settings = { kind: "webcam", device: "TEST", widthPx: 320, heightPx: 240 } as const;
  const folders: string[] = [];
  const connect: Connect<ProgramLink> = async (signal) => {
    const link = await webcam(settings, { clock, log: silentLog })(signal);
    folders.push(link.folder);
    return link;
  };
  const open = (fields: object = {}): Promise<Camera> =>
    nodeWebcam.open(nodeWebcam.config.parse(fields), context(connect) as DriverContext<Link | ProgramLink>);

  it("are JPEGs of the asked size, and leave no file and no process", async () => {
    const camera = await open();
    const frame = await camera.still?.(never);
    expect(
      Buffer.from(frame?.jpeg ?? [])
        .subarray(0, 3)
        .toString("hex"),
    ).toBe("ffd8ff");
    await camera.close();
    expect(folders.map((folder) => existsSync(folder))).not.toContain(true);
    await gone(children);
  });

  it("that hang are ended with all their processes", async () => {
    const camera = await open({ delaySeconds: 30 });
    const caller = new AbortController();
    const pending = camera.still?.(caller.signal);
    const mine = (): string[] => processes("fswebcam", folders.at(-1) ?? "none");
    while (mine().length === 0) await pause(5);
    caller.abort(new RangeError("enough"));
    await expect(pending).rejects.toThrow("enough");
    await gone(mine);
    await camera.close();
    expect(folders.map((folder) => existsSync(folder))).not.toContain(true);
  });
});
