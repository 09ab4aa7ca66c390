import { equalBytes, fromHex } from "../../src/kernel/bytes.js";
import type { Clock } from "../../src/kernel/clock.js";
import type { Random } from "../../src/kernel/random.js";
import { encodeAnswer, status, success } from "./apdu.js";
import type { Chip } from "./chip.js";
import { type CardKnobs, PROFILES, type Profile } from "./options.js";
import type { Person } from "./people.js";

/** A card on the reader, from its insertion to its removal. */
export interface LaidCard {
  /** `card A`: never whose it is. */
  readonly label: string;
  readonly person: Person;
  readonly profile: Profile;
  readonly knobs: CardKnobs;
  /** Takes a moment: keys are made and pictures drawn. Rejects never. */
  readonly chip: Promise<Chip>;
  readonly lifted: AbortSignal;
  lift(): void;
  apdus: number;
  uid: Uint8Array;
  /** Draws another number. */
  activate(): void;
}

/**
 * What a reader makes up for a contactless chip (PC/SC part 3 §3.1.3.2.3.1): T=0 and T=1 are told, one historical byte,
 * and a check byte over all but the first; a tag without files is named by its storage card number.
 */
export function answerToReset(profile: Profile): Uint8Array {
  const { historical } = PROFILES[profile];
  if (historical === undefined) return fromHex("3b8f8001804f0ca000000306030001000000006a");
  const body = [0x81, 0x80, 0x01, historical];
  return Uint8Array.of(
    0x3b,
    ...body,
    body.reduce((check, byte) => check ^ byte, 0),
  );
}

/** A first byte of 08 says that the number is drawn at random (ISO 14443-3 §6.5.4). */
export const randomUid = (random: Random): Uint8Array => Uint8Array.of(0x08, ...random.bytes(3));
/** A tag's number is its own. */
const TAG_UID = fromHex("04a1b2c3d4e580");

/** GET DATA of the number: the reader answers it by itself (PC/SC part 3 §3.2.2.1.3), the chip does not see it. */
const GET_UID = fromHex("ffca000000");

/**
 * What comes back for an APDU, or undefined when the card was lifted meanwhile. Time passes on the clock that was given:
 * thinking, and the bytes of both directions over the air.
 */
export async function exchange(card: LaidCard, apdu: Uint8Array, clock: Clock): Promise<Uint8Array | undefined> {
  const { knobs, lifted } = card;
  const chip = await card.chip;
  if (lifted.aborted) return undefined;
  if (knobs.mute) {
    await new Promise<void>((resolve) => lifted.addEventListener("abort", () => resolve(), { once: true }));
    return undefined;
  }
  const answer = equalBytes(apdu, GET_UID) ? encodeAnswer(success(knobs.uidOnly ? TAG_UID : card.uid)) : answerOf(chip, knobs, apdu);
  const airMs = knobs.kbps === undefined ? 0 : ((apdu.length + answer.length) * 8) / knobs.kbps;
  const waitMs = knobs.delayMs + knobs.latencyMs + airMs;
  if (waitMs > 0) await clock.sleep(waitMs, lifted).catch(() => {});
  return lifted.aborted ? undefined : answer;
}

function answerOf(chip: Chip, knobs: CardKnobs, apdu: Uint8Array): Uint8Array {
  // Class FF is the reader's own: nothing else of it is known here.
  if (apdu[0] === 0xff) return encodeAnswer(status(0x6a81));
  return knobs.uidOnly ? encodeAnswer(status(0x6d00)) : chip.transmit(apdu);
}
