import type { Draw, End, Misfortune, Scene } from "./bank.js";

/** As the agent is told: how long it waits for an order's answer. */
export const ORDER_MS = 20_000;
const TOO_LONG_MS = ORDER_MS + 5_000;

type Act = (name: string, params?: Record<string, unknown>) => Promise<void>;
type Drawn = (draw: Draw) => Misfortune;
type Params = Record<string, unknown> & { readonly fault: string };

function planted(act: Act, params: Params, ends: readonly End[], also?: (scene: Scene) => void): Misfortune {
  return {
    group: `fault ${params.fault}`,
    detail: JSON.stringify(params),
    ends,
    async strike(scene) {
      await act("inject", params);
      also?.(scene);
    },
  };
}

/** The answer is lost or cannot be believed: the order stands as it is, and the terminal tells it again. */
const UNREAD = [
  "http-error",
  "truncated-body",
  "huge-body",
  "garbage",
  "bad-hmac",
  "wrong-key",
  "wrong-key-version",
  "bad-base64",
  "bad-nonce",
  "no-envelope",
  "no-result",
  "wrong-sale-id",
  "wrong-poi-id",
  "wrong-service-id",
] as const;
/** Of the next connection, which is that of a question: nothing is begun. */
const UNTRUSTED = ["foreign-certificate", "wrong-name", "expired-certificate"] as const;
const HARMLESS = ["fragments", "duplicate-notification", "notification-lost", "notification-flood", "accept-duplicate"] as const;
const STEPS = ["request-received", "accepted", "host-asked", "host-answered", "result-ready"] as const;
/** Each says by itself, or when it is told again, that nothing was charged. */
const CONDITIONS: readonly (readonly [condition: string, end: End])[] = [
  ["Aborted", "cancelled"],
  ["Busy", "not_charged"],
  ["Cancel", "cancelled"],
  ["DeviceOut", "not_charged"],
  ["InsertedCard", "not_charged"],
  ["InvalidCard", "declined"],
  ["LoggedOut", "not_charged"],
  ["MessageFormat", "not_charged"],
  ["NotAllowed", "not_charged"],
  ["PaymentRestriction", "declined"],
  ["Refusal", "declined"],
  ["UnavailableDevice", "not_charged"],
  ["UnavailableService", "not_charged"],
  ["UnreachableHost", "not_charged"],
  ["WrongPIN", "declined"],
];

export function nexoSaleFaults(act: Act): readonly Drawn[] {
  const approved: readonly End[] = ["approved"];
  const category = "Payment";
  const cancelAt =
    (step: string) =>
    ({ bank, cancel }: Scene): void =>
      bank.at(step, cancel);
  return [
    (draw) => planted(act, { fault: draw.one(UNREAD), category }, approved),
    (draw) => planted(act, { fault: draw.one(UNREAD), category }, approved),
    (draw) => planted(act, { fault: draw.one(HARMLESS), category }, approved),
    (draw) => planted(act, { fault: draw.one(UNTRUSTED) }, ["not_started"]),
    () => planted(act, { fault: "http-refuse", category }, ["not_charged"]),
    (draw) => {
      const [condition, end] = draw.one(CONDITIONS);
      return planted(act, { fault: "error", condition, category }, [end]);
    },
    (draw) => planted(act, { fault: "silence", step: draw.one(STEPS), ms: draw.one([3_000, TOO_LONG_MS]) }, approved),
    // What the bank booked is not what was asked for: nobody but a person can put that right.
    () => ({ ...planted(act, { fault: "partial", category }, []), blind: "the bank approved only a part" }),
    () => ({ ...planted(act, { fault: "wrong-amount", category }, []), blind: "the terminal told another amount than was asked" }),
    () => planted(act, { fault: "abort-ignored" }, approved, cancelAt("accepted")),
    () => planted(act, { fault: "approve-races-abort" }, approved, cancelAt("accepted")),
    (draw) => cardholder(act, draw),
  ];
}

function cardholder(act: Act, draw: Draw): Misfortune {
  const [detail, ends, strike] = draw.one<readonly [string, readonly End[], () => Promise<void>]>([
    ["host declines", ["declined"], () => act("decline", { condition: draw.one(["Refusal", "InvalidCard", "PaymentRestriction"]) })],
    ["cancels", ["cancelled"], () => act("cancelByCustomer")],
    ["is slow", ["approved"], () => act("slow", { ms: 6_000 })],
    [
      "does not know the PIN",
      ["declined"],
      async () => {
        for (let tries = 0; tries < 3; tries++) await act("wrongPin");
      },
    ],
  ]);
  return { group: "cardholder", detail, ends, strike };
}

export function nexoReversalFaults(act: Act): readonly Drawn[] {
  const category = "Reversal";
  return [
    (draw) => planted(act, { fault: draw.one(UNREAD), category }, ["reversed"]),
    (draw) => planted(act, { fault: draw.one(UNREAD), category }, ["reversed"]),
    () => planted(act, { fault: "fragments", category }, ["reversed"]),
    (draw) => planted(act, { fault: draw.one(UNTRUSTED) }, ["not_started"]),
    () => planted(act, { fault: "http-refuse", category }, ["not_charged"]),
    (draw) => {
      const [condition, end] = draw.one(CONDITIONS);
      return planted(act, { fault: "error", condition, category }, [end]);
    },
    (draw) => planted(act, { fault: "silence", step: draw.one(STEPS), ms: draw.one([3_000, TOO_LONG_MS]) }, ["reversed"]),
  ];
}

/** While the agent asks what became of an order. */
export const NEXO_RECOVERY_FAULTS: readonly (readonly [string, Record<string, unknown>])[] = [
  ["inject", { fault: "status-in-progress", times: 3 }],
  ["inject", { fault: "status-not-found" }],
  ["inject", { fault: "bad-hmac", category: "TransactionStatus" }],
  ["inject", { fault: "http-error", category: "TransactionStatus" }],
  ["inject", { fault: "truncated-body", category: "TransactionStatus" }],
  ["inject", { fault: "wrong-service-id", category: "TransactionStatus" }],
  ["inject", { fault: "http-refuse" }],
  ["inject", { fault: "foreign-certificate" }],
  ["reboot", { history: "kept" }],
];
