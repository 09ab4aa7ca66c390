import type { Clock } from "../src/kernel/clock.js";

/** What the person at the terminal does once the card is there. `Code`: what the host declines with. */
export type Word<Code> =
  | { readonly kind: "approve" }
  | { readonly kind: "decline"; readonly code: Code }
  | { readonly kind: "wrong-pin" }
  | { readonly kind: "cancel" };

export interface Habits {
  /** auto: they do everything by themselves, each thing after its time. */
  readonly cardholder: "auto" | "manual";
  readonly presentMs: number;
  readonly removeMs: number;
}

/** The person in front of a payment terminal, with cards of these names. */
export interface Cardholder<Card extends string, Code> {
  readonly cardInside: boolean;
  present(card: Card): void;
  say(word: Word<Code>): void;
  remove(): void;
  /** They take longer, by so much at each thing they do from now on. */
  slow(ms: number): void;
  /** A card, or undefined when they cancel. Rejects when the signal aborts. */
  card(signal: AbortSignal): Promise<Card | undefined>;
  word(signal: AbortSignal): Promise<Word<Code>>;
  removed(signal: AbortSignal): Promise<void>;
  /** The sale is over: what they had in mind for it is forgotten. */
  over(): void;
}

/** `usual`: the card that they present by themselves. */
export function createCardholder<Card extends string, Code>(habits: Habits, usual: Card, clock: Clock): Cardholder<Card, Code> {
  const auto = habits.cardholder === "auto";
  let inside: Card | undefined;
  let words: Word<Code>[] = [];
  let slowMs = 0;
  let wake = (): void => {};
  let happened = new Promise<void>(() => {});
  const renew = (): void => {
    happened = new Promise((resolve) => {
      wake = resolve;
    });
  };
  renew();
  const tell = (): void => {
    const before = wake;
    renew();
    before();
  };

  /** Until `found` finds something, or they do it by themselves after `ms`. */
  const until = async <T>(found: () => T | undefined, byThemselves: () => void, ms: number, signal: AbortSignal): Promise<T> => {
    using timer = auto ? clock.timer(ms + slowMs, byThemselves) : undefined;
    void timer;
    let stop = (): void => {};
    const stopped = new Promise<void>((resolve) => {
      stop = resolve;
    });
    signal.addEventListener("abort", stop, { once: true });
    try {
      for (;;) {
        signal.throwIfAborted();
        const result = found();
        if (result !== undefined) return result;
        await Promise.race([happened, stopped]);
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  };

  const holder: Cardholder<Card, Code> = {
    get cardInside() {
      return inside !== undefined;
    },
    present(card) {
      inside = card;
      tell();
    },
    say(word) {
      words.push(word);
      tell();
    },
    remove() {
      inside = undefined;
      tell();
    },
    slow(ms) {
      slowMs = ms;
    },
    async card(signal) {
      const cancelled = (): boolean => words[0]?.kind === "cancel";
      const found = await until(
        () => (cancelled() ? { card: undefined } : inside ? { card: inside } : undefined),
        () => holder.present(usual),
        habits.presentMs,
        signal,
      );
      return found.card;
    },
    word: (signal) =>
      until(
        () => words.shift(),
        () => holder.say({ kind: "approve" }),
        0,
        signal,
      ),
    async removed(signal) {
      await until(() => inside === undefined || undefined, holder.remove, habits.removeMs, signal);
    },
    over() {
      words = [];
      // However it ended, nobody leaves without their card.
      if (auto) inside = undefined;
      tell();
    },
  };
  return holder;
}
