import type { Clock } from "../../src/kernel/clock.js";
import type { CardName, ZvtTerminalOptions } from "./options.js";

/** What the person at the terminal does once the card is there. */
export type Word =
  | { readonly kind: "approve" }
  | { readonly kind: "decline"; readonly code: number }
  | { readonly kind: "wrong-pin" }
  | { readonly kind: "cancel" };

export interface Cardholder {
  readonly cardInside: boolean;
  present(card: CardName): void;
  say(word: Word): void;
  remove(): void;
  /** They take longer, by so much at each thing they do from now on. */
  slow(ms: number): void;
  /** A card, or undefined when they cancel. Rejects when the signal aborts. */
  card(signal: AbortSignal): Promise<CardName | undefined>;
  word(signal: AbortSignal): Promise<Word>;
  removed(signal: AbortSignal): Promise<void>;
  /** The sale is over: what they had in mind for it is forgotten. */
  over(): void;
}

export function createCardholder(options: ZvtTerminalOptions, clock: Clock): Cardholder {
  const auto = options.cardholder === "auto";
  let inside: CardName | undefined;
  let words: Word[] = [];
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

  const holder: Cardholder = {
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
        () => holder.present("napas"),
        options.presentMs,
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
      await until(() => inside === undefined || undefined, holder.remove, options.removeMs, signal);
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
