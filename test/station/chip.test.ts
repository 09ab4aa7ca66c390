import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { StationClient } from "../../src/client/node.js";
import { systemClock } from "../../src/kernel/clock.js";
import type { CardReading, CardVerdicts } from "../../src/protocol/chip-reader.js";
import type { ParamsInput } from "../../src/protocol/methods.js";
import { startStation, type TestStation } from "../../src/testing.js";
import { faultRow } from "../support/fault.js";

/** The simulator's first two invented people. */
const A = {
  idNumber: "001190412345",
  can: "412345",
  name: "Nguyễn Thị Thử Nghiệm",
  mrz: { documentNumber: "190412345", birthDate: "900517", expiryDate: "300517" },
};
const B = { idNumber: "079205098765", can: "098765" };

let station: TestStation;
let page: StationClient;

beforeAll(async () => {
  station = await startStation({ seed: 9 });
});
beforeEach(async () => {
  await station.reset();
  page = await station.connect();
});
afterEach(async () => {
  await page.call("session.endCitizen", {});
  page.close();
});
afterAll(() => station.stop());

const act = (
  action: string,
  params: Record<string, never> | Record<string, unknown> = {},
): Promise<{ state: Readonly<Record<string, unknown>> }> => station.act("id-reader", action, params as never);
const readCard = (params: Partial<ParamsInput<"chipReader.readCard">> = {}): Promise<CardReading> =>
  page.call("chipReader.readCard", { access: { can: A.can }, timeoutMs: 20_000, ...params });
/** A card with these knobs, laid on the reader. */
const lay = async (knobs: Record<string, unknown>, profile = "citizen"): Promise<void> => {
  await act("card", knobs);
  await act("insert", { person: "A", profile });
};
/** Whatever went before: a sound card reads as one. */
const nextGoodCardReads = async (): Promise<void> => {
  await act("reset");
  await act("insert", { person: "B" });
  expect(await readCard({ access: { can: B.can } })).toMatchObject({ details: { idNumber: B.idNumber }, verdicts: { chip: "genuine" } });
};

const GOOD: CardVerdicts = {
  signature: "valid",
  hashes: "match",
  mismatched: [],
  issuer: "trusted",
  revoked: "no",
  certificateExpired: "no",
  documentExpired: "no",
  cardAccess: "confirmed",
  chip: "genuine",
  activeAuthentication: "not_asked",
  qr: "not_compared",
  printed: "same",
};

