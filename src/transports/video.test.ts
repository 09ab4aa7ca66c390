import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { systemClock } from "../kernel/clock.js";
import type { Link } from "../kernel/link.js";
import { LinkSettings } from "./settings.js";
import { type VideoSettings, video } from "./video.js";

const never = new AbortController().signal;
const settings = (fields: object = {}): VideoSettings =>
  LinkSettings.parse({ kind: "video", device: "/dev/video0", inputFormat: "test", ...fields }) as VideoSettings;
/** Stands for ffmpeg: a shell's script, which sees ffmpeg's arguments. */
const connect = (script: string, fields?: object): Promise<Link> =>
  video(settings(fields), systemClock(), ["sh", "-c", script, "ffmpeg"])(never);

async function everything(link: Link): Promise<string> {
  let text = "";
  for (;;) {
    try {
      text += Buffer.from(await link.read(never)).toString();
    } catch {
      return text;
    }
  }
}
function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("a camera through ffmpeg", () => {
  it("runs with these exact arguments, from the first read on", async () => {
    const link = await connect('printf "%s\\n" "$@"', { widthPx: 640, heightPx: 480, framesPerSecond: 15 });
    expect((await everything(link)).trim().split("\n")).toEqual(
      "-nostdin -loglevel error -re -f lavfi -i testsrc2=size=640x480:rate=15 -an -c:v mjpeg -q:v 4 -f mpjpeg -boundary_tag stationd -flush_packets 1 pipe:1".split(
        " ",
      ),
    );
  });

  it.each([
    ["/dev/video9: No such file or directory", "device_absent", "camera|cable|power"],
    ["[video4linux2,v4l2 @ 0x55] ioctl(VIDIOC_STREAMON): Device or resource busy", "busy", "Another program"],
    ["/dev/video0: Permission denied", "device_fault", "group `video`"],
    ["ioctl(VIDIOC_DQBUF): No such device", "device_absent", ""],
    ["/dev/video0: Invalid argument", "device_fault", "list-formats-ext"],
    ["setpriv: failed to execute ffmpeg: No such file or directory", "device_absent", "Install ffmpeg"],
    ["", "device_absent", ""],
  ])("what it said last tells why it ended: %s", async (said, kind, hint) => {
    const link = await connect(`echo "${said.replaceAll("`", "")}" >&2; exit 1`);
    await expect(link.read(never)).rejects.toMatchObject({ kind, hint: expect.stringMatching(hint) });
  });

  it("a program that is not there is named", async () => {
    const link = await video(settings(), systemClock(), ["/not/there/setpriv"])(never);
    await expect(link.read(never)).rejects.toMatchObject({ kind: "device_absent", hint: expect.stringContaining("Install") });
    await link.close();
  });

  it("closing ends a program at once that ignores every request", async () => {
    const link = await connect('trap "" TERM INT HUP; echo $$; while :; do sleep 0.05; done');
    const pid = Number(Buffer.from(await link.read(never)).toString());
    expect(alive(pid)).toBe(true);
    await link.close();
    while (alive(pid)) await pause(1);
    await expect(link.read(never)).rejects.toMatchObject({ kind: "device_absent" });
    await link.close();
  });

  it("a link that is closed before it is read starts nothing", async () => {
    const link = await connect("echo started");
    await link.close();
    await expect(link.read(never)).rejects.toMatchObject({ kind: "device_absent" });
    await expect(link.write(Uint8Array.of(1), never)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("a device that is not there is told without starting anything, at each connection anew", async () => {
    const absent = settings({ inputFormat: "mjpeg", device: "/dev/v4l/by-id/usb-not-there-video-index0" });
    await expect(video(absent, systemClock(), ["false"])(never)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("takes device names of an exact pattern only", () => {
    const names = [
      "TEST; touch x#",
      "/dev/video0; touch x",
      "/dev/video0\n",
      "/dev/video0 -y /etc/passwd",
      "/dev/v4l/by-id/../../sda",
      "/dev/v4l/by-id/$(touch x)",
      "-i",
      "",
      "/dev/video",
    ];
    for (const kind of ["video", "webcam"])
      for (const device of names) expect(LinkSettings.safeParse({ kind, device }).success, device).toBe(false);
    expect(LinkSettings.safeParse({ kind: "video", device: "/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920-video-index0" }).success).toBe(true);
  });
});
