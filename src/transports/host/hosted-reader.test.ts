import { expect, it } from "vitest";
import { raceSignal } from "../../kernel/deadline.js";
import { DeviceError, errorObject } from "../../kernel/errors.js";
import { type CardHost, hostedReader, type Presence } from "./hosted-reader.js";

const never = new AbortController().signal;

/** A child whose answers come when the test says so. What it really does: card-host.test.ts. */
function reader() {
  const said: string[] = [];
  const answers = new Map<string, (value: unknown) => void>();
  let id = 100;
  const host: CardHost = {
    newId: () => id++,
    call: (method, _args, signal) => raceSignal(new Promise((resolve) => answers.set(method, resolve)), signal),
    tell: async (method, id) => void said.push(`${method} ${id}`),
  };
  const presence: Presence = { present: false, changed() {} };
  const leave = async (): Promise<void> => void said.push("left");
  const link = hostedReader({ host, link: 7, facts: { description: "pcsc Reader", reader: "Reader" }, presence, leave });
  const answer = (method: string, value: unknown): void => answers.get(method)?.(value);
  const connected = async () => {
    const connecting = link.connect(never);
    answer("connect", { atr: Uint8Array.of(0x3b), maxApduBytes: undefined });
    return await connecting;
  };
  return { link, presence, said, answer, connected };
}

it("ends a session in the child whose APDU was given up, for its answer may be under way", async () => {
  const { said, connected } = reader();
  const session = await connected();
  const giveUp = new AbortController();
  const reason = new DeviceError("timeout");
  const pending = expect(session.transmit(Uint8Array.of(0, 0xa4, 0, 0), giveUp.signal)).rejects.toBe(reason);
  giveUp.abort(reason);
  await pending;
  expect((await session.ended).kind).toBe("canceled");
  expect(said).toEqual(["closeSession 100"]);
});

it("ends the session of a lifted card before it tells that the card was lifted", async () => {
  const { link, presence, connected } = reader();
  const session = await connected();
  const order: string[] = [];
  void session.ended.then(({ kind }) => order.push(kind));
  const pending = session.transmit(Uint8Array.of(0, 0xa4, 0, 0), never).catch(({ kind }: DeviceError) => order.push(`APDU ${kind}`));
  const told = new Promise<void>((resolve) => {
    link.onPresence((present) => void Promise.resolve().then(() => resolve(void order.push(`present ${present}`))));
  });
  presence.changed(false);
  await Promise.all([pending, told]);
  expect(order.toSorted()).toEqual(["APDU card_removed", "card_removed", "present false"]);
  expect(order[0]).toBe("card_removed");
});

it("leaves once, whoever ends it first", async () => {
  const { link, said, answer, connected } = reader();
  const session = await connected();
  answer("closed", errorObject(new DeviceError("device_absent", { hint: "Check the reader's cable" })));
  expect(await link.closed).toMatchObject({ kind: "device_absent", hint: "Check the reader's cable" });
  expect((await session.ended).kind).toBe("device_absent");
  await session.close();
  await link.close();
  await link.close();
  expect(said).toEqual(["left"]);

  const other = reader();
  await Promise.all([other.link.close(), other.link.close()]);
  other.answer("closed", errorObject(new DeviceError("device_absent")));
  await expect(other.link.connect(never)).rejects.toMatchObject({ kind: "device_absent", message: expect.stringContaining("was closed") });
  expect(other.said).toEqual(["close 7", "left"]);
});
