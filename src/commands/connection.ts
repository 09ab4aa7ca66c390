import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import type { StationClient } from "../client/exports.js";
import { processEnvironment } from "../config/environment.js";
import { DeviceError } from "../kernel/errors.js";
import { packageVersion } from "../version.js";
import type { ExitCode } from "./exit-codes.js";
import { plain, type Terminal } from "./terminal.js";

const CLOSED = "it is closed to you: your user must be in the group stationd-technician";

export interface ConnectionFlags {
  readonly socket?: string;
  readonly url?: string;
  readonly tokenFile?: string;
  /** Not typed by anyone: each command knows. The technician's unless told. */
  readonly first?: SocketRole;
  /** Nor this: Ctrl-C ends what the command does, and the connection stays to ask for the result. */
  readonly staysConnected?: true;
}

export function withConnection(command: Command): Command {
  return command
    .option("--socket <path>", "Unix socket of the agent")
    .option("--url <url>", "WebSocket of the agent (ws://… or wss://…)")
    .option("--token-file <file>", "file with the token to present");
}

/** Whose socket to try first: what a page may do (printing a slip) needs no technician, who prints in maintenance mode only. */
export type SocketRole = "technician" | "service";

/**
 * Where an agent of this machine may listen, best first: a user's own agent and demo go before the system's. The system's sockets lie in folders of their own, because these carry the permissions.
 */
export function socketCandidates(env: Readonly<Record<string, string | undefined>>, first: SocketRole = "technician"): string[] {
  const { runtimeDir, stateDir } = processEnvironment(env);
  const folders = [runtimeDir, join(stateDir, "demo"), "/run/stationd"].filter((folder) => folder !== undefined);
  const paths = (role: string): string[] => folders.flatMap((folder) => [join(folder, `${role}.sock`), join(folder, role, `${role}.sock`)]);
  return [...new Set([...paths(first), ...paths(first === "technician" ? "service" : "technician")])];
}

/**
 * Does `work` with a connected client and closes it. The signal aborts at the first Ctrl-C; a second one ends the
 * process at once.
 * @throws StationError `connection_lost` where no agent answers
 */
export async function withStation(
  terminal: Terminal,
  flags: ConnectionFlags,
  work: (client: StationClient, signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const interrupted = new AbortController();
  const onInterrupt = (): void => interrupted.abort(new DeviceError("canceled"));
  process.once("SIGINT", onInterrupt);
  let client: StationClient | undefined;
  try {
    client = await connect(terminal, flags, flags.staysConnected ? undefined : interrupted.signal);
    const { mode } = client.hello;
    if (mode !== "production" && terminal.noteIsTty)
      terminal.note(terminal.t`Note: this agent runs in ${terminal.t(mode)} mode; nothing it does is real.\n`);
    return await work(client, interrupted.signal);
  } finally {
    process.removeListener("SIGINT", onInterrupt);
    client?.close();
  }
}

async function connect(terminal: Terminal, flags: ConnectionFlags, signal: AbortSignal | undefined): Promise<StationClient> {
  const { connectStation, StationError } = await import("../client/node.js");
  const token = flags.tokenFile === undefined ? undefined : (await readFile(flags.tokenFile, "utf8")).trim();
  const told = flags.url ?? (flags.socket === undefined ? undefined : socketUrl(flags.socket));
  const failed = new Map<string, string>();
  let lost = "";
  for (const place of told === undefined ? socketCandidates(terminal.env, flags.first) : [told]) {
    const found = told === undefined ? seen(place) : "there";
    if (found === "closed") failed.set(place, CLOSED);
    if (found !== "there") continue;
    try {
      const client = await connectStation({
        url: told ?? socketUrl(place),
        client: { name: "stationd-cli", version: packageVersion() },
        ...(token && { token }),
        // A technician's tool has to work with a demo too; it says so on the terminal.
        allowSimulated: true,
        reconnect: false,
        ...(signal && { signal }),
      });
      if (flags.first !== "service" && isOf("service", place)) sayLess(terminal, failed);
      return client;
    } catch (error) {
      if (!(error instanceof StationError) || error.kind !== "connection_lost") throw error;
      lost = error.message;
      failed.set(place, lost);
    }
  }
  const reason = told ?? "no socket of an agent was found";
  throw new StationError("connection_lost", `the agent cannot be reached: ${plain(lost === "" ? reason : lost)}`, {
    hint:
      told === undefined
        ? "Start it (systemctl start stationd, or npm start for the demo), or name its socket with --socket; your user must be in the group stationd-technician"
        : "Check that the agent runs and that the address is right",
  });
}

/** `closed`: whoever asks may not even look into its folder, whose permissions tell the roles apart. */
function seen(path: string): "there" | "closed" | "missing" {
  try {
    statSync(path);
    return "there";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES" ? "closed" : "missing";
  }
}

const isOf = (role: SocketRole, path: string): boolean => path.endsWith(`${role}.sock`);

/** Asked as a local service where a technician was meant: what is refused or not shown then has a reason. */
function sayLess({ note, t }: Terminal, failed: ReadonlyMap<string, string>): void {
  const [path, reason] = [...failed].find(([place]) => isOf("technician", place)) ?? [];
  if (path === undefined || reason === undefined) return;
  note(t`Note: asked as a local service, which may do less. The technician's socket ${plain(path)}: ${plain(t(reason))}\n`);
}

function socketUrl(path: string): string {
  return `ws+unix:${path}:/v1`;
}
