import { z } from "../kernel/schema.js";

/** Nothing but a device node: this becomes an argument of programs. */
const videoDevice = z.string().regex(/^\/dev\/(video\d{1,3}|v4l\/by-(id|path)\/[\w.:+-]{1,200})$/);

const listen = z
  .strictObject({ host: z.string().min(1), port: z.int().min(1).max(65_535) })
  .optional()
  .describe("address of this machine where the device may tell things by itself, where it was told to");

const hosted = z
  .boolean()
  .default(true)
  .describe(
    "run the native library in a supervised child process; false, for machines with little memory: in the agent's own, which a crash or hang of the library then takes along",
  );

/** How a device is reached: `link = { kind = "tcp", … }` in its table. */
export const LinkSettings = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("serial"),
    path: z.string().min(1).describe("stable name, /dev/serial/by-id/… or by-path"),
    baudRate: z.int().min(300).max(4_000_000).default(9_600),
    dataBits: z.union([z.literal(7), z.literal(8)]).default(8),
    stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
    parity: z.enum(["none", "even", "odd"]).default("none"),
    flowControl: z.enum(["none", "rtscts", "xonxoff"]).default("none"),
    hosted,
  }),
  z.strictObject({ kind: z.literal("tcp"), host: z.string().min(1), port: z.int().min(1).max(65_535) }),
  z.strictObject({
    kind: z.literal("usb"),
    vendorId: z.int().min(0).max(0xffff),
    productId: z.int().min(0).max(0xffff),
    serial: z.string().optional(),
    hosted,
  }),
  z.strictObject({ kind: z.literal("file"), path: z.string().min(1).describe("device file such as /dev/usb/lp0") }),
  z.strictObject({
    kind: z.literal("process"),
    command: z.string().min(1),
    args: z.array(z.string()).default([]).describe("never passed through a shell"),
  }),
  z.strictObject({
    kind: z.literal("pcsc"),
    reader: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe("part of the reader's name (`pcsc_scan -r` lists them), where there are several"),
    hosted: hosted.describe("as for a serial link; one child process serves all readers"),
  }),
  z.strictObject({
    kind: z.literal("https"),
    host: z.string().min(1),
    port: z.int().min(1).max(65_535).default(8_443),
    caFile: z.string().min(1).describe("PEM of the authority that signed the device's certificate: only that one is believed"),
    serverName: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe("name in the device's certificate, where it is not the address: devices have no names of their own in a network"),
    listen,
  }),
  z.strictObject({ kind: z.literal("http"), host: z.string().min(1), port: z.int().min(1).max(65_535).default(80), listen }),
  z.strictObject({
    kind: z.literal("hid"),
    vendorId: z.int().min(0).max(0xffff),
    productId: z.int().min(0).max(0xffff),
    serial: z.string().min(1).max(128).optional().describe("where there are several of the same make"),
    hosted,
  }),
  z.strictObject({
    kind: z.literal("sane"),
    device: z
      .string()
      .regex(/^[\w.:+/ ()=-]{1,128}$/)
      .optional()
      .describe("name or its beginning, as `scanimage -L` shows it (`test`, `epjitsu`, `airscan:e0:…`); left out: the only one"),
    backends: z
      .array(z.string().regex(/^[a-z0-9_-]{1,32}$/))
      .max(16)
      .default([])
      .describe("SANE backends to look with; left out: all that are installed, which takes seconds"),
    network: z
      .array(z.strictObject({ name: z.string().regex(/^[\w -]{1,40}$/), url: z.url({ protocol: /^https?$/ }).max(256) }))
      .max(8)
      .default([])
      .describe("network scanners by their eSCL address, through sane-airscan"),
  }),
  z.strictObject({
    kind: z.literal("video"),
    device: videoDevice.describe("stable name: /dev/v4l/by-id/…"),
    inputFormat: z
      .enum(["mjpeg", "yuyv422", "test"])
      .default("mjpeg")
      .describe("what the camera is asked for; `test`: a pattern instead of a camera"),
    widthPx: z.int().min(160).max(7_680).default(1_280),
    heightPx: z.int().min(120).max(4_320).default(720),
    framesPerSecond: z.int().min(1).max(120).default(30),
  }),
  z.strictObject({
    kind: z.literal("webcam"),
    device: z.union([videoDevice, z.literal("TEST")]).describe("stable name: /dev/v4l/by-id/…; `TEST`: a pattern instead of a camera"),
    widthPx: z.int().min(160).max(7_680).default(1_280),
    heightPx: z.int().min(120).max(4_320).default(720),
  }),
  z.strictObject({ kind: z.literal("none") }).describe("nothing is plugged in"),
  z.strictObject({ kind: z.literal("simulator"), simulator: z.string().min(1).describe("e.g. `receipt-printer`") }).catchall(z.unknown()),
]);
export type LinkSettings = z.output<typeof LinkSettings>;
