import { expect, test } from "vitest";
import { DeviceError } from "../kernel/errors.js";
import { FILES } from "./files.js";
import { canKey, lengthMemory, mrzKey } from "./testing/scripted-card.js";
import { readVirtual, type VirtualCard, virtualCard } from "./testing/virtual-card.js";
import type { ChipContents, FileName } from "./types.js";

const CHALLENGE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function expectFiles(contents: ChipContents, card: VirtualCard, names: readonly FileName[]): void {
  expect([...contents.files.keys()].sort()).toEqual([...names].sort());
  for (const [name, bytes] of contents.files) {
    expect(Buffer.compare(bytes, card.files.get(FILES[name].fid) ?? new Uint8Array()), name).toBe(0);
  }
}
const kindOf = async (reading: Promise<unknown>): Promise<string> =>
  reading.then(
    () => "read",
    (error: unknown) => (error instanceof DeviceError ? error.kind : `not a DeviceError: ${error}`),
  );

test("the fewest commands: 14 with PACE and chip authentication, 12 without, 2 more with active authentication", async () => {
  const card = await virtualCard("citizen");
  const contents = await readVirtual(card);
  expect(contents).toMatchObject({
    access: { protocol: "pace", password: "can", mapping: "gm", cipher: "aes-128", parameterId: 13 },
    chipAuthentication: { state: "done", parameterId: 13 },
    activeAuthentication: { state: "not_asked" },
    apdus: 14,
  });
  expect(contents.access.unproved).toBeUndefined();
  expect(card.commands).toHaveLength(14);
  expectFiles(contents, card, ["sod", "dg14", "dg1", "dg13", "dg2"]);

  const plain = await readVirtual(await virtualCard("plain"));
  expect(plain).toMatchObject({ chipAuthentication: { state: "not_supported" }, apdus: 12 });

  const challenged = await virtualCard("citizen");
  const active = await readVirtual(challenged, { challenge: CHALLENGE });
  expect(active).toMatchObject({ activeAuthentication: { state: "answered", challenge: CHALLENGE }, apdus: 16 });
  expectFiles(active, challenged, ["sod", "dg14", "dg1", "dg13", "dg2", "dg15"]);
});

test("BAC: 9 commands with the failed look for PACE, 8 when it is asked for", async () => {
  const card = await virtualCard("bac-only", { chipAuthentication: "none" });
  const contents = await readVirtual(card, { access: card.mrz });
  expect(contents).toMatchObject({ access: { protocol: "bac", password: "mrz", cipher: "3des" }, apdus: 9 });
  const asked = await virtualCard("citizen", { chipAuthentication: "none" });
  expect(await readVirtual(asked, { access: asked.mrz, protocol: "bac" })).toMatchObject({ access: { protocol: "bac" }, apdus: 8 });
  // 3DES chip authentication is one command.
  const old = await virtualCard("bac-only");
  expect(await readVirtual(old, { access: old.mrz })).toMatchObject({ chipAuthentication: { state: "done" }, apdus: 10 });
});

test("short answers only: learnt in the clear without losing a session, remembered, and 94 commands at most", async () => {
  const lengths = lengthMemory();
  const first = await virtualCard("short-only", { imageBytes: 14_900 });
  const learnt = await readVirtual(first, { lengths });
  expect([...lengths.known.values()]).toEqual([231]);
  expect(first.commands.filter((command) => command.startsWith("0022c1a4"))).toHaveLength(1);
  const second = await virtualCard("short-only", { imageBytes: 14_900 });
  const known = await readVirtual(second, { lengths });
  expect(known.apdus).toBeLessThanOrEqual(94);
  expect(learnt.apdus).toBe(known.apdus + 3);
  expectFiles(known, second, ["sod", "dg14", "dg1", "dg13", "dg2"]);
});

test("extended length refused in the midst of a session: opened again, and read with less", async () => {
  for (const [access, protocol] of [
    ["can", "auto"],
    ["mrz", "bac"],
  ] as const) {
    const card = await virtualCard("short-only");
    const lengths = lengthMemory();
    // In the clear the card takes it: what it says there proves nothing.
    card.meddle = (apdu, _, pass) => (apdu[0] === 0 && apdu[1] === 0xb0 ? card.retry(Uint8Array.of(...apdu.subarray(0, 4), 0)) : pass());
    const contents = await readVirtual(card, { lengths, access: card[access], protocol });
    expectFiles(contents, card, ["sod", "dg14", "dg1", "dg13", "dg2"]);
    expect([...lengths.known.values()]).toEqual([231]);
  }
});

