import { createRequire } from "node:module";
import { serveChild } from "../../child/serve.js";
import { DeviceError } from "../../kernel/errors.js";
import type { Captured, CaptureOrder } from "./webcam-calls.js";

/** What we use of node-webcam, which has no types of its own. */
interface NodeWebcam {
  readonly FSWebcam: new (
    options: Record<string, unknown>,
  ) => {
    /** What the shell is told to run. */
    bin: string;
    runCaptureValidations(said: string): Error | null;
    capture(location: string, done: (error: Error | null) => void): void;
  };
}

/** All that node-webcam puts into a shell's command line: nothing that a shell would read as more than a word. */
const DEVICE = /^(\/dev\/(video\d{1,3}|v4l\/by-(id|path)\/[\w.:+-]{1,200})|TEST)$/;
const LOCATION = /^(\/[\w.-]{1,100}){1,8}\/[\w-]{1,40}\.jpg$/;
const LAST_WORDS = 4_096;

// See serial-host-entry.
const { FSWebcam } = createRequire(import.meta.url)("node-webcam") as NodeWebcam;

serveChild({
  async capture(args): Promise<Captured> {
    const { device, location, widthPx, heightPx, delaySeconds } = args as CaptureOrder;
    const numbers = [widthPx, heightPx, delaySeconds].every((number) => Number.isInteger(number) && number >= 0 && number <= 10_000);
    if (!DEVICE.test(device) || !LOCATION.test(location) || !numbers) {
      throw new DeviceError("invalid_params", { message: "not a camera, or not a file of ours" });
    }
    const camera = new FSWebcam({
      width: widthPx,
      height: heightPx,
      delay: delaySeconds,
      quality: 90,
      output: "jpeg",
      device,
      callbackReturn: "location",
      saveShots: false,
    });
    // The shell becomes fswebcam, and that dies with this process: the library itself lets nobody stop it.
    camera.bin = "exec setpriv --pdeathsig KILL fswebcam";
    let said = "";
    camera.runCaptureValidations = (text) => {
      said = text;
      return null;
    };
    return await new Promise<Captured>((resolve) => {
      camera.capture(location, (error) => resolve({ failed: error !== null, said: (error?.message ?? said).slice(-LAST_WORDS) }));
    });
  },
});
