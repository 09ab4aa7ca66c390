import { drawsOf } from "../torture/misfortunes.js";

/** What people come for, and how often each. */
const JOURNEYS = { identify: 3, scan: 3, "pay by card": 3, "pay by QR": 2, documents: 2, photo: 2, browse: 2 } as const;
export type JourneyKind = keyof typeof JOURNEYS;
export const JOURNEY_KINDS = Object.keys(JOURNEYS) as JourneyKind[];

/** What becomes of the page meanwhile. */
const TWISTS = { none: 6, reconnect: 1, abandon: 1, cancel: 1 } as const;
export type Twist = keyof typeof TWISTS;

export interface JourneyPlan {
  readonly kind: JourneyKind;
  readonly twist: Twist;
  /** From the journey's beginning. */
  readonly twistAfterMs: number;
  /** Before it begins. */
  readonly thinkMs: number;
  /** From 0 to 1: whatever else is left to chance, in a fixed order. */
  readonly dice: readonly number[];
}

export interface FaultPlan {
  readonly name: string;
  /** Of peace before it. */
  readonly pauseMs: number;
  /** Until a person mends it. */
  readonly holdMs: number;
}

const DICE = 8;
const MINUTE_MS = 60_000;

const weighed = <T extends string>(weights: Readonly<Record<T, number>>): readonly T[] =>
  (Object.entries(weights) as [T, number][]).flatMap(([name, times]) => Array.from({ length: times }, () => name));
const ALL_JOURNEYS = weighed<JourneyKind>(JOURNEYS);
const ALL_TWISTS = weighed<Twist>(TWISTS);

/** Numbers of lanes that do not meet: of a session, of a device. */
const lane = (name: string): number => [...name].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7);

/** The `number`th journey of a session: the same for the same seed, whatever happened before. */
export function journeyOf(seed: number, session: number, number: number): JourneyPlan {
  const draw = drawsOf(seed ^ lane(`session ${session}`), number);
  const [kind, twist] = [draw.one(ALL_JOURNEYS), draw.one(ALL_TWISTS)];
  return {
    kind,
    twist,
    // Most journeys are short.
    twistAfterMs: 10 + Math.round(2_000 * (draw.int(1_000) / 1_000) ** 3),
    thinkMs: 50 + draw.int(900),
    dice: Array.from({ length: DICE }, () => draw.int(1_000_000) / 1_000_000),
  };
}

/** The `number`th fault of a device. */
export function faultOf(seed: number, device: string, names: readonly string[], number: number): FaultPlan {
  const draw = drawsOf(seed ^ lane(`device ${device}`), number);
  return { name: draw.one(names), pauseMs: 2_000 + draw.int(13_000), holdMs: 100 + draw.int(2_900) };
}

/**
 * When the agent is killed, in milliseconds from the beginning: in the first third, so that what follows is one long life to measure.
 */
export function killsOf(seed: number, totalMs: number): readonly number[] {
  const draw = drawsOf(seed ^ lane("kills"), 0);
  const third = totalMs / 3;
  const kills = Math.max(1, Math.round(third / (4 * MINUTE_MS)));
  const part = third / kills;
  return Array.from({ length: kills }, (_, kill) => Math.round(kill * part + (0.4 + draw.int(500) / 1_000) * part));
}
