import type { Photos } from "../contracts/imaging.js";
import type { LengthMemory } from "../emrtd/types.js";
import type { TrustStore } from "../emrtd/verify/trust-store.js";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Random } from "../kernel/random.js";
import type { Call } from "../protocol/call.js";
import type { CardReading } from "../protocol/chip-reader.js";
import type { Params, Result } from "../protocol/methods.js";
import type { Bay } from "./bay.js";
import { cardRequest } from "./card-request.js";
import { marked } from "./handler-context.js";

type Reader = Bay<"chipReader">;
type Presence = Result<"chipReader.waitForCard">;

/** Whether a card lies on one reader, and who waits for that to change. */
interface Watch {
  present: boolean;
  readonly waiters: Set<() => void>;
}

export interface ChipReaderServiceContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly photos: Photos;
  /** The issuers that are trusted, as they are now. */
  readonly trust: () => Promise<TrustStore>;
  publish(presence: Presence): void;
}

/** A smaller answer length that a chip once needed is forgotten after this: it may have been the reader's bad day. */
const REMEMBER_LENGTHS_MS = 24 * 3_600_000;
/** So long a reader may say that a card lies there, and that there is none. */
const REFUSED_FOR_MS = 2_000;
/** More kinds of card than these no reader meets; a hostile one could make up ATRs without end. */
const REMEMBERED_ATRS = 64;

/** Reads chip cards: one at a time per reader, nothing kept of any card. */
export class ChipReaderService {
  readonly #context: ChipReaderServiceContext;
  readonly #watches = new Map<Reader, Watch>();
  readonly #lengths = new Map<string, LengthMemory>();

  constructor(context: ChipReaderServiceContext) {
    this.#context = context;
  }

  adopt(bay: Reader): void {
    const watch: Watch = { present: false, waiters: new Set() };
    this.#watches.set(bay, watch);
    bay.onOpen((reader) => {
      reader.onPresence((present) => this.#turned(bay, watch, present));
      this.#turned(bay, watch, reader.cardPresent);
      void reader.lost.then(() => this.#turned(bay, watch, false));
    });
  }

  forget(bay: Reader): void {
    this.#watches.delete(bay);
  }

  /** Every reader, with or without a card. */
  presence(): Presence[] {
    return [...this.#watches].map(([bay, { present }]) => shown(bay, present));
  }

  /** Bypasses the queue: looking disturbs nobody. */
  async waitFor(bay: Reader, wanted: boolean, call: Call): Promise<Presence> {
    bay.claims.check(call.caller);
    return await bay.look(call.signal, async (_reader, signal) => {
      call.progress("waiting");
      await this.#until(bay, wanted, signal);
      return shown(bay, wanted);
    });
  }

  async readCard(bay: Reader, params: Params<"chipReader.readCard">, call: Call): Promise<CardReading> {
    const request = cardRequest(params);
    bay.claims.check(call.caller);
    // What reading needs is loaded by the first who reads: other stations never pay for it.
    const loading = import("./read-card.js");
    return await bay.use("chipReader.readCard", call.signal, async (reader, signal) => {
      bay.claims.check(call.caller);
      call.progress("waiting");
      const session = await this.#whenLaid(bay, signal, () => reader.connect(signal));
      const { readCard } = await loading;
      const reading = await readCard(session, request, {
        ...this.#context,
        lengths: this.#lengthsOf(bay),
        signal,
        progress: (stage, fraction) => call.progress(stage, fraction),
        blob: (mediaType, bytes) => call.blob(mediaType, bytes),
      });
      return { ...marked(bay), ...reading };
    });
  }

  async readUid(bay: Reader, call: Call): Promise<Result<"chipReader.readUid">> {
    bay.claims.check(call.caller);
    return await bay.use("chipReader.readUid", call.signal, async (reader, signal) => {
      bay.claims.check(call.caller);
      call.progress("waiting");
      const uid = await this.#whenLaid(bay, signal, () => reader.readUid(signal));
      return { ...marked(bay), uid: Buffer.from(uid).toString("hex"), random: uid.length === 4 && uid[0] === 0x08 };
    });
  }

  async transmit(bay: Reader, { apdus }: Params<"chipReader.transmit">, { caller, signal }: Call): Promise<Result<"chipReader.transmit">> {
    bay.claims.check(caller);
    return await bay.use("chipReader.transmit", signal, async (reader, given) => {
      const session = await reader.connect(given);
      try {
        const responses: string[] = [];
        for (const apdu of apdus) {
          responses.push(Buffer.from(await session.transmit(Buffer.from(apdu, "hex"), given)).toString("hex"));
        }
        return { ...marked(bay), responses };
      } finally {
        await session.close();
      }
    });
  }

  /** Waits for a card and takes it. One that is lifted before anything was learnt of it was not meant: the wait goes on. */
  async #whenLaid<T>(bay: Reader, signal: AbortSignal, take: () => Promise<T>): Promise<T> {
    const { clock } = this.#context;
    let laidAtMs = Number.NaN;
    for (;;) {
      const waited = !this.#watches.get(bay)?.present;
      await this.#until(bay, true, signal);
      if (waited || Number.isNaN(laidAtMs)) laidAtMs = clock.monotonicMs();
      try {
        return await take();
      } catch (thrown) {
        if (!(thrown instanceof DeviceError) || (thrown.kind !== "card_removed" && thrown.kind !== "card_absent")) throw thrown;
        // The reader's word that the card is gone may come a moment after the refusal. Where it never comes, the PC/SC service
        // has missed that a card was swapped, and goes on refusing until this one is lifted, too.
        if (clock.monotonicMs() - laidAtMs > REFUSED_FOR_MS) {
          throw new DeviceError("card_error", {
            message: "the reader sees a card and cannot power it",
            hint: "Lift the card, wait a moment and lay it on the reader again",
            cause: thrown,
          });
        }
        await clock.sleep(50, signal);
      }
    }
  }

  /** Rejects only with the signal's reason. */
  async #until(bay: Reader, wanted: boolean, signal: AbortSignal): Promise<void> {
    const watch = this.#watches.get(bay);
    if (!watch) throw new DeviceError("unknown_device", { device: bay.spec.id });
    while (watch.present !== wanted) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const done = (): void => {
          watch.waiters.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        watch.waiters.add(done);
        signal.addEventListener("abort", done, { once: true });
      });
    }
  }

  #turned(bay: Reader, watch: Watch, present: boolean): void {
    if (watch.present === present) return;
    watch.present = present;
    for (const wake of [...watch.waiters]) wake();
    this.#context.publish(shown(bay, present));
  }

  #lengthsOf(bay: Reader): LengthMemory {
    const known = this.#lengths.get(bay.spec.id);
    if (known) return known;
    const { clock } = this.#context;
    const learnt = new Map<string, { readonly bytes: number; readonly at: number }>();
    const memory: LengthMemory = {
      get: (atr) => {
        const entry = learnt.get(atr);
        return entry && clock.monotonicMs() - entry.at < REMEMBER_LENGTHS_MS ? entry.bytes : undefined;
      },
      set: (atr, bytes) => {
        if (learnt.size >= REMEMBERED_ATRS) learnt.clear();
        learnt.set(atr, { bytes, at: clock.monotonicMs() });
      },
    };
    this.#lengths.set(bay.spec.id, memory);
    return memory;
  }
}

function shown(bay: Reader, present: boolean): Presence {
  return { ...marked(bay), present };
}
