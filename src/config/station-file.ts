import { isAbsolute } from "node:path";
import { z } from "../kernel/schema.js";
import { ROLES } from "../protocol/method.js";
import { MODES } from "../protocol/session.js";
import { DEFAULT_PORT } from "../protocol/version.js";
import { hostProblem, originProblem } from "./addresses.js";

/** Refuses entries for a reason that `problem` finds, and those that stand twice. */
function uniqueList(problem: (entry: string) => string | undefined): z.ZodType<string[], string[]> {
  const entry = z.string().superRefine((text, context) => {
    const message = problem(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });
  return z.array(entry).superRefine((entries, context) => {
    entries.forEach((text, index) => {
      if (entries.indexOf(text) < index) context.addIssue({ code: "custom", path: [index], message: "is in the list twice" });
    });
  });
}

const absolutePath = z.string().superRefine((path, context) => {
  if (!isAbsolute(path)) context.addIssue({ code: "custom", message: "expected a path that starts with /" });
});

/** Linux takes 107 bytes of path for a socket: unix(7), `sun_path`. */
const socketPath = absolutePath.superRefine((path, context) => {
  if (Buffer.byteLength(path) > 107) context.addIssue({ code: "custom", message: "expected a path of at most 107 bytes" });
});
const socket = z.union([z.literal(false), socketPath]);

const AgentTable = z.strictObject({
  name: z.string().min(1).max(64).default("station").describe("What `agent.describe` and the log call this station."),
  mode: z
    .enum(MODES)
    .default("production")
    .describe("`demo`: simulators only. `test`: simulators and real links side by side. `production` does not start with a simulator."),
  stateDir: absolutePath
    .optional()
    .describe("Folder of the journal and the station key. Unless told: `$STATE_DIRECTORY` (systemd), else `~/.local/state/stationd`."),
  trustDir: absolutePath
    .optional()
    .describe(
      "Folder with the issuers of ID cards that this station trusts: CSCA certificates (PEM, DER), ICAO master lists, CRLs. Unless told: `trust` in the state folder. See `stationd trust`.",
    ),
  logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).default("info").describe("The least severe lines that are logged."),
  drivers: z
    .array(absolutePath)
    .default([])
    .describe(
      "Modules with drivers from outside this package, by path: see docs/driver-guide.md. They run with the agent's rights; changing them needs a restart.",
    ),
});

const Token = z.strictObject({
  name: z.string().min(1).max(64).describe("Who holds it: in the log and as owner of print jobs. No two tokens share a name."),
  role: z.enum(ROLES).exclude(["simulator"]).describe("What its holder may do."),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe("the SHA-256 of the token as 64 lower-case hexadecimal digits"),
});

const ServerTable = z.strictObject({
  host: z.string().min(1).default("127.0.0.1").describe("Address to listen on. Any but loopback needs `allowRemote` and `tls`."),
  port: z.int().min(0).max(65_535).default(DEFAULT_PORT).describe("TCP port; 0 takes any free one."),
  origins: uniqueList(originProblem)
    .default([])
    .describe(
      "Exact origins of the pages that get the kiosk role: `scheme://host[:port]`, no patterns, `http:` only for pages from this machine.",
    ),
  hosts: uniqueList(hostProblem).default([]).describe("Values of the `Host` header that are served besides those of `host` and `port`."),
  kioskUsers: z
    .array(z.union([z.int().min(0), z.string().min(1)]))
    .default([])
    .describe(
      "Users (names or uids) whose processes may connect over loopback; empty: not checked. Set it to the user the browser runs as.",
    ),
  allowRemote: z.boolean().default(false).describe("Allows a `host` that other machines reach."),
  tls: z
    .strictObject({
      certFile: absolutePath.describe("PEM file with the certificate and its chain."),
      keyFile: absolutePath.describe("PEM file with the key."),
    })
    .optional()
    .describe("Speaks `wss:` and `https:` instead of `ws:` and `http:`."),
  serviceSocket: socket
    .optional()
    .describe(
      "Unix socket for local services (kiosk role); `false`: none. Unless told: `service.sock` in the runtime folder, where there is one.",
    ),
  technicianSocket: socket
    .optional()
    .describe(
      "Unix socket for technicians and the `stationd` command; `false`: none. Unless told: `technician.sock` in the runtime folder, where there is one.",
    ),
  tokens: z.array(Token).default([]).describe("For those who connect over TCP without a listed origin. The token itself is never stored."),
  tokenFile: absolutePath
    .optional()
    .describe(
      "File of the tokens that `stationd token` makes and revokes; read again when it changes. Unless told: `tokens.toml` in the state folder.",
    ),
});

/** What every device's table has beside `link` and the driver's own settings, which have schemas of their own. */
export const DeviceTable = z.looseObject({
  driver: z.string().describe("Which driver speaks to it."),
  enabled: z.boolean().default(true).describe("`false`: known, shown as `disabled`, never opened."),
});
export type DeviceTable = z.output<typeof DeviceTable>;

const ConsoleTable = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe(
      "Serves the technicians' page at `/console/` on the port of `[server]`. It asks for a technician's token: see `stationd token`.",
    ),
});

/** The file as a whole; what is inside `devices` is looked at one by one. */
export const StationFile = z.strictObject({
  agent: AgentTable.prefault({}).describe("The station as a whole."),
  server: ServerTable.prefault({}).describe("Who may connect, and where."),
  console: ConsoleTable.prefault({}).describe("The technicians' page in a browser."),
  devices: z.record(z.string(), z.unknown()).default({}).describe("One table per device, named by its id."),
});
export type StationFile = z.output<typeof StationFile>;

/** Keys of a device's table that are not the driver's. */
export const DEVICE_KEYS = ["driver", "enabled", "link"] as const;
