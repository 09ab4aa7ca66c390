import type { Clock } from "../src/kernel/clock.js";
import type { Json } from "../src/kernel/errors.js";
import type { Link } from "../src/kernel/link.js";
import type { Random } from "../src/kernel/random.js";
import type { z } from "../src/kernel/schema.js";

/** The device's end of a wire: it sees bytes only, as a real device would. */
export type FarEnd = Pick<Link, "read" | "write" | "close" | "closed"> & {
  /** TCP only: ends the wire with RST instead of FIN. */
  reset?(): void;
};

export interface SimulatorContext {
  readonly clock: Clock;
  readonly random: Random;
  /** Something that `state()` shows has changed. */
  changed(): void;
}

export interface SimulatorAction<S extends z.ZodType = z.ZodType> {
  readonly summary: string;
  readonly params: S;
  /** May return a picture, e.g. of the paper. */
  act(params: z.output<S>): Promise<{ readonly png: Uint8Array } | undefined>;
}

/** A running simulated device: one far end attached at a time, unless told otherwise; its inner state survives unplugging. */
export interface Simulator {
  readonly kind: string;
  /** It takes several far ends at once, as what speaks HTTP does; `attach` then closes no former one. */
  readonly manyWires?: true;
  /** Those that speak TLS: PEM of the authority that signed its certificate, and the name in it. */
  readonly authority?: string;
  readonly tlsName?: string;
  /** Plugs a wire in; the former one is closed. Returns at once and serves until the far end closes. */
  attach(farEnd: FarEnd): void;
  /** Pulls the wire: the agent sees its link end. */
  detach(): void;
  // biome-ignore lint/suspicious/noExplicitAny: each action parses with its own schema before acting.
  readonly actions: Readonly<Record<string, SimulatorAction<any>>>;
  /** What a side panel shows; never the citizen's data that passed. */
  state(): Readonly<Record<string, Json>>;
  /** Cards only: what a station must trust to believe them, as files for its trust folder. */
  trustFiles?(): ReadonlyMap<string, Uint8Array>;
  /** Cards only: told at once, and at each insertion and removal, whether one lies there. Call what comes back to hear no more. */
  onPresence?(listener: (present: boolean) => void): () => void;
  /** As new. */
  reset(): void;
  close(): Promise<void>;
}

export interface SimulatorKind<S extends z.ZodType = z.ZodType, T extends Simulator = Simulator> {
  readonly kind: string;
  readonly summary: string;
  /** Knobs that are set at the start: model, buffer size, speed … */
  readonly options: S;
  create(options: z.output<S>, context: SimulatorContext): T;
}

export function defineSimulator<S extends z.ZodType, T extends Simulator>(simulator: SimulatorKind<S, T>): SimulatorKind<S, T> {
  return simulator;
}

export function defineAction<S extends z.ZodType>(action: SimulatorAction<S>): SimulatorAction<S> {
  return action;
}