describe("a sound card", () => {
  test("is read whole in 14 round trips, and everything about it is proved", async () => {
    const stages: string[] = [];
    const reading = page.call(
      "chipReader.readCard",
      { access: { idNumber: A.idNumber } },
      { onProgress: ({ stage }) => void stages.push(stage) },
    );
    await act("insert", { person: "A" });
    const card = await reading;
    expect(card.verdicts).toEqual({ ...GOOD, qr: "same" });
    expect(card).toMatchObject({
      apdus: 14,
      simulated: true,
      missing: [],
      unreadable: [],
      details: { idNumber: A.idNumber, name: A.name },
    });
    expect([...new Set(stages)]).toEqual(["waiting", "access", "reading", "authenticating"]);
    const face = new Uint8Array(await page.blob((card.portrait as NonNullable<typeof card.portrait>).image).arrayBuffer());
    expect(Buffer.from(face.subarray(0, 3)).toString("hex")).toBe("ffd8ff");
  });

  test("signs a challenge, and hands out raw files and the portrait as it is, where asked for", async () => {
    await lay({ image: "jp2" });
    const card = await readCard({ challenge: "0123456789abcdef", includeRaw: true, portraitOriginal: true, consentRef: "consent-17" });
    expect(card).toMatchObject({
      apdus: 16,
      verdicts: { activeAuthentication: "genuine" },
      portrait: { original: { mediaType: "image/jp2" } },
    });
    expect(Buffer.from(card.activeAuthenticationSignature ?? "", "base64")).toHaveLength(256);
    expect(card.raw?.map(({ file }) => file).sort()).toEqual(["cardAccess", "dg1", "dg13", "dg14", "dg15", "dg2", "sod"]);
  });

  test("keeps its sensitive fields unless each is asked for by name with a record of consent", async () => {
    await lay({});
    const sensitive = ["ethnicity", "religion", "parents", "spouse"];
    expect(Object.keys((await readCard()).details ?? {}).filter((key) => sensitive.includes(key))).toEqual([]);
    const asked = await readCard({ sensitive: ["religion"], consentRef: "consent-17" });
    expect(Object.keys(asked.details ?? {}).filter((key) => sensitive.includes(key))).toEqual(["religion"]);
    await expect(readCard({ sensitive: ["religion"] })).rejects.toMatchObject({ kind: "invalid_params" });
    await expect(readCard({ includeRaw: true })).rejects.toMatchObject({ kind: "invalid_params" });
  });

  test.each<[string, string, Partial<ParamsInput<"chipReader.readCard">>, Partial<CardReading["access"]>]>([
    ["by the MRZ over PACE", "citizen", { access: { mrz: A.mrz } }, { protocol: "pace", password: "mrz" }],
    ["by the MRZ over BAC, asked for", "citizen", { access: { mrz: A.mrz }, protocol: "bac" }, { protocol: "bac", cipher: "3des" }],
    ["with BAC only", "bac-only", { access: { mrz: A.mrz } }, { protocol: "bac" }],
    ["of 2024, with PACE only and JPEG 2000", "citizen-2024", {}, { protocol: "pace" }],
    ["with PACE only", "pace-only", {}, { protocol: "pace" }],
    ["without extended length", "short-only", {}, { protocol: "pace" }],
    ["that gives 192 bytes at most", "le-192", {}, { protocol: "pace" }],
    ["that gives 1,024 bytes at most", "le-1024", {}, { protocol: "pace" }],
    ["with several PACE parameter sets", "many-pace", {}, { protocol: "pace" }],
    ["with chip authentication mapping", "pace-cam", {}, { protocol: "pace" }],
    ["with integrated mapping only", "pace-im", {}, { protocol: "pace", mapping: "im" }],
    ["whose EF.CardAccess must be selected", "select-only", {}, { protocol: "pace" }],
    ["that answers in pieces", "chunked", {}, { protocol: "pace" }],
    ["signed with RSASSA-PSS", "pss", {}, { protocol: "pace" }],
  ])("opens %s", async (_name, profile, params, access) => {
    await lay({}, profile);
    const card = await readCard(params);
    expect(card.access).toMatchObject(access);
    expect(card).toMatchObject({
      details: { idNumber: A.idNumber },
      missing: [],
      unreadable: [],
      verdicts: { signature: "valid", hashes: "match", chip: "genuine" },
    });
    // Once more, with what was learnt of the card's lengths.
    expect((await readCard(params)).details?.idNumber).toBe(A.idNumber);
    await nextGoodCardReads();
  });
});

