import type { Condition } from "../../../contracts/driver.js";
import type { Clock } from "../../../kernel/clock.js";
import { within } from "../../../kernel/deadline.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import type { HttpLink } from "../../../kernel/http.js";
import type { Logger } from "../../../kernel/log.js";
import type { Random } from "../../../kernel/random.js";
import { z } from "../../../kernel/schema.js";
import type { NexoConfig } from "./config.js";
import { type SharedKey, seal, unseal } from "./envelope.js";
import { type Category, Header, isAnswer, requestHeader } from "./messages.js";
import { readNotice } from "./notices.js";

export interface SessionContext {
  readonly device: string;
  readonly config: NexoConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly link: HttpLink;
  readonly key: SharedKey;
  report(condition: Condition): void;
}

/** One question to the terminal. */
export interface Question<T> {
  readonly category: Category;
  /** Left out: a new one. */
  readonly serviceId?: string;
  readonly body: unknown;
  readonly answer: z.ZodType<T>;
  /** Left out: that of questions. */
  readonly withinMs?: number;
}

/** One opening of a terminal. */
export interface Session extends SessionContext {
  /** Aborts with the reason, a DeviceError, when it can no longer be used. */
  readonly signal: AbortSignal;
  /** Resolves with that reason. */
  readonly ended: Promise<DeviceError>;
  /** `clock.monotonicMs()` of the newest order that left, or of the opening: an older one may have left just before. */
  orderedAtMs: number;
  /**
   * Sends and awaits the answer to this very question. @throws DeviceError of the link; `timeout`; `device_fault` where what came is not
   * the terminal's answer; the signal's reason. Unless `details.sent` is false the terminal may have acted on it.
   */
  ask<T>(question: Question<T>, signal: AbortSignal): Promise<T>;
  /** One conversation at a time, each after the one before. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Nothing is under way and nothing waits. */
  readonly idle: boolean;
  /** Hands what the terminal tells by itself about this order to `listener`, until it is called again. */
  hear(serviceId: string | undefined, listener: (event: string) => void): void;
  fail(reason: DeviceError): void;
  close(): Promise<void>;
}

const PATH = "/nexo/";
const NOTICE_TAKEN = 200;
const MOST_ANSWER_BYTES = 1024 * 1024;

/** A random one: durable by the mark `armed` before it is used, so that no counter has to be. 62^10 of them, at most 48 hours apart. */
export function newServiceId(random: Random): string {
  const characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  let id = "";
  while (id.length < 10) {
    // Of 64 values two have no character: each character is as likely as any other.
    for (const byte of random.bytes(16)) id += characters[byte & 0x3f] ?? "";
  }
  return id.slice(0, 10);
}

export function startSession(context: SessionContext): Session {
  const { device, config, clock, random, log, link, key } = context;
  const ending = new AbortController();
  const { signal } = ending;
  let turn: Promise<unknown> = Promise.resolve();
  let turns = 0;
  let told = "";
  let heard: { readonly serviceId: string | undefined; readonly listener: (event: string) => void } = {
    serviceId: undefined,
    listener() {},
  };

  // Anyone may send one. What is not sealed, or of another order, is passed over without a word.
  link.onNotice(({ body }) => {
    if (heard.serviceId === undefined || signal.aborted) return NOTICE_TAKEN;
    const notice = readNotice(readMessage(body, "SaleToPOIRequest", key), config);
    if (notice?.serviceId === heard.serviceId) notice.events.forEach(heard.listener);
    return NOTICE_TAKEN;
  });

  const fail = (reason: DeviceError): void => {
    if (signal.aborted) return;
    ending.abort(reason);
    void link.close();
  };
  const exchange = async (sealed: unknown, limit: AbortSignal): Promise<Uint8Array> => {
    const body = new TextEncoder().encode(JSON.stringify({ SaleToPOIRequest: sealed }));
    const answer = await link.send({ method: "POST", path: PATH, headers: { "content-type": "application/json" }, body }, limit);
    if (answer.status === 200) return answer.body;
    throw new DeviceError("device_fault", {
      device,
      message: `the terminal answers with HTTP status ${answer.status}`,
      hint: "Check that the terminal takes local requests, and the key's name, version and passphrase on both sides",
    });
  };

  return {
    ...context,
    signal,
    ended: new Promise((resolve) => signal.addEventListener("abort", () => resolve(signal.reason as DeviceError), { once: true })),
    orderedAtMs: clock.monotonicMs(),
    async ask({ category, serviceId = newServiceId(random), body, answer, withinMs = config.answerMs }, caller) {
      signal.throwIfAborted();
      const header = requestHeader(category, serviceId, config);
      const plain = JSON.stringify({ SaleToPOIRequest: { MessageHeader: header, [`${category}Request`]: body } });
      const begunMs = clock.monotonicMs();
      try {
        const either = AbortSignal.any([caller, signal]);
        const sealed = seal(plain, header, key, random);
        const bytes = await within(clock, withinMs, either, (limit) => exchange(sealed, limit), "the terminal does not answer");
        const message = readMessage(bytes, "SaleToPOIResponse", key);
        const parsed = z.object({ MessageHeader: Header, [`${category}Response`]: z.unknown() }).safeParse(message);
        if (!parsed.success) throw notItsAnswer(device, "what the terminal answers is not sealed with the shared key");
        if (!isAnswer(parsed.data.MessageHeader as Header, category, serviceId, config)) {
          throw notItsAnswer(device, "the terminal answers another question");
        }
        const said = answer.safeParse(parsed.data[`${category}Response`]);
        log.debug("nexo answered", { device, method: category, durationMs: Math.round(clock.monotonicMs() - begunMs) });
        if (!said.success) throw notItsAnswer(device, "the terminal's answer cannot be read");
        return said.data;
      } catch (thrown) {
        const error = asDeviceError(thrown, "internal", { device });
        log.debug("nexo unanswered", { device, method: category, kind: error.kind });
        throw error;
      }
    },
    inTurn(work) {
      turns += 1;
      const result = turn
        .then(async () => {
          signal.throwIfAborted();
          return await work();
        })
        .finally(() => {
          turns -= 1;
        });
      turn = result.catch(() => {});
      return result;
    },
    get idle() {
      return turns === 0;
    },
    hear(serviceId, listener) {
      heard = { serviceId, listener };
    },
    report(condition) {
      const now = condition.state === "ready" ? "ready" : `${condition.state} ${condition.reason.message}`;
      if (now === told || signal.aborted) return;
      told = now;
      context.report(condition);
    },
    fail,
    async close() {
      fail(new DeviceError("device_absent", { device, message: "the device was closed" }));
      await link.close();
    },
  };
}

function notItsAnswer(device: string, message: string): DeviceError {
  const hint = "Check the key's name, version and passphrase, saleId and poiId on both sides";
  return new DeviceError("device_fault", { device, message, hint });
}

/** The signed message below `wrapper`; undefined where there is none. What stands outside the seal is not looked at. */
function readMessage(body: Uint8Array, wrapper: "SaleToPOIRequest" | "SaleToPOIResponse", key: SharedKey): unknown {
  if (body.length > MOST_ANSWER_BYTES) return undefined;
  const plain = unseal(member(parseJson(new TextDecoder().decode(body)), wrapper), key);
  return plain === undefined ? undefined : member(parseJson(plain), wrapper);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
