import { expect, test } from "vitest";
import { type Meddle, readVirtual, virtualCard } from "./testing/virtual-card.js";

const CHALLENGE = Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1);
const PLAIN_6700 = Uint8Array.of(0x67, 0x00);
const MAPPING_ONLY = { pace: ["cam-aes128-13"] };
/** READ BINARY of EF.SOD under protection, after the application was selected. */
const firstReadOfSod = (): ((apdu: Uint8Array) => boolean) => {
  let selected = false;
  let done = false;
  return (apdu) => {
    selected ||= apdu[0] === 0x0c && apdu[1] === 0xa4;
    const now = selected && !done && apdu[1] === 0xb0 && apdu[2] === 0x9d;
    done ||= now;
    return now;
  };
};

test("a genuine chip that proves itself in PACE, and then another in its place: not proved", async () => {
  const [genuine, other] = await Promise.all([virtualCard("pace-cam", MAPPING_ONLY), virtualCard("plain", MAPPING_ONLY)]);
  const isSod = firstReadOfSod();
  let swapped = false;
  const swap: Meddle = (apdu, _, pass) => {
    if (swapped) return other.retry(apdu);
    if (!isSod(apdu)) return pass();
    swapped = true;
    // The session's keys are not known to whoever stands between: he breaks it, and opens a new one himself.
    other.retry(Uint8Array.of(0x00, 0xa4, 0x00, 0x0c));
    return PLAIN_6700;
  };
  genuine.meddle = swap;
  const contents = await readVirtual(genuine, { files: ["dg1"] });
  expect(contents.files.get("sod")).toEqual(other.files.get(0x011d));
  expect(contents).toMatchObject({ camVerified: false, chipAuthentication: { state: "not_supported" } });
});

test("the same chip opened again proves itself again", async () => {
  const card = await virtualCard("pace-cam", MAPPING_ONLY);
  const isSod = firstReadOfSod();
  card.meddle = (apdu, _, pass) => (isSod(apdu) ? PLAIN_6700 : pass());
  expect(await readVirtual(card)).toMatchObject({ camVerified: true, chipAuthentication: { state: "done" } });
});

test("a chip that offers chip authentication and will not do it has failed", async () => {
  for (const [instruction, status] of [
    [0x22, 0x6a88],
    [0x86, 0x6a80],
    [0x86, 0x6300],
  ] as const) {
    const card = await virtualCard("citizen");
    const refusal = Uint8Array.of(status >> 8, status & 0xff);
    card.meddle = (apdu, _, pass) => (apdu[0] === 0x0c && apdu[1] === instruction ? refusal : pass());
    expect(await readVirtual(card)).toMatchObject({ chipAuthentication: { state: "failed" } });
  }
});

test("a chip that will not sign with the key in its DG15 has refused", async () => {
  for (const status of [0x6d00, 0x6982, 0x6700, 0x6f00]) {
    const card = await virtualCard("citizen", { activeAuthentication: "ecdsa-sha256" });
    card.meddle = (apdu, _, pass) => (apdu[1] === 0x88 ? Uint8Array.of(status >> 8, status & 0xff) : pass());
    expect(await readVirtual(card, { challenge: CHALLENGE })).toMatchObject({ activeAuthentication: { state: "refused" } });
  }
});
