import type { Clock } from "../../src/kernel/clock.js";
import type { Random } from "../../src/kernel/random.js";
import { createCardholder } from "../cardholder.js";
import type { FarEnd } from "../simulator.js";
import type { Certificates } from "./certificates.js";
import { breaksAt, type Core, keyOf, letters, type Memory, type Procedure, passStep } from "./core.js";
import { createPost } from "./display.js";
import { createDoor, type Door, plainAnswer, type Request, send } from "./door.js";
import { deriveKey } from "./envelope.js";
import { createFaults, type How } from "./faults.js";
import { abort, diagnosis, statusOf } from "./inquiries.js";
import { createLedger } from "./ledger.js";
import {
  type AbortWish,
  type Body,
  type Category,
  failure,
  formatErrors,
  Header,
  type PaymentWish,
  REQUESTS,
  type ReversalWish,
  type StatusWish,
  wantsNotifications,
} from "./messages.js";
import { createMessenger, type Messenger } from "./messenger.js";
import type { NexoTerminalOptions } from "./options.js";
import { pay } from "./payment.js";
import { reverse } from "./reversal.js";

const USED_MS = 48 * 3_600_000;
/** More are forgotten, the oldest first. */
const MOST_REMEMBERED = 10_000;

export interface Terminal {
  readonly core: Core;
  readonly wires: number;
  readonly unknownCommands: number;
  attach(farEnd: FarEnd): void;
  cut(how: How): Promise<void>;
  /** Forgets everything, the bank too. */
  reset(): void;
  close(): Promise<void>;
}

export interface TerminalContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly certificates: Certificates;
  /** No wire is plugged in. */
  unplugged(): boolean;
  changed(): void;
}

interface Living {
  readonly core: Core;
  readonly door: Door;
}

