import { expect, it } from "vitest";
import { decodeFrame } from "../protocol/binary-frame.js";
import type { FrameOutlet } from "../protocol/call.js";
import { binaryOf, type Fixture, fakeStation, kindOf, type Message, startFixture, type TestClient } from "./fixture.js";
import { SLOW_BYTES } from "./outbound.js";

const PICTURE = new Uint8Array(100_000).fill(1);

/** A server whose previews are opened by `camera.startPreview` and fed by the test. */
async function previews(): Promise<Fixture & { readonly outlets: FrameOutlet[] }> {
  const outlets: FrameOutlet[] = [];
  const station = fakeStation({
    "camera.startPreview": (_params, call) => {
      const outlet = call.stream();
      outlets.push(outlet);
      // The camera runs already: a picture comes before the answer is on its way.
      outlet.send(PICTURE, 1);
      return { device: "face", channel: outlet.channel, mediaType: "image/jpeg" };
    },
  });
  return Object.assign(await startFixture({ station }), { outlets });
}
const rawOf = ({ ws }: TestClient) => (ws as unknown as { _socket: { pause(): void; resume(): void } })._socket;
const pictureEnd = (message: Message): boolean => {
  const bytes = binaryOf(message);
  return bytes !== undefined && decodeFrame(bytes)?.header.last === true;
};

it("pictures and texts keep the order in which they were sent", async () => {
  await using fixture = await previews();
  const { client } = await fixture.connect();
  const answer = await client.request("camera.startPreview", {});
  expect(answer.result).toMatchObject({ channel: fixture.outlets[0]?.channel });
  fixture.station.emit({ topic: "agent", data: { maintenance: true } });
  fixture.outlets[0]?.send(PICTURE, 2);
  await client.request("devices.list", {});
  await client.next(pictureEnd);
  await client.next(pictureEnd);
  expect(client.received.map((message) => decodeFrame(binaryOf(message) ?? new Uint8Array())?.header.sequence)).toEqual([0, 2]);
});

it("a picture of any size arrives byte by byte, and several clients get the same one", async () => {
  await using fixture = await previews();
  const clients = [(await fixture.connect()).client, (await fixture.connect()).client];
  for (const client of clients) {
    await client.request("camera.startPreview", {});
    await client.next(pictureEnd);
    client.received.length = 0;
  }
  // About every form of the length of a frame (RFC 6455 §5.2), header included.
  for (const size of [1, 101, 102, 65_511, 65_512, 65_513, 200_000]) {
    const picture = Uint8Array.from({ length: size }, (_, index) => (index * 7) % 251);
    for (const outlet of fixture.outlets) expect(outlet.send(picture, size)).toBe(true);
    for (const client of clients) {
      const end = await client.next(pictureEnd);
      const frames = [...client.received.splice(0), end].map((message) => binaryOf(message) ?? new Uint8Array());
      const payloads = frames.map((frame) => decodeFrame(frame)?.payload ?? new Uint8Array());
      expect(Buffer.concat(payloads).equals(picture), `${size} bytes`).toBe(true);
    }
  }
});

it("a client that stops reading misses pictures and costs another one none", async () => {
  await using fixture = await previews();
  const [{ client: stuck }, { client: other }] = [await fixture.connect(), await fixture.connect()];
  await stuck.request("camera.startPreview", {});
  await other.request("camera.startPreview", {});
  const [toStuck, toOther] = fixture.outlets;
  await other.next(pictureEnd);
  rawOf(stuck).pause();
  let refused = 0;
  for (let number = 0; number < 200; number++) {
    if (toStuck?.send(PICTURE, number) === false) refused += 1;
    expect(toOther?.send(PICTURE, number)).toBe(true);
    await other.next(pictureEnd);
    await other.request("devices.list", {});
  }
  // What the kernel's own buffers took is not ours to bound.
  expect(refused).toBeGreaterThan(100);
  rawOf(stuck).resume();
  await stuck.request("devices.list", {});
  const taken = stuck.received.filter(pictureEnd).length;
  expect(taken).toBe(201 - refused);
  while (toStuck?.send(PICTURE, 201) === false) await stuck.request("devices.list", {});
  const waiting = stuck.received.map((message) => binaryOf(message)?.length ?? 0).reduce((sum, bytes) => sum + bytes, 0);
  expect(waiting).toBeGreaterThan(SLOW_BYTES);
});

it("has room for eight of each client, and ends them with the connection", async () => {
  await using fixture = await previews();
  const { client } = await fixture.connect();
  for (let count = 0; count < 8; count++) await client.request("camera.startPreview", {});
  expect(kindOf(await client.request("camera.startPreview", {}))).toBe("rate_limited");
  const { client: another } = await fixture.connect();
  expect((await another.request("camera.startPreview", {})).result).toBeDefined();
  const channels = fixture.outlets.map(({ channel }) => channel);
  expect(new Set(channels).size).toBe(9);
  client.ws.terminate();
  await client.closed;
  while (!fixture.outlets[0]?.closed.aborted) await another.request("devices.list", {});
  expect(fixture.outlets.map(({ closed }) => closed.aborted)).toEqual([...new Array<boolean>(8).fill(true), false]);
  expect(fixture.outlets[0]?.send(PICTURE, 1)).toBe(false);
});
