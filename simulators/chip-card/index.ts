import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeviceError } from "../../src/kernel/errors.js";
import { type Random, seededRandom } from "../../src/kernel/random.js";
import { z } from "../../src/kernel/schema.js";
import { defineAction, defineSimulator, type Simulator, type SimulatorContext } from "../simulator.js";
import { createWire } from "../wire.js";
import { type CardContent, createChip } from "./chip.js";
import { createIssuer, type Issuer } from "./issuer.js";
import { mrzFields } from "./mrz.js";
import { ChipCardOptions, knobsOf, PersonChoice, Profile, SomeKnobs } from "./options.js";
import { PEOPLE, type Person, qrText } from "./people.js";
import { behaviourOf, personalise } from "./personalise.js";
import { qrPicture } from "./qr-picture.js";
import { answerToReset, exchange, type LaidCard, randomUid } from "./slot.js";
import { createFrames, frame, VPCD_ORDERS } from "./vpcd.js";

export interface ChipCard extends Simulator {
  /** The invented authority's certificate and revocation list (DER), for a trust folder. */
  issuer(): { readonly csca: Uint8Array; readonly crl: Uint8Array };
  trustFiles(): ReadonlyMap<string, Uint8Array>;
  onPresence(listener: (present: boolean) => void): () => void;
  /** The text of the QR code on the card that lies there, or would be laid there next. */
  qr(): string;
  /** What opens that card. */
  holder(): {
    /** 12 digits; the last six are the CAN. */
    readonly idNumber: string;
    readonly mrzKey: { readonly documentNumber: string; readonly birthDate: string; readonly expiryDate: string };
  };
}

const none = z.strictObject({});

const seedFrom = (random: Random): number => random.bytes(4).reduce((seed, byte) => seed * 256 + byte, 0);