describe("a verdict of its own has", () => {
  faultRow({
    device: "reader",
    fault: "A copied chip",
    knobs: ["chip-card.cloned"],
    sees: "all data, and the verdict `failed` for the chip",
    does: "reads it, and says that it could not prove itself",
    back: "–",
    case: ["a cloned chip"],
  });
  faultRow({
    device: "reader",
    fault: "Data on the card was changed",
    knobs: ["chip-card.wrongHash"],
    sees: "all data, and the verdict `mismatch` with the names of the files",
    does: "compares each file with what was signed",
    back: "–",
    case: ["a changed DG1"],
  });
  faultRow({
    device: "reader",
    fault: "Signature does not fit",
    knobs: ["chip-card.brokenSignature"],
    sees: "all data, and the verdict `invalid`",
    does: "takes nothing as proved",
    back: "–",
    case: ["a broken signature"],
  });
  faultRow({
    device: "reader",
    fault: "Signed by somebody unknown, an impostor, or a signer that was revoked or has expired",
    knobs: ["chip-card.signer"],
    sees: "all data, and the verdict `unknown`, `untrusted` or `yes`",
    does: "believes the authorities of its trust folder only",
    back: "–",
    case: ["an impostor of the issuer"],
  });
  faultRow({
    device: "reader",
    fault: "Card offers weaker access than was signed",
    knobs: ["chip-card.paceNotInDg14"],
    sees: "the verdict `downgraded`",
    does: "compares what the card offers with what was signed",
    back: "–",
    case: ["a downgraded EF.CardAccess"],
  });
  test.each<[string, Record<string, unknown>, Partial<CardVerdicts>]>([
    ["a cloned chip", { cloned: true }, { chip: "failed" }],
    ["a changed DG1", { wrongHash: "dg1" }, { hashes: "mismatch", mismatched: ["dg1"] }],
    ["a changed DG2", { wrongHash: "dg2" }, { hashes: "mismatch", mismatched: ["dg2"] }],
    ["a changed DG13", { wrongHash: "dg13" }, { hashes: "mismatch", mismatched: ["dg13"] }],
    ["a changed DG14", { wrongHash: "dg14" }, { hashes: "mismatch", mismatched: ["dg14"], cardAccess: "not_checked", chip: "failed" }],
    ["a broken signature", { brokenSignature: true }, { signature: "invalid", cardAccess: "not_checked", chip: "unproven" }],
    ["a foreign signer", { signer: "foreign" }, { issuer: "unknown", revoked: "unknown", certificateExpired: "unknown", chip: "unproven" }],
    [
      "an impostor of the issuer",
      { signer: "impostor" },
      { issuer: "untrusted", revoked: "unknown", certificateExpired: "unknown", chip: "unproven" },
    ],
    ["a revoked signer", { signer: "revoked" }, { revoked: "yes", chip: "unproven" }],
    ["an expired signer", { signer: "expired" }, { certificateExpired: "yes" }],
    ["a downgraded EF.CardAccess", { paceNotInDg14: true }, { cardAccess: "downgraded" }],
    ["a chip without chip authentication", { chipAuthentication: "none" }, { chip: "not_supported" }],
  ])("%s", async (_name, knobs, verdicts) => {
    await lay(knobs);
    expect((await readCard()).verdicts).toEqual({ ...GOOD, ...verdicts });
    await nextGoodCardReads();
  });

  test.each(["citizen", "pace-only", "citizen-2024"])("active authentication of a %s card, with RSA or ECDSA", async (profile) => {
    await lay({}, profile);
    const { verdicts, apdus } = await readCard({ challenge: "a1b2c3d4e5f60718" });
    expect({ apdus, verdict: verdicts.activeAuthentication }).toEqual({ apdus: 16, verdict: "genuine" });
  });

  test("a clone asked for active authentication, and a chip that cannot", async () => {
    await lay({ cloned: true });
    expect((await readCard({ challenge: "0011223344556677" })).verdicts.activeAuthentication).toBe("failed");
    await lay({ cloned: false }, "plain");
    expect((await readCard({ challenge: "0011223344556677" })).verdicts.activeAuthentication).toBe("not_supported");
    await lay({}, "short-only");
    expect((await readCard({ challenge: "0011223344556677" })).verdicts.activeAuthentication).toBe("not_possible");
  });

  faultRow({
    device: "reader",
    fault: "The scanned code is another card's, with the same access number",
    sees: "all data, and the verdict `different`",
    does: "compares code and chip",
    back: "–",
  });
  test("the wrong QR code of a card that shares the CAN", async () => {
    await lay({});
    expect((await readCard({ access: { idNumber: `079190${A.can}` } })).verdicts.qr).toBe("different");
  });
});

