/**
 * ffmpeg → splitter: `camera-source FILE`. Plays JPEGs that were made before, so that no encoding is in the figures,
 * cuts them by their length and notes when each was whole. Whoever connects to its port gets the bytes as they came. Speaks one
 * JSON per line: `{ port, ffmpegPid }`, then on each line of its input `{ frames: [[key, atMs], …] }` since the last time.
 */
import { spawn } from "node:child_process";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { keyOf, nowMs } from "./camera-key.js";

const [file = ""] = process.argv.slice(2);
const ffmpeg = spawn(
  "setpriv",
  [
    ...["--pdeathsig", "KILL", "ffmpeg", "-nostdin", "-loglevel", "error"],
    ...["-re", "-stream_loop", "-1", "-i", file, "-c:v", "copy"],
    ...["-f", "mpjpeg", "-boundary_tag", "stationd", "-flush_packets", "1", "pipe:1"],
  ],
  { stdio: ["ignore", "pipe", "inherit"] },
);
const sockets = new Set<Socket>();
let seen: [string, number][] = [];
let held: Buffer = Buffer.alloc(0);
ffmpeg.stdout.on("data", (chunk: Buffer) => {
  const atMs = nowMs();
  for (const socket of sockets) socket.write(chunk);
  held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
  for (;;) {
    const head = held.indexOf("\r\n\r\n");
    const length = head < 0 ? Number.NaN : Number(/Content-length: (\d+)/.exec(held.toString("latin1", 0, head))?.[1]);
    if (!(held.length >= head + 4 + length)) return;
    seen.push([keyOf(held.subarray(head + 4, head + 4 + length)), atMs]);
    held = held.subarray(head + 4 + length);
  }
});
const server = createServer((socket) => {
  sockets.add(socket.setNoDelay());
  socket.on("error", () => {}).on("close", () => sockets.delete(socket));
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ port, ffmpegPid: ffmpeg.pid })}\n`);
});
createInterface({ input: process.stdin }).on("line", () => {
  process.stdout.write(`${JSON.stringify({ frames: seen })}\n`);
  seen = [];
});
process.stdin.on("end", () => {
  ffmpeg.kill("SIGKILL");
  process.exit();
});