function create(options: ChipCardOptions, { clock, random, changed: tellChange }: SimulatorContext): ChipCard {
  const people = options.people ?? PEOPLE;
  const configured = SomeKnobs.strip().parse(options);
  // Who made the simulator cannot look at it before it is made.
  let made = false;
  const changed = (): void => {
    if (made) tellChange();
  };
  let card: LaidCard | undefined;
  let knobs: SomeKnobs = configured;
  let person = options.person;
  let profile: Profile = options.profile;
  /** The reader has not seen yet that the card was taken off: a card laid there meanwhile is another insertion. */
  let liftUnseen = false;
  let liftIn: number | undefined;
  let frames = createFrames();
  let authority: Issuer | undefined;
  const listeners = new Set<(present: boolean) => void>();
  /** A card that is laid there again is the same one, keys included. */
  const written = new Map<string, Promise<CardContent>>();
  const keySource = seededRandom(seedFrom(random));
  const issuerOf = (): Issuer => {
    authority ??= createIssuer(options.cscaSignature, clock.now());
    return authority;
  };

  // What a wire waits for is one answer after the other, as a reader does.
  const wire = createWire(async (bytes, signal) => {
    for (const content of frames(bytes)) {
      const reply = await answer(content);
      if (signal.aborted) return;
      if (reply) wire.send(frame(reply));
    }
  });

  const nothing = new Uint8Array();
  /** Undefined for what is not answered. An empty answer says: no card here (any more). */
  const answer = async (content: Uint8Array): Promise<Uint8Array | undefined> => {
    const order = content.length === 1 ? content[0] : undefined;
    if (content.length === 0) return undefined;
    if (order !== undefined && order !== VPCD_ORDERS.getAtr) {
      if (card) await activate(card);
      return undefined;
    }
    const laid = card;
    if (liftUnseen || !laid) {
      liftUnseen = false;
      return nothing;
    }
    if (order === VPCD_ORDERS.getAtr) return answerToReset(laid.profile);
    laid.apdus += 1;
    if (liftIn !== undefined) liftIn -= 1;
    if (liftIn === 0) lift();
    const before = await accessOf(laid);
    const reply = await exchange(laid, content, clock);
    // Told at milestones only: a whole picture of the state goes out each time.
    if ((await accessOf(laid)) !== before) changed();
    // Taken off in the midst of an APDU: the wire stays, this answer is empty.
    if (!reply) liftUnseen = false;
    return reply ?? nothing;
  };

  let shown = { access: "none", chipAuthenticated: false };
  const accessOf = async ({ chip }: LaidCard): Promise<string> => {
    const { access, chipAuthenticated } = await chip;
    shown = { access, chipAuthenticated };
    return `${access} ${chipAuthenticated}`;
  };
  const tellPresence = (): void => {
    for (const listener of listeners) listener(card !== undefined);
    changed();
  };

  const activate = async (laid: LaidCard): Promise<void> => {
    (await laid.chip).restart();
    laid.activate();
  };

  const lift = (): void => {
    if (!card) return;
    card.lift();
    card = undefined;
    liftIn = undefined;
    liftUnseen = true;
    tellPresence();
  };

  const indexOf = (choice: z.output<typeof PersonChoice>): number =>
    typeof choice === "number" ? choice : choice.toUpperCase().charCodeAt(0) - "A".charCodeAt(0);
  const personOf = (choice: z.output<typeof PersonChoice>): Person => {
    const found = people[indexOf(choice)];
    if (!found) throw new DeviceError("invalid_params", { message: `there are ${people.length} cards`, hint: "Name one of A, B, C …" });
    return found;
  };

  const holding = (): Person => card?.person ?? personOf(person);

  const lay = (): LaidCard => {
    const owner = personOf(person);
    lift();
    const all = knobsOf(profile, knobs);
    const name = JSON.stringify([indexOf(person), Object.entries(all).sort()]);
    const content =
      written.get(name) ?? personalise({ person: owner, knobs: all, issuer: issuerOf(), random: keySource, nowMs: clock.now() });
    written.set(name, content);
    const taken = new AbortController();
    // From one draw, so that a card does the same each time when the source is turned back.
    const seed = seedFrom(random);
    const uids = seededRandom(seed + 1);
    const laid: LaidCard = {
      label: `card ${String.fromCharCode("A".charCodeAt(0) + indexOf(person))}`,
      person: owner,
      profile,
      knobs: all,
      chip: content.then((files) => createChip(files, behaviourOf(all), seededRandom(seed))),
      lifted: taken.signal,
      lift: () => taken.abort(),
      apdus: 0,
      uid: randomUid(uids),
      activate: () => {
        laid.uid = randomUid(uids);
      },
    };
    // Whoever waits for it hears of a failure; nobody need wait.
    laid.chip.catch(() => {});
    card = laid;
    shown = { access: "none", chipAuthenticated: false };
    tellPresence();
    return laid;
  };

  const insertion = z.strictObject({ person: PersonChoice.optional(), profile: Profile.optional() });
  const insert = async (chosen: z.output<typeof insertion>): Promise<undefined> => {
    const wanted = chosen.person ?? person;
    personOf(wanted);
    person = wanted;
    profile = chosen.profile ?? profile;
    await lay().chip;
    return undefined;
  };

  const actions = {
    insert: defineAction({ summary: "Lays a card on the reader, instead of the one that lies there", params: insertion, act: insert }),
    lift: defineAction({
      summary: "Takes the card off; an APDU that is under way gets an empty answer",
      params: none,
      async act() {
        lift();
        return undefined;
      },
    }),
    swap: defineAction({
      summary: "Takes the card off and lays another one there before anybody looks",
      params: z.strictObject({ person: PersonChoice, profile: Profile.optional() }),
      act: insert,
    }),
    liftAtApdu: defineAction({
      summary: "Takes the card off when the n-th APDU from now comes",
      params: z.strictObject({ n: z.int().min(1).max(1_000_000) }),
      async act({ n }) {
        liftIn = n;
        return undefined;
      },
    }),
    card: defineAction({
      summary: "Changes properties and faults of the cards; one that lies there is taken off and laid there again",
      params: SomeKnobs,
      async act(told) {
        knobs = { ...knobs, ...told };
        if (card) await lay().chip;
        return undefined;
      },
    }),
    qr: defineAction({
      summary: "A picture of the QR code on the card",
      params: none,
      async act() {
        return { png: await qrPicture(simulator.qr()) };
      },
    }),
    reset: defineAction({
      summary: "As new",
      params: none,
      async act() {
        simulator.reset();
        return undefined;
      },
    }),
  };

  const simulator: ChipCard = {
    kind: "chip-card",
    actions,
    issuer() {
      const { csca, crl } = issuerOf();
      return { csca, crl };
    },
    trustFiles: () => new Map(Object.entries({ "csca.der": issuerOf().csca, "crl.der": issuerOf().crl })),
    onPresence(listener) {
      listeners.add(listener);
      listener(card !== undefined);
      return () => void listeners.delete(listener);
    },
    qr: () => qrText(holding(), (card?.knobs ?? knobsOf(profile, knobs)).qrFields),
    holder: () => ({ idNumber: holding().id, mrzKey: mrzFields(holding()) }),
    attach(farEnd) {
      frames = createFrames();
      liftUnseen = false;
      wire.attach(farEnd);
      changed();
    },
    detach() {
      wire.detach();
      changed();
    },
    state: () => ({
      cardPresent: card !== undefined,
      card: card?.label ?? null,
      profile: card?.profile ?? profile,
      attached: wire.attached,
      apdus: card?.apdus ?? 0,
      access: shown.access,
      chipAuthenticated: shown.chipAuthenticated,
    }),
    reset() {
      lift();
      knobs = configured;
      person = options.person;
      profile = options.profile;
      liftIn = undefined;
      shown = { access: "none", chipAuthenticated: false };
      if (options.inserted) lay();
      changed();
    },
    async close() {
      lift();
      wire.detach();
    },
  };

  if (options.issuerDir !== undefined) {
    mkdirSync(options.issuerDir, { recursive: true });
    for (const [name, bytes] of simulator.trustFiles()) writeFileSync(join(options.issuerDir, name), bytes);
  }
  if (options.inserted) lay();
  made = true;
  return simulator;
}

export const chipCard = defineSimulator({
  kind: "chip-card",
  summary: "A reader with citizens' chip cards, over the wire of vsmartcard's vpcd; its people are invented",
  options: ChipCardOptions,
  create,
});
