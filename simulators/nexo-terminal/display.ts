import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Clock } from "../../src/kernel/clock.js";

/** A cashier's display that does not answer is waited for so long (Adyen: 10 s). */
const PATIENCE_MS = 10_000;
/** More wait for nobody. */
const MOST_WAITING = 12_000;

export interface Post {
  /** One after the other; what does not arrive is lost. */
  send(body: string): void;
}

/** Carries display notifications to the sale system, over connections of the terminal's own. */
export function createPost(url: string, clock: Clock, life: AbortSignal): Post {
  let tail = Promise.resolve();
  let waiting = 0;
  const deliver = (body: string): Promise<void> =>
    new Promise((resolve) => {
      if (life.aborted) return resolve();
      const enough = new AbortController();
      const timer = clock.timer(PATIENCE_MS, () => enough.abort());
      const over = (): void => {
        timer[Symbol.dispose]();
        resolve();
      };
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const signal = AbortSignal.any([life, enough.signal]);
      const sending = (url.startsWith("https:") ? requestHttps : requestHttp)(
        url,
        { method: "POST", agent: false, headers, signal },
        (answer) => {
          answer.resume().on("close", over).on("error", over);
        },
      );
      sending.on("error", over);
      sending.end(body);
    });
  return {
    send(body) {
      if (waiting >= MOST_WAITING) return;
      waiting += 1;
      tail = tail
        .then(() => deliver(body))
        .then(() => {
          waiting -= 1;
        });
    },
  };
}