describe("a failure names itself", () => {
  faultRow({
    device: "reader",
    fault: "Wrong number, or the code of another card",
    knobs: ["chip-card.wrongKeyStatus"],
    sees: "`access_denied`",
    does: "tries a key once only, so that no card is locked",
    back: "the right card or number",
    case: ["a wrong CAN"],
  });
  faultRow({
    device: "reader",
    fault: "Card refuses PACE, and only its number is known",
    knobs: ["chip-card.refusePace"],
    sees: "`mrz_required`",
    does: "asks for the document number and the two dates",
    back: "they are typed",
    case: ["PACE refused, and only a CAN known"],
  });
  faultRow({
    device: "reader",
    fault: "A tag or another card without an ID chip",
    knobs: ["chip-card.uidOnly"],
    sees: "`card_unsupported`",
    does: "says that this is no chip ID card",
    back: "the right card",
    case: ["a tag that has only a number"],
  });
  faultRow({
    device: "reader",
    fault: "Chip is mute: dirt, or a broken antenna",
    knobs: ["chip-card.mute"],
    sees: "`timeout` or `card_error`",
    does: "gives it up in the time that the page allows",
    back: "the next card",
    case: ["a mute card"],
  });
  faultRow({
    device: "reader",
    fault: "Chip loses its session in mid-read",
    knobs: ["chip-card.slipAtCommand"],
    sees: "`card_error`",
    does: "ends the read: what is not sealed is not believed",
    back: "the next read",
    case: ["a counter that slips"],
  });
  test.each<[string, string, Record<string, unknown>, Partial<ParamsInput<"chipReader.readCard">>, string]>([
    ["a wrong CAN", "citizen", {}, { access: { can: "999999" } }, "access_denied"],
    ["a wrong CAN, with tries left", "citizen", { wrongKeyStatus: "63c2" }, { access: { can: "999999" } }, "access_denied"],
    ["a wrong MRZ", "bac-only", {}, { access: { mrz: { ...A.mrz, expiryDate: "310101" } } }, "access_denied"],
    ["a CAN for a card with BAC only", "bac-only", {}, {}, "mrz_required"],
    ["BAC with a CAN", "citizen", {}, { protocol: "bac" }, "mrz_required"],
    ["PACE refused, and only a CAN known", "citizen", { refusePace: true }, {}, "mrz_required"],
    ["a tag without files", "tag", {}, {}, "card_unsupported"],
    ["a tag that has only a number", "citizen", { uidOnly: true }, {}, "card_unsupported"],
    ["a mute card", "citizen", { mute: true }, { timeoutMs: 700 }, "timeout|card_error"],
    ["a counter that slips", "citizen", { slipAtCommand: 4 }, {}, "card_error"],
  ])("%s", async (_name, profile, knobs, params, kinds) => {
    await lay(knobs, profile);
    const failed = await readCard(params).then(
      () => undefined,
      (error: { kind: string; hint: string; message: string }) => error,
    );
    expect(kinds.split("|")).toContain(failed?.kind);
    expect(failed?.hint).not.toBe("");
    expect(JSON.stringify(failed)).not.toContain("999999");
    await nextGoodCardReads();
  });

  test("a wrong CAN is tried once", async () => {
    await lay({});
    await readCard({ access: { can: "999999" } }).catch(() => {});
    // EF.CardAccess, MSE:Set AT and four steps of PACE.
    expect((await act("card", {})).state).toBeDefined();
    await lay({});
    await readCard({ access: { can: "999998" } }).catch(() => {});
    const { simulators } = await (await station.connect("simulator")).call("simulators.list", {});
    expect(simulators.find(({ simulator }) => simulator === "id-reader")?.state.apdus).toBe(6);
  });

  test("PACE refused, and the MRZ known: BAC", async () => {
    await lay({ refusePace: true });
    expect((await readCard({ access: { mrz: A.mrz } })).access.protocol).toBe("bac");
  });

  test("a text that is no card's code is refused before anybody waits for a card, and not repeated", async () => {
    const refused = await readCard({ access: { qr: "KHONG-PHAI-THE-CCCD" } }).catch((error: Error) => error);
    expect(refused).toMatchObject({ kind: "invalid_params" });
    expect(JSON.stringify(refused) + String(refused)).not.toContain("KHONG");
  });

  const files = ["sod", "dg1", "dg2", "dg13", "dg14", "cardAccess"];
  const damages = ["truncated", "lyingLength", "hugeLength", "indefinite", "garbage", "empty"];
  faultRow({
    device: "reader",
    fault: "A file on the chip is damaged or lies about its length",
    knobs: ["chip-card.malformed"],
    sees: "`card_error`, `card_unsupported` or `access_denied`, or a verdict that is not good",
    does: "reads within bounds, and never calls it sound",
    back: "the next card",
  });
  test.each(files.flatMap((file) => damages.map((how) => [file, how] as const)))(
    "%s is %s: a named error, or a verdict that is not good",
    async (file, how) => {
      await lay({ malformed: { file, how } });
      const outcome = await readCard().then(
        (card) => ({ verdicts: card.verdicts, unreadable: card.unreadable, missing: card.missing }),
        (error: { kind: string }) => error.kind,
      );
      if (typeof outcome === "string") expect(["card_error", "card_unsupported", "mrz_required", "access_denied"]).toContain(outcome);
      else expect(outcome).not.toEqual({ verdicts: GOOD, unreadable: [], missing: [] });
      await nextGoodCardReads();
    },
  );

  faultRow({
    device: "reader",
    fault: "The portrait is damaged, or a picture that would fill the memory",
    knobs: ["chip-card.imageDamage"],
    sees: "all else; `unreadable` names the portrait",
    does: "decodes it in a child, after its header was believed to be small",
    back: "–",
  });
  test.each(["truncated", "garbage", "huge"])("a portrait that is %s leaves the rest readable", async (imageDamage) => {
    await lay({ imageDamage });
    const card = await readCard();
    expect(card).toMatchObject({ unreadable: ["dg2"], details: { name: A.name }, verdicts: { hashes: "match", chip: "genuine" } });
    expect(card.portrait).toBeUndefined();
  });

  test("a portrait of 100 kB, beyond what READ BINARY B0 reaches, with extended and with short length", async () => {
    await lay({ imageBytes: 100_000 });
    const { apdus, verdicts } = await readCard();
    expect({ apdus: apdus < 20, hashes: verdicts.hashes }).toEqual({ apdus: true, hashes: "match" });
    await lay({ imageBytes: 100_000 }, "short-only");
    expect((await readCard()).verdicts.hashes).toBe("match");
  });
});