export function createTerminal(options: NexoTerminalOptions, context: TerminalContext): Terminal {
  const { clock, random, certificates, changed } = context;
  const key = deriveKey(options.keyIdentifier, options.keyVersion, options.passphrase);
  let off = false;
  let unknownCommands = 0;

  /** All that a reset makes new. What still goes on then goes on with the old one, and ends there. */
  const create = (): Living => {
    const life = new AbortController();
    const faults = createFaults(options.faults);
    const memory: Memory = { transactions: new Map(), used: new Map() };
    const messenger = createMessenger({ options, key, random, clock, faults });
    const post = options.notifyUrl === undefined ? undefined : createPost(options.notifyUrl, clock, life.signal);
    const core: Core = {
      options,
      clock,
      random,
      faults,
      ledger: createLedger(),
      cardholder: createCardholder(options, "napas", clock),
      memory,
      life: life.signal,
      end: () => life.abort(),
      running: undefined,
      shown: undefined,
      changed,
      show(procedure, event, result) {
        core.shown = event;
        changed();
        if (!post || !procedure.notify || off || context.unplugged() || procedure.forgotten) return;
        if (faults.take("notification-lost")) return;
        const copies = faults.take("notification-flood")?.count ?? (faults.take("duplicate-notification") ? 2 : 1);
        const text = messenger.display(procedure, `event=${event}${result === undefined ? "" : `&result=${result}`}`);
        for (let copy = 0; copy < copies; copy++) post.send(text);
      },
      cut: (how) => door.cut(how),
      async reboot(history) {
        off = true;
        if (history === "lost") {
          memory.transactions.clear();
          memory.used.clear();
        }
        // Whoever stood there with a card begins again.
        if (core.running?.abortable && !core.running.forced) core.running.aborted.abort();
        clock.timer(options.rebootMs, () => {
          if (life.signal.aborted) return;
          off = false;
          changed();
        });
        changed();
        await door.cut("close");
      },
    };
    const door = createDoor({
      certificates,
      faults,
      changed,
      accepted: () => passStep(core, undefined, "connection-accepted"),
      // What goes on stops at a reset; anything else that goes wrong there must be seen.
      answer: (request) =>
        answer(core, messenger, request).catch((thrown) => {
          request.response.destroy();
          if (!life.signal.aborted) throw thrown;
        }),
    });
    return { core, door };
  };

  /** One request from its body to its answer. */
  const answer = async (core: Core, messenger: Messenger, { body, response }: Request): Promise<void> => {
    const read = messenger.read(body);
    if (!("plain" in read)) {
      unknownCommands += 1;
      changed();
      return await plainAnswer(response, read.status, read.told);
    }
    const message = (read.plain as { SaleToPOIRequest?: Record<string, unknown> } | null)?.SaleToPOIRequest;
    const parsed = Header.safeParse(message?.MessageHeader);
    if (!parsed.success) {
      unknownCommands += 1;
      changed();
      return await plainAnswer(response, 400, { errors: [formatErrors(parsed.error, "SaleToPOIRequest.MessageHeader")] });
    }
    const header = parsed.data;
    const { MessageCategory: category } = header;
    const { faults } = core;
    const refused = faults.take("http-refuse", { category });
    if (refused) return await plainAnswer(response, refused.code ?? 503, { errors: ["Nexo Service: unavailable"] });
    const say = (text: string): Promise<void> => send(response, text, faults, category, { after: async () => {} });
    const event = wrongAddress(header);
    if (event !== undefined) return await say(messenger.event(header, event));
    const wish = known(category) ? REQUESTS[category].safeParse(message?.[`${category}Request`]) : undefined;
    if (!wish) {
      // Login, GetTotals and Reconciliation too: whether Adyen's terminals obey them is unverified, its guides have none of them.
      unknownCommands += 1;
      changed();
      return await say(messenger.response(header, failure("NotAllowed", { message: "Unsupported request" })));
    }
    if (!wish.success) {
      const errors = formatErrors(wish.error, `SaleToPOIRequest.${category}Request`);
      return await say(messenger.response(header, failure("MessageFormat", { errors })));
    }
    const duplicate = usedBefore(core, header);
    if (duplicate && !faults.take("accept-duplicate", { category })) return await say(refusal(messenger, header));
    switch (category as Category) {
      case "TransactionStatus":
        return await say(messenger.response(header, statusOf(core, header, wish.data as StatusWish)));
      case "Diagnosis":
        return await say(messenger.response(header, diagnosis(core)));
      case "Abort":
        abort(core, header, wish.data as AbortWish);
        return await say("");
      default:
        return await proceed(core, messenger, header, wish.data as PaymentWish | ReversalWish, response);
    }
  };

  const wrongAddress = ({ POIID, ProtocolVersion }: Header): string | undefined => {
    // In what form a terminal says so is unverified.
    if (POIID !== options.poiId) return "Unknown POIID";
    return ProtocolVersion === "3.0" ? undefined : "Unsupported ProtocolVersion";
  };

  /** SaleID and ServiceID are refused when they were used within 48 hours (Adyen); in what form is unverified. */
  const usedBefore = ({ memory }: Core, header: Header): boolean => {
    const key = keyOf(header);
    const before = memory.used.get(key);
    memory.used.delete(key);
    memory.used.set(key, clock.now());
    const [oldest] = memory.used.keys();
    if (memory.used.size > MOST_REMEMBERED && oldest !== undefined) memory.used.delete(oldest);
    return before !== undefined && clock.now() - before < USED_MS;
  };
  const refusal = (messenger: Messenger, header: Header): string =>
    options.duplicateServiceId === "reject"
      ? messenger.event(header, "Duplicate ServiceID")
      : messenger.response(header, failure("MessageFormat", { message: "Duplicate ServiceID" }));

  /** A payment or a reversal. It goes on whatever becomes of the connection that brought it. */
  const proceed = async (
    core: Core,
    messenger: Messenger,
    header: Header,
    wish: PaymentWish | ReversalWish,
    response: Request["response"],
  ): Promise<void> => {
    const { faults, memory } = core;
    const category = header.MessageCategory as "Payment" | "Reversal";
    if (breaksAt(core, "request-begun")) {
      // The other half never came, as far as the terminal knows.
      memory.used.delete(keyOf(header));
      await passStep(core, undefined, "request-begun");
      return;
    }
    const scripted = faults.take("error", { category });
    const busy = core.running !== undefined;
    const procedure = busy ? undefined : begin(core, header, category, wish);
    const remembered = { category, header, body: undefined as Body | undefined };
    memory.transactions.delete(keyOf(header));
    memory.transactions.set(keyOf(header), remembered);
    const [oldest] = memory.transactions.keys();
    if (memory.transactions.size > MOST_REMEMBERED && oldest !== undefined) memory.transactions.delete(oldest);
    const work = async (mine: Procedure): Promise<Body> => {
      await passStep(core, mine, "request-received");
      if (scripted) return failure(scripted.condition, { message: scripted.condition });
      return category === "Payment" ? await pay(core, mine, wish as PaymentWish) : await reverse(core, mine, wish as ReversalWish);
    };
    let body: Body;
    try {
      body = procedure ? await work(procedure) : failure("Busy", { message: "Terminal is busy" });
      remembered.body = body;
      if (procedure?.forgotten) memory.transactions.delete(keyOf(header));
      if (procedure) await passStep(core, procedure, "result-ready");
    } finally {
      if (core.running === procedure) core.running = undefined;
      if (procedure) core.cardholder.over();
      if (!core.life.aborted) changed();
    }
    const middle = procedure && breaksAt(core, "response-begun") ? () => passStep(core, procedure, "response-begun") : undefined;
    const after = async (): Promise<unknown> => procedure && (await passStep(core, procedure, "response-sent"));
    await send(response, messenger.response(header, body), faults, category, { middle, after });
  };

  const begin = (core: Core, header: Header, category: "Payment" | "Reversal", wish: PaymentWish | ReversalWish): Procedure => {
    const procedure: Procedure = {
      category,
      header,
      notify: wantsNotifications(wish.SaleData?.SaleToAcquirerData),
      // tenderReference.pspReference (Adyen, Terminal API fundamentals).
      transactionId: `${letters(random, 4)}00${clock.now()}.${letters(random, 16)}`,
      timeStamp: new Date(clock.now()).toISOString(),
      step: undefined,
      abortable: category === "Payment",
      aborted: new AbortController(),
      forced: undefined,
      forgotten: false,
    };
    core.running = procedure;
    changed();
    return procedure;
  };

  let living = create();
  return {
    get core() {
      return living.core;
    },
    get wires() {
      return living.door.wires;
    },
    get unknownCommands() {
      return unknownCommands;
    },
    attach(farEnd) {
      if (off || context.unplugged()) return void farEnd.close();
      living.door.attach(farEnd);
    },
    cut: (how) => living.door.cut(how),
    reset() {
      const before = living;
      living = create();
      before.core.end();
      off = false;
      unknownCommands = 0;
      // Nobody will tell the sale system how it went.
      void before.door.cut("close");
      changed();
    },
    async close() {
      living.core.end();
      await living.door.cut("close");
    },
  };
}

const known = (category: string): category is Category => Object.hasOwn(REQUESTS, category);
