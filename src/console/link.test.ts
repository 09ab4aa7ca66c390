import { afterAll, afterEach, beforeEach, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { type Fixture, fakeStation, startFixture, TECHNICIAN_TOKEN } from "../server/fixture.js";
import { type Link, openLink } from "./link.js";

/** A browser's: a refused connection is a `close`, and nothing is thrown. */
class BrowserSocket extends WebSocket {
  constructor(url: string, subprotocol: string) {
    super(url, subprotocol);
    this.on("error", () => {});
  }
}
vi.stubGlobal("WebSocket", BrowserSocket);
afterAll(() => vi.unstubAllGlobals());

let fixture: Fixture;
let link: Link | undefined;
let asked: number;
let heard: string[];
/** Ends the waiting before the next attempt. */
let goOn: () => void;

beforeEach(async () => {
  asked = 0;
  heard = [];
  const station = fakeStation({
    // The first answer never comes.
    "agent.maintenance": ({ on }) => (++asked === 1 ? new Promise(() => {}) : { maintenance: on }),
  });
  fixture = await startFixture({ station });
});
afterEach(async () => {
  link?.close();
  await fixture.server.stop();
});

const open = (token = TECHNICIAN_TOKEN): Promise<Link> =>
  openLink({
    url: fixture.server.url,
    token,
    wait: () =>
      new Promise((resolve) => {
        goOn = resolve;
      }),
    onOpen: (_client, signal) => {
      heard.push("open");
      signal.addEventListener("abort", () => heard.push("ended"));
    },
    onLost: () => heard.push("lost"),
    onRefused: () => heard.push("refused"),
  });
const until = async (wanted: () => boolean): Promise<void> => {
  while (!wanted()) await new Promise((resolve) => setImmediate(resolve));
};

it("tells whoever signs in at once why not", async () => {
  await expect(open("guess")).rejects.toMatchObject({ kind: "unauthorized" });
  await fixture.server.stop();
  await expect(open()).rejects.toMatchObject({ kind: "connection_lost" });
  expect(heard).toEqual([]);
});

it("connects again, and what may be done again is", async () => {
  link = await open();
  const done = link.persist((client) => client.call("agent.maintenance", { on: true }));
  await until(() => asked === 1);
  fixture.server.update({ ...fixture.settings, tokens: [] });
  await until(() => heard.includes("lost"));
  expect(() => link?.client()).toThrow("not connected");
  fixture.server.update(fixture.settings);
  goOn();
  expect(await done).toEqual({ maintenance: true });
  expect(heard).toEqual(["open", "ended", "lost", "open"]);
});

it("gives up where the token is not wanted any more, and so does who waits", async () => {
  link = await open();
  const done = link.persist((client) => client.call("agent.maintenance", { on: true }));
  await until(() => asked === 1);
  fixture.server.update({ ...fixture.settings, tokens: [] });
  await until(() => heard.includes("lost"));
  goOn();
  await expect(done).rejects.toMatchObject({ kind: "connection_lost" });
  expect(heard).toEqual(["open", "ended", "lost", "refused"]);
});

it("an agent's own refusal is not tried again", async () => {
  link = await open();
  await expect(link.persist((client) => client.call("devices.get", { device: "none" }))).rejects.toMatchObject({ kind: "unknown_device" });
});