describe("a card that is lifted", () => {
  faultRow({
    device: "reader",
    fault: "Card lifted in mid-read, at any command",
    knobs: ["chip-card.liftAtApdu"],
    sees: "`card_removed`",
    does: "ends the read; nothing of that card is left for the next one",
    back: "at once",
    also: "npm run torture:chip",
  });
  test("at any APDU is card_removed, and the next card reads cleanly", async () => {
    for (let n = 1; n <= 14; n++) {
      await act("liftAtApdu", { n });
      await act("insert", { person: "A" });
      await expect(readCard()).rejects.toMatchObject({ kind: "card_removed" });
    }
    await nextGoodCardReads();
  });

  faultRow({
    device: "reader",
    fault: "Card lifted while the chip still thinks",
    knobs: ["chip-card.lift", "chip-card.delayMs"],
    sees: "`card_removed`",
    does: "does not wait for the answer",
    back: "at once",
  });
  test("while the chip still thinks is card_removed at once, whatever it would have answered", async () => {
    await lay({ delayMs: 600_000 });
    const lift = (stage: string): unknown => stage === "access" && act("lift");
    const reading = page.call(
      "chipReader.readCard",
      { access: { can: A.can }, timeoutMs: 60_000 },
      { onProgress: ({ stage }) => void lift(stage) },
    );
    await expect(reading).rejects.toMatchObject({ kind: "card_removed" });
    await nextGoodCardReads();
  });

  faultRow({
    device: "reader",
    fault: "Card swapped for another in mid-read",
    knobs: ["chip-card.swap"],
    sees: "`card_removed` or `access_denied`, or the first card whole",
    does: "never mixes two cards",
    back: "at once",
  });
  test("and swapped for another is never read as a mixture", async () => {
    await act("insert", { person: "A" });
    for (let n = 2; n <= 14; n += 3) {
      await act("insert", { person: "A" });
      const reading = readCard({ access: { can: A.can } }).then(
        (card) => card.details?.idNumber,
        (error: { kind: string }) => error.kind,
      );
      await act("swap", { person: "B" });
      expect([A.idNumber, "card_removed", "access_denied"]).toContain(await reading);
    }
    await nextGoodCardReads();
  });

  faultRow({
    device: "reader",
    fault: "Nobody lays a card there, or the citizen leaves",
    sees: "`timeout` or `canceled`",
    does: "stops waiting; the reader is free for who comes next",
    back: "at once",
  });
  test("leaves nothing waiting: deadline, cancel and the citizen's farewell end the wait", async () => {
    await expect(readCard({ timeoutMs: 50 })).rejects.toMatchObject({ kind: "timeout" });
    const asking = new AbortController();
    const canceled = page.call(
      "chipReader.readCard",
      { access: { can: A.can } },
      { signal: asking.signal, onProgress: () => asking.abort() },
    );
    await expect(canceled).rejects.toMatchObject({ kind: "canceled" });
    const left = page.call(
      "chipReader.readCard",
      { access: { can: A.can } },
      { onProgress: () => void page.call("session.endCitizen", {}) },
    );
    await expect(left).rejects.toMatchObject({ kind: "canceled" });
    await nextGoodCardReads();
  });
});

