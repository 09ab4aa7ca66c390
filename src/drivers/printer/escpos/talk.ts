import type { Clock } from "../../../kernel/clock.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import type { Link } from "../../../kernel/link.js";
import { createReplySorter, type Reply } from "./replies.js";

/** A conversation over one link: one reader, writes in order, questions one at a time. */
export interface Talk {
  /** Aborts with the reason, a DeviceError, when it can no longer go on. */
  readonly signal: AbortSignal;
  /** Resolves with that reason. */
  readonly ended: Promise<DeviceError>;
  /** Resolves when the link took all; waits its turn. Rejects with the reason of the end. */
  send(bytes: Uint8Array): Promise<void>;
  /** Sends, then waits; nothing else is sent meanwhile. Undefined where no matching answer comes within `ms`. */
  ask<T>(question: Uint8Array, match: (reply: Reply) => T | undefined, ms: number): Promise<T | undefined>;
  /** The next reply that matches, from now on. Rejects with the reason of the end. Dispose to give up. */
  expect<T>(match: (reply: Reply) => T | undefined): Expected<T>;
  onReply(listener: (reply: Reply) => void): Disposable;
  /** Ends it for this reason; the first reason stays. */
  fail(reason: DeviceError): void;
  close(): Promise<void>;
}

export interface Expected<T> extends Disposable {
  readonly reply: Promise<T>;
}

/** The transport has its own buffers, but a big write hides how far it came. */
const CHUNK_BYTES = 2_048;

export function startTalk(link: Link, clock: Clock, device: string): Talk {
  const ending = new AbortController();
  const listeners = new Set<(reply: Reply) => void>();
  const sorter = createReplySorter();
  let turn: Promise<unknown> = Promise.resolve();

  const fail = (reason: DeviceError): void => {
    if (ending.signal.aborted) return;
    ending.abort(reason);
    void link.close();
  };
  const ended = new Promise<DeviceError>((resolve) => {
    ending.signal.addEventListener("abort", () => resolve(ending.signal.reason as DeviceError), { once: true });
  });

  const listen = async (): Promise<void> => {
    for (;;) {
      const bytes = await link.read(ending.signal);
      for (const reply of sorter.push(bytes)) {
        for (const listener of [...listeners]) listener(reply);
      }
    }
  };
  listen().catch((thrown) => fail(asDeviceError(thrown, "device_fault", { device })));

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(async () => {
      ending.signal.throwIfAborted();
      return await work();
    });
    turn = result.catch(() => {});
    return result;
  };

  const write = async (bytes: Uint8Array): Promise<void> => {
    try {
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) await link.write(bytes.subarray(at, at + CHUNK_BYTES), ending.signal);
    } catch (thrown) {
      fail(asDeviceError(thrown, "device_fault", { device }));
      throw ending.signal.reason;
    }
  };

  const expect = <T>(match: (reply: Reply) => T | undefined): Expected<T> => {
    let stop = (): void => {};
    const reply = new Promise<T>((resolve, reject) => {
      const onReply = (heard: Reply): void => {
        const matched = match(heard);
        if (matched === undefined) return;
        stop();
        resolve(matched);
      };
      const onEnd = (): void => reject(ending.signal.reason as DeviceError);
      stop = () => {
        listeners.delete(onReply);
        ending.signal.removeEventListener("abort", onEnd);
      };
      if (ending.signal.aborted) return onEnd();
      listeners.add(onReply);
      ending.signal.addEventListener("abort", onEnd, { once: true });
    });
    reply.catch(() => {}); // whoever waits sees it; one that was given up has nobody
    return { reply, [Symbol.dispose]: () => stop() };
  };

  return {
    signal: ending.signal,
    ended,
    send: (bytes) => inTurn(() => write(bytes)),
    ask: (question, match, ms) =>
      inTurn(async () => {
        using expected = expect(match);
        await write(question);
        return await withinMs(expected.reply, clock, ms);
      }),
    expect,
    onReply(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    fail,
    async close() {
      fail(new DeviceError("device_absent", { device, message: "closed" }));
      await link.close();
    },
  };
}

/** The outcome, or undefined after `ms`. */
export async function withinMs<T>(work: Promise<T>, clock: Clock, ms: number): Promise<T | undefined> {
  let timer: Disposable | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = clock.timer(ms, () => resolve(undefined));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer?.[Symbol.dispose]();
  }
}
