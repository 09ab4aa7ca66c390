import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chipCard } from "../../simulators/chip-card/index.js";
import { farEnd } from "../../simulators/serve.js";
import type { CardReaderLink } from "../../src/kernel/card.js";
import { systemClock } from "../../src/kernel/clock.js";
import { silentLog } from "../../src/kernel/log.js";
import { seededRandom } from "../../src/kernel/random.js";
import { pcscReaders } from "../../src/transports/index.js";
import { openPcscd, type PcscdRig, realPcscStack } from "./pcscd.js";

const never = new AbortController().signal;
const stack = await realPcscStack();
const GET_UID = Uint8Array.of(0xff, 0xca, 0, 0, 0);
const SELECT_EMRTD = Uint8Array.of(0, 0xa4, 4, 0x0c, 7, 0xa0, 0, 0, 2, 0x47, 0x10, 1);

describe.skipIf(!stack)("the simulated ID card behind a real pcscd", () => {
  const clock = systemClock();
  let rig: PcscdRig;
  let link: CardReaderLink;

  beforeAll(async () => {
    rig = await openPcscd();
    link = await pcscReaders({ clock, log: silentLog })({ kind: "pcsc", reader: rig.readers[0], hosted: true })(never);
  });
  afterAll(async () => {
    await link.close();
    await rig[Symbol.asyncDispose]();
  });

  const present = (wanted: boolean): Promise<void> =>
    new Promise((resolve) => {
      link.onPresence((now) => {
        if (now === wanted) resolve();
      });
      if (link.present === wanted) resolve();
    });

  it("lies on the reader, answers, and is missed when it is gone", async () => {
    const card = chipCard.create(chipCard.options.parse({ inserted: true }), { clock, random: seededRandom(3), changed() {} });
    const socket = connect({ port: rig.ports[0], host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    card.attach(farEnd(socket));
    await present(true);
    const session = await link.connect(never);
    const [first, , , , ...status] = await session.transmit(GET_UID, never);
    expect([first, ...status]).toEqual([0x08, 0x90, 0x00]);
    expect(await session.transmit(SELECT_EMRTD, never)).toEqual(Uint8Array.of(0x90, 0x00));
    card.detach();
    expect((await session.ended).kind).toBe("card_removed");
    await present(false);
    await card.close();
  });
});
