/**
 * One client process that drives both servers in turn: `rpc-client URL_OURS TOKEN URL_FLOOR ROUNDS`.
 * Prints one JSON line of medians: microseconds and replies per second.
 */
import type WebSocket from "ws";
import { firstReply, helloText, median } from "./process.js";

const [ours = "", token = "", floor = "", rounds = "7"] = process.argv.slice(2);
const PINGS = 1_500;
const PIPELINED = 15_000;
const IN_FLIGHT = 32;

interface Measured {
  readonly p50: number[];
  readonly perSecond: number[];
}

const request = (id: number, params: string): string => `{"jsonrpc":"2.0","id":${id},"method":"devices.get","params":${params}}`;

function pingPong(socket: WebSocket, params: string): Promise<number> {
  return new Promise((resolve) => {
    const times: number[] = [];
    let sentAt = 0;
    const send = (): void => {
      sentAt = performance.now();
      socket.send(request(times.length + 1, params));
    };
    const onMessage = (bytes: Buffer): void => {
      JSON.parse(bytes.toString());
      times.push((performance.now() - sentAt) * 1_000);
      if (times.length < PINGS) {
        send();
        return;
      }
      socket.off("message", onMessage);
      resolve(median(times));
    };
    socket.on("message", onMessage);
    send();
  });
}

function pipelined(socket: WebSocket, params: string): Promise<number> {
  return new Promise((resolve) => {
    let sent = 0;
    let received = 0;
    const started = performance.now();
    const onMessage = (bytes: Buffer): void => {
      JSON.parse(bytes.toString());
      if (sent < PIPELINED) socket.send(request(++sent, params));
      if (++received < PIPELINED) return;
      socket.off("message", onMessage);
      resolve((PIPELINED * 1_000) / (performance.now() - started));
    };
    socket.on("message", onMessage);
    while (sent < IN_FLIGHT) socket.send(request(++sent, params));
  });
}

const plain = '{"device":"receipt"}';
const withDeadline = '{"device":"receipt","timeoutMs":5000}';
const agent = (await firstReply(ours, helloText(token))).socket;
const echo = (await firstReply(floor, request(0, plain))).socket;
const cases = [
  { name: "ours", socket: agent, params: plain },
  { name: "floor", socket: echo, params: plain },
  { name: "deadline", socket: agent, params: withDeadline },
] as const;
const measured: Record<string, Measured> = {
  ours: { p50: [], perSecond: [] },
  floor: { p50: [], perSecond: [] },
  deadline: { p50: [], perSecond: [] },
};
for (let round = -1; round < Number(rounds); round++) {
  for (const { name, socket, params } of cases) {
    const p50 = await pingPong(socket, params);
    const perSecond = await pipelined(socket, params);
    if (round < 0) continue; // the first round warms up
    measured[name]?.p50.push(p50);
    measured[name]?.perSecond.push(perSecond);
  }
}
const medians = Object.fromEntries(
  Object.entries(measured).map(([name, of]) => [name, { p50Us: median(of.p50), perSecond: median(of.perSecond) }]),
);
process.stdout.write(`${JSON.stringify(medians)}\n`);
agent.close();
echo.close();