describe("presence", () => {
  test("is told to whoever asks and to every page, without saying whose card it is", async () => {
    const told: unknown[] = [];
    await page.subscribe(["chipReader"], (update) => void told.push(update.kind === "event" ? update.data : update.state));
    const waiting = page.call("chipReader.waitForCard", {});
    await act("insert", { person: "A" });
    expect(await waiting).toEqual({ device: "id-reader", present: true, simulated: true });
    expect((await page.call("session.endCitizen", {})).leftBehind).toEqual([{ device: "id-reader", what: "card" }]);
    const removal = page.call("chipReader.waitForRemoval", {});
    await act("lift");
    expect(await removal).toMatchObject({ present: false });
    expect(told).toEqual([
      [{ device: "id-reader", present: false, simulated: true }],
      { device: "id-reader", present: true, simulated: true },
      { device: "id-reader", present: false, simulated: true },
    ]);
  });

  faultRow({
    device: "reader",
    fault: "Reader unplugged while a page waits for a card",
    sees: "`device_absent`",
    does: "ends the wait, and looks for the reader",
    bounds: ["tryAgain"],
    measured: ["lab: reader, pulled idle"],
  });
  test("waits end when the reader is unplugged", async () => {
    const waiting = page.call("chipReader.waitForCard", {}, { onProgress: () => void unplug() });
    const unplug = async (): Promise<void> => {
      const technician = await station.connect("technician");
      await technician.call("devices.reset", { device: "id-reader" });
    };
    await expect(waiting).rejects.toMatchObject({ kind: "device_absent" });
  });
});

describe("numbers and raw APDUs", () => {
  test("a tag's UID, and that of an ID card, which is random", async () => {
    await lay({}, "tag");
    const tag = await page.call("chipReader.readUid", {});
    expect(tag).toMatchObject({ random: false });
    await lay({});
    expect(await page.call("chipReader.readUid", {})).toMatchObject({ random: true });
  });

  test("APDUs are a technician's, in maintenance mode only; so is the trace", async () => {
    const technician = await station.connect("technician");
    await act("insert", { person: "A" });
    const apdus = ["00a4040c07a0000002471001", "00b0000001"];
    await expect(technician.call("chipReader.transmit", { apdus })).rejects.toMatchObject({ kind: "maintenance" });
    await technician.call("agent.maintenance", { on: true });
    expect((await technician.call("chipReader.transmit", { apdus })).responses).toEqual(["9000", expect.stringMatching(/^69/)]);
    await expect(page.call("chipReader.transmit", { apdus })).rejects.toMatchObject({ kind: "forbidden" });
    await technician.call("agent.maintenance", { on: false });
    await expect(readCard({ trace: true })).rejects.toMatchObject({ kind: "forbidden" });
    const { trace } = await technician.call("chipReader.readCard", { access: { can: A.can }, trace: true });
    expect(trace).toHaveLength(14);
    expect(trace?.[0]).toMatchObject({ header: "00b09c00", status: "6282" });
  });

  faultRow({
    device: "reader",
    fault: "Chip is slow",
    knobs: ["chip-card.delayMs"],
    sees: "`timeout` once the page's time is over",
    does: "waits as long as the page allows",
    back: "the next read",
  });
  test("a slow chip is waited for as long as the page allows", async () => {
    await lay({ delayMs: 400 });
    await expect(readCard({ timeoutMs: 300 })).rejects.toMatchObject({ kind: "timeout" });
    await lay({ delayMs: 5, kbps: 848, latencyMs: 1 });
    expect((await readCard()).verdicts).toEqual(GOOD);
  });
});

test("one card at a time per reader: a second request waits for its turn", async () => {
  const other = await station.connect();
  const order: string[] = [];
  const first = readCard().then(() => order.push("first"));
  await page.call("devices.get", { device: "id-reader" });
  const second = other.call("chipReader.readCard", { access: { can: A.can } }).then(() => order.push("second"));
  await systemClock().sleep(1);
  await act("insert", { person: "A" });
  await Promise.all([first, second]);
  expect(order).toEqual(["first", "second"]);
});