test("every kind of card is read", async () => {
  for (const profile of [
    "citizen-2024",
    "pace-only",
    "le-192",
    "le-1024",
    "many-pace",
    "pace-cam",
    "pace-im",
    "select-only",
    "chunked",
  ] as const) {
    const card = await virtualCard(profile);
    const contents = await readVirtual(card);
    expectFiles(contents, card, ["sod", "dg14", "dg1", "dg13", "dg2"]);
    expect(contents.chipAuthentication.state, profile).toBe("done");
    expect(contents.access.protocol, profile).toBe("pace");
    if (profile === "pace-cam") expect(contents).toMatchObject({ camVerified: true, access: { mapping: "cam" } });
    if (profile === "many-pace") expect(contents.access).toMatchObject({ cipher: "aes-256", parameterId: 16 });
  }
  const caps = [
    { leCap: 512, beyondLeCap: "tell" },
    { leCap: 200, beyondLeCap: "tell" },
    { leCap: 3_000, beyondLeCap: "short" },
    { leCap: 100, beyondLeCap: "refuse" },
  ] as const;
  for (const cap of caps) {
    const card = await virtualCard("citizen", cap);
    expectFiles(await readVirtual(card), card, ["sod", "dg14", "dg1", "dg13", "dg2"]);
  }
});

test("every cipher, curve and mapping that the card has", async () => {
  const ways = ["gm-3des-12", "gm-aes192-15", "gm-aes256-17", "gm-aes128-18", "cam-aes256-17"];
  for (const way of ways) {
    const card = await virtualCard("citizen", { pace: [way], chipAuthentication: "aes192", chipKeyId: 5 });
    const contents = await readVirtual(card);
    expect(contents, way).toMatchObject({ chipAuthentication: { state: "done" } });
    expect(contents.access.unproved, way).toBeUndefined();
  }
});

test("integrated mapping, of which all but AES-128 is unproved", async () => {
  for (const way of ["im-aes128-13", "im-aes128-18", "im-3des-13", "im-aes192-12", "im-aes256-16"]) {
    for (const seed of [1, 2, 3]) {
      const card = await virtualCard("citizen", { pace: [way] }, seed);
      const contents = await readVirtual(card, { files: [], seed: seed + 1_000 });
      expect(contents.access, way).toMatchObject({ mapping: "im", ...(way.includes("aes128") ? {} : { unproved: true }) });
    }
  }
});

test("files of 100 kB: beyond 32,767 by odd instructions, extended and short", async () => {
  for (const extendedLength of [true, false]) {
    const card = await virtualCard("citizen", { imageBytes: 100_000, extendedLength });
    const contents = await readVirtual(card, { files: ["dg2"] });
    expect(contents.files.get("dg2")?.length).toBeGreaterThan(99_000);
    expectFiles(contents, card, ["sod", "dg14", "dg2"]);
    expect(card.commands.some((command) => command.startsWith("0cb1"))).toBe(true);
  }
});

test("a wrong key is tried once and never again", async () => {
  for (const wrongKeyStatus of ["6300", "63c2", "6982", "6983"]) {
    const card = await virtualCard("citizen", { wrongKeyStatus });
    expect(await kindOf(readVirtual(card, { access: canKey("000000") }))).toBe("access_denied");
    expect(card.commands.filter((command) => command.startsWith("0022c1a4"))).toHaveLength(1);
    const other = await virtualCard("bac-only", { wrongKeyStatus });
    expect(await kindOf(readVirtual(other, { access: mrzKey("012345678", "900101", "300101") }))).toBe("access_denied");
    expect(other.commands.filter((command) => command.startsWith("0082"))).toHaveLength(1);
  }
});

test("PACE refused or missing: BAC with an MRZ, the MRZ wanted with a CAN, and never BAC where PACE was asked for", async () => {
  const refusing = await virtualCard("citizen", { refusePace: true });
  expect(await readVirtual(refusing, { access: refusing.mrz })).toMatchObject({ access: { protocol: "bac" } });
  expect(await kindOf(readVirtual(await virtualCard("citizen", { refusePace: true })))).toBe("mrz_required");
  expect(await kindOf(readVirtual(await virtualCard("bac-only")))).toBe("mrz_required");
  const only = await virtualCard("bac-only");
  expect(await kindOf(readVirtual(only, { access: only.mrz, protocol: "pace" }))).toBe("card_unsupported");
  const closed = await virtualCard("pace-only", { refusePace: true });
  expect(await kindOf(readVirtual(closed, { access: closed.mrz }))).toBe("card_error");
  // No short identifiers, and no BAC: the MRZ finds its way to PACE.
  const strange = await virtualCard("pace-only", { cardAccessBySfi: false });
  expect(await readVirtual(strange, { access: strange.mrz })).toMatchObject({ access: { protocol: "pace", password: "mrz" } });
});

