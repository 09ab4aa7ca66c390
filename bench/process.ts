import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import WebSocket from "ws";

/** Unpinned latency flips between two values; pinned to one core it is one. */
export const pinned = spawnSync("taskset", ["-c", "0", "true"]).status === 0;

export function node(script: string, args: readonly string[], pin: boolean): ChildProcess {
  const command = pin && pinned ? ["taskset", "-c", "0", process.execPath] : [process.execPath];
  const [program = process.execPath, ...before] = command;
  return spawn(program, [...before, fileURLToPath(new URL(script, import.meta.url)), ...args], { stdio: ["pipe", "pipe", "inherit"] });
}

export async function firstLine(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end);
  }
  throw new Error("the process ended without a word");
}

export function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
  });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

/** The real command with a real config of real devices (no simulators in its process). */
export interface BenchAgent {
  readonly url: string;
  readonly token: string;
  readonly args: readonly string[];
  remove(): void;
}

/** `devices`: tables of the config, and `trustDir` above them where cards are read. */
export async function benchAgent(devices: string, agentKeys = "", role: "kiosk" | "technician" = "kiosk"): Promise<BenchAgent> {
  const folder = mkdtempSync(join(tmpdir(), "stationd-bench-"));
  const port = await freePort();
  const token = randomBytes(16).toString("hex");
  const config = join(folder, "stationd.toml");
  writeFileSync(
    config,
    `[agent]
stateDir = "${join(folder, "state")}"
logLevel = "silent"
${agentKeys}
[server]
port = ${port}
serviceSocket = "${join(folder, "service.sock")}"
technicianSocket = "${join(folder, "technician.sock")}"
[[server.tokens]]
name = "bench"
role = "${role}"
sha256 = "${createHash("sha256").update(token).digest("hex")}"
${devices}
`,
  );
  return {
    url: `ws://127.0.0.1:${port}/v1`,
    token,
    args: ["run", "--config", config],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A printer on this port, and a scanner that is not there. */
export const printerAndScanner = (printerPort: number): string => `[devices.receipt]
driver = "escpos"
link = { kind = "tcp", host = "127.0.0.1", port = ${printerPort} }
[devices.scanner]
driver = "serial-scanner"
link = { kind = "serial", path = "/dev/serial/by-id/not-there" }`;

export function helloText(token: string): string {
  return JSON.stringify({
    jsonrpc: "2.0",
    id: 0,
    method: "session.hello",
    params: { protocol: { major: 1, minor: 0 }, client: { name: "bench", version: "1" }, token },
  });
}

/** Connects as often as it takes and resolves with the first message that comes back. */
export async function firstReply(url: string, hello: string): Promise<{ socket: WebSocket; reply: string }> {
  for (;;) {
    const socket = new WebSocket(url, url.endsWith("/v1") ? ["station.v1"] : []);
    const reply = await new Promise<string | undefined>((resolve) => {
      socket.on("error", () => resolve(undefined));
      socket.on("close", () => resolve(undefined));
      socket.on("open", () => socket.send(hello));
      socket.once("message", (bytes: Buffer) => resolve(bytes.toString()));
    });
    if (reply !== undefined) return { socket, reply };
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Resident memory of one process, KiB. */
export function residentKib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}

/** Processor time of one process so far, clock ticks of 10 ms. */
export function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}
