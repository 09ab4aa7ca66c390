/**
 * One client with a live picture: `camera-viewer URL TOKEN [stuck]`. On each line of its input it tells what came since the last
 * time, as one JSON `{ frames: [[key, atMs], …] }`. Stuck: it stops reading when its preview has begun.
 */
import { createInterface } from "node:readline";
import { decodeFrame } from "../src/protocol/binary-frame.js";
import { keyOf, nowMs } from "./camera-key.js";
import { firstReply, helloText } from "./process.js";

const [url = "", token = "", stuck] = process.argv.slice(2);
const { socket } = await firstReply(url, helloText(token));
let frames: [string, number][] = [];
let chunks: Uint8Array[] = [];
socket.on("message", (bytes: Buffer, binary: boolean) => {
  if (!binary) return;
  const frame = decodeFrame(bytes);
  if (frame?.header.kind !== "preview") return;
  chunks.push(frame.payload);
  if (!frame.header.last) return;
  const at = nowMs();
  const [only] = chunks;
  frames.push([keyOf(chunks.length === 1 && only ? only : Buffer.concat(chunks)), at]);
  chunks = [];
});
const started = new Promise<void>((resolve) => socket.on("message", (_bytes, binary) => binary || resolve()));
socket.send('{"jsonrpc":"2.0","id":1,"method":"camera.startPreview","params":{}}');
await started;
if (stuck) socket.pause();
process.stdout.write('{"started":true}\n');
createInterface({ input: process.stdin }).on("line", () => {
  process.stdout.write(`${JSON.stringify({ frames })}\n`);
  frames = [];
});
process.stdin.on("end", () => process.exit());
