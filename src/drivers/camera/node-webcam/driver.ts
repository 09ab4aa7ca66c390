import { defineDriver } from "../../../contracts/driver.js";
import type { Connect } from "../../../kernel/link.js";
import type { ProgramLink } from "../../../kernel/program.js";
import { NodeWebcamConfig } from "./config.js";

export const nodeWebcam = defineDriver({
  class: "camera",
  id: "node-webcam",
  summary: "Stills through fswebcam, for boxes without ffmpeg; no live picture",
  config: NodeWebcamConfig,
  links: ["webcam"],
  open: async (config, context) =>
    (await import("./device.js")).open(config, { ...context, connect: context.connect as Connect<ProgramLink> }),
});
