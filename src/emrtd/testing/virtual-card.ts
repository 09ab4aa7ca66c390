import { type CardContent, createChip } from "../../../simulators/chip-card/chip.js";
import { createIssuer } from "../../../simulators/chip-card/issuer.js";
import { mrzFields } from "../../../simulators/chip-card/mrz.js";
import { knobsOf, type Profile, type SomeKnobs } from "../../../simulators/chip-card/options.js";
import { canOf, PEOPLE } from "../../../simulators/chip-card/people.js";
import { behaviourOf, personalise } from "../../../simulators/chip-card/personalise.js";
import { toHex } from "../../kernel/bytes.js";
import type { Transceiver } from "../../kernel/card.js";
import { seededRandom } from "../../kernel/random.js";
import { readChip } from "../read-chip.js";
import type { AccessKey, ChipContents, ChipRequest } from "../types.js";
import { canKey, lengthMemory, mrzKey } from "./scripted-card.js";

/** What a test may do to the APDUs on their way. */
export type Meddle = (apdu: Uint8Array, index: number, pass: () => Uint8Array) => Uint8Array;

export interface VirtualCard extends Transceiver {
  readonly can: AccessKey;
  readonly mrz: AccessKey;
  /** Commands so far, hexadecimal. */
  readonly commands: string[];
  readonly files: ReadonlyMap<number, Uint8Array>;
  /** What no error may show. */
  readonly secrets: readonly string[];
  meddle: Meddle | undefined;
  /** The chip's answer to another command than the one that came. */
  retry(apdu: Uint8Array): Uint8Array;
}

const NOW_MS = Date.UTC(2026, 0, 1);

/** Knobs that change how the chip behaves, and not what is written on it: writing one takes some 200 ms. */
const BEHAVIOUR_ONLY = ["refusePace", "wrongKeyStatus", "cardAccessBySfi", "selectMaster", "extendedLength", "leCap", "beyondLeCap"];
const written = new Map<string, Promise<CardContent>>();

/** The simulator's chip, without wire and reader. */
export async function virtualCard(profile: Profile = "citizen", told: SomeKnobs = {}, seed = 1): Promise<VirtualCard> {
  const [person] = PEOPLE;
  if (!person) throw new RangeError("nobody there");
  const knobs = knobsOf(profile, told);
  const random = seededRandom(seed);
  const key = JSON.stringify(Object.entries(knobs).filter(([name]) => !BEHAVIOUR_ONLY.includes(name)));
  const writing =
    written.get(key) ??
    personalise({ person, knobs, issuer: createIssuer("ecdsa-sha256", NOW_MS), random: seededRandom(3), nowMs: NOW_MS });
  written.set(key, writing);
  const content = await writing;
  const chip = createChip(content, behaviourOf(knobs), random);
  const { documentNumber, birthDate, expiryDate } = mrzFields(person);
  const commands: string[] = [];
  const card: VirtualCard = {
    can: canKey(canOf(person)),
    mrz: mrzKey(documentNumber, birthDate, expiryDate),
    commands,
    files: content.applicationFiles,
    secrets: [canOf(person), documentNumber, birthDate, expiryDate, person.name, person.id],
    meddle: undefined,
    retry: (apdu) => chip.transmit(apdu),
    async transmit(apdu) {
      commands.push(toHex(apdu));
      const pass = (): Uint8Array => chip.transmit(apdu);
      return card.meddle ? card.meddle(apdu, commands.length - 1, pass) : pass();
    },
  };
  return card;
}

export interface ReadOptions extends Partial<ChipRequest> {
  readonly lengths?: ReturnType<typeof lengthMemory>;
  readonly maxApduBytes?: number;
  readonly signal?: AbortSignal;
  readonly progress?: (stage: string, fraction?: number) => void;
  readonly seed?: number;
}

export function readVirtual(card: VirtualCard, options: ReadOptions = {}): Promise<ChipContents> {
  const { lengths = lengthMemory(), maxApduBytes, signal, progress = () => {}, seed = 7, ...request } = options;
  const random = seededRandom(seed);
  return readChip(
    card,
    { access: card.can, protocol: "auto", files: ["dg1", "dg13", "dg2"], ...request },
    {
      progress,
      atr: "3b8180018080",
      maxApduBytes,
      lengths,
      randomBytes: (length) => random.bytes(length),
      signal: signal ?? new AbortController().signal,
    },
  );
}