test("a card that is no eMRTD is told from one that wants another key", async () => {
  const card = await virtualCard("citizen");
  for (const status of [0x6a82, 0x6d00, 0x6e00]) {
    card.meddle = () => Uint8Array.of(status >> 8, status & 0xff);
    expect(await kindOf(readVirtual(card))).toBe("card_unsupported");
    expect(await kindOf(readVirtual(card, { access: card.mrz }))).toBe("card_unsupported");
  }
});

test("a copied chip fails chip authentication, and is read all the same", async () => {
  for (const profile of ["citizen", "bac-only"] as const) {
    const card = await virtualCard(profile, { cloned: true });
    const contents = await readVirtual(card, { access: card.mrz });
    expect(contents.chipAuthentication).toEqual({ state: "failed" });
    expectFiles(contents, card, ["sod", "dg14", "dg1", "dg13", "dg2"]);
    // Where nothing else is to be read, one more command brings the proof.
    const bare = await virtualCard(profile, { cloned: true });
    expect((await readVirtual(bare, { access: bare.mrz, files: [] })).chipAuthentication).toEqual({ state: "failed" });
    const genuine = await virtualCard(profile);
    expect((await readVirtual(genuine, { access: genuine.mrz, files: [] })).chipAuthentication.state).toBe("done");
  }
});

test("active authentication: not possible in short answers, not supported without a key, a challenge of 8 bytes", async () => {
  const short = await virtualCard("short-only");
  expect(await readVirtual(short, { challenge: CHALLENGE })).toMatchObject({ activeAuthentication: { state: "not_possible" } });
  const ecdsa = await virtualCard("short-only", { activeAuthentication: "ecdsa-sha256" });
  expect(await readVirtual(ecdsa, { challenge: CHALLENGE })).toMatchObject({ activeAuthentication: { state: "answered" } });
  const without = await virtualCard("plain");
  expect(await readVirtual(without, { challenge: CHALLENGE })).toMatchObject({ activeAuthentication: { state: "not_supported" } });
  expect(await kindOf(readVirtual(without, { challenge: Uint8Array.of(1) }))).toBe("invalid_params");
});

test("files that the chip has not are left out; DG14 and doubles in the list are read once", async () => {
  const card = await virtualCard("citizen");
  const contents = await readVirtual(card, { files: ["dg11", "dg1", "dg14", "dg1", "dg12"] });
  expectFiles(contents, card, ["sod", "dg14", "dg1"]);
});

test("progress runs through the stages and never back", async () => {
  const told: [string, number | undefined][] = [];
  await readVirtual(await virtualCard("short-only"), { challenge: CHALLENGE, progress: (stage, fraction) => told.push([stage, fraction]) });
  expect([...new Set(told.map(([stage]) => stage))]).toEqual(["access", "reading", "authenticating"]);
  const fractions = told.flatMap(([, fraction]) => (fraction === undefined ? [] : [fraction]));
  expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  expect(fractions.at(-1)).toBe(1);
  expect(fractions.length).toBeGreaterThan(60);
});

test("a reader that passes on little is never asked for more", async () => {
  for (const maxApduBytes of [261, 1_000, 4_096, 65_546]) {
    const card = await virtualCard("citizen");
    let longest = 0;
    card.meddle = (_, __, pass) => {
      const answer = pass();
      longest = Math.max(longest, answer.length);
      return answer;
    };
    const lengths = lengthMemory();
    const contents = await readVirtual(card, { maxApduBytes, lengths, challenge: CHALLENGE });
    expectFiles(contents, card, ["sod", "dg14", "dg1", "dg13", "dg2", "dg15"]);
    expect(longest).toBeLessThanOrEqual(maxApduBytes);
    expect(contents.activeAuthentication.state).toBe(maxApduBytes === 261 ? "not_possible" : "answered");
    // It is the reader's limit, not the card's.
    expect(lengths.known.size).toBe(0);
  }
});

test("the memory of a length is believed, a foolish one survived", async () => {
  for (const [most, expected] of [
    [65_503, 14],
    [192, 100],
    [250, 100],
    [1, 100],
    [0, 100],
    [1e9, 14],
  ] as const) {
    const card = await virtualCard("citizen");
    const lengths = lengthMemory();
    lengths.set("3b8180018080", most);
    const contents = await readVirtual(card, { lengths, files: ["dg1", "dg13", "dg2"] });
    expectFiles(contents, card, ["sod", "dg14", "dg1", "dg13", "dg2"]);
    if (expected === 14) expect(contents.apdus).toBe(14);
    else expect(contents.apdus).toBeGreaterThan(14);
  }
});
