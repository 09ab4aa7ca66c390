import { type DriverContext, defineDriver } from "../../../contracts/driver.js";
import { FfmpegConfig } from "./config.js";

export const ffmpeg = defineDriver({
  class: "camera",
  id: "ffmpeg",
  summary: "Cameras of this machine (V4L2) through ffmpeg, and streams of JPEGs in parts over TCP",
  config: FfmpegConfig,
  links: ["video", "tcp", "simulator"],
  open: async (config, context) => (await import("./device.js")).open(config, context as DriverContext),
  describe: async (config) => {
    const { describe } = await import("./describe.js");
    return () => describe(config);
  },
});
