import type { Draw, End, Misfortune, Scene } from "./bank.js";

/** As the agent is told, and what the faults that outlast it are measured by. */
export const T4_MS = 40_000;
const TOO_LONG_MS = T4_MS + 5_000;

type Act = (name: string, params?: Record<string, unknown>) => Promise<void>;
type Drawn = (draw: Draw) => Misfortune;
type Params = Record<string, unknown> & { readonly fault: string };

/** Planted when the questions before the order have been answered, unless told: the order itself is to meet it. */
function planted(act: Act, params: Params, ends: readonly End[], also?: (scene: Scene) => void): Misfortune {
  const { fault } = params;
  return {
    group: `fault ${fault}`,
    detail: JSON.stringify(params),
    ends,
    strike({ bank, ...scene }) {
      bank.at("baseline-told", () => void act("inject", params));
      also?.({ bank, ...scene });
    },
  };
}

/** Blocks that must come again: up to twice they do. */
const LINE: readonly string[] = ["nak", "bad-crc", "ack-not-seen"];
const BUSY = [0xa0, 0x9c];
const SPOILT = ["no-result", "wrong-amount", "wrong-terminal"] as const;
/** Told once of a sale it is refused; told of the last receipt it contradicts everything else. */
const spoilt = (act: Act, fault: string, ends: readonly End[]): Misfortune => ({
  ...planted(act, { fault }, ends),
  blindWithOthers: "the terminal told a last receipt that is not its last",
});
const PASSED_OVER = ["fragments", "coalesced", "dle-storm", "long-length"] as const;

/** What goes wrong in a sale, and how it must end. `takenBack`: how one ends that the bank booked and nobody confirmed. */
export function saleFaults(serial: boolean, takenBack: readonly End[], act: Act): readonly Drawn[] {
  const approved: readonly End[] = ["approved"];
  const fault = (params: Params, ends: readonly End[], also?: (scene: Scene) => void): Drawn => {
    return () => planted(act, params, ends, also);
  };
  const cancelAt =
    (step: string) =>
    ({ bank, cancel }: Scene): void =>
      bank.at(step, cancel);
  const early = ["command-answered", "insert-card-shown", "card-presented"] as const;
  const asked = ["host-asked", "host-answered", "result-shown"] as const;
  const line: readonly Drawn[] = [
    (draw) => planted(act, { fault: draw.one(LINE), times: 1 + draw.int(2) }, approved),
    // Its order never gets through, so the link ends and the terminal is asked.
    fault({ fault: "nak", times: 3 }, ["not_charged"]),
    fault({ fault: "bad-crc", times: 3, apdu: "040f" }, takenBack),
    fault({ fault: "ack-not-sent" }, approved),
    fault({ fault: "gap", ms: 4_000, apdu: "040f" }, approved),
  ];
  return [
    ...(serial ? line : []),
    (draw) => planted(act, { fault: draw.one(PASSED_OVER) }, approved),
    (draw) => planted(act, { fault: "gap", apdu: draw.one(["8000", "04ff", "040f", "060f"]) }, approved),
    // Half a message ends a connection, and comes again over a serial line.
    (draw) => planted(act, { fault: "truncated", apdu: draw.one(["8000", "04ff"]) }, serial ? approved : ["not_charged"]),
    fault({ fault: "truncated", apdu: "040f" }, serial ? approved : takenBack),
    fault({ fault: "truncated", apdu: "060f" }, approved),
    // Over TCP nothing tells where a message begins again: what was understood of it decides.
    (draw) =>
      planted(act, { fault: "garbage", apdu: draw.one(["8000", "04ff", "040f", "060f"]) }, ["approved", "not_charged", ...takenBack]),
    fault({ fault: "no-answer", apdu: "0601" }, takenBack),
    (draw) => planted(act, { fault: "refuse", apdu: "0601", code: draw.one([0xf0, 0x83, 0x6f]) }, ["not_charged"]),
    ...BUSY.map((code) => fault({ fault: "refuse", apdu: "0601", code, times: 9 }, ["not_charged"])),
    // Busy for a moment only: the order never began, and may be sent again.
    ...BUSY.map((code) => fault({ fault: "refuse", apdu: "0601", code }, ["approved", "not_charged"])),
    () => ({
      ...planted(act, { fault: "refuse", apdu: "0620", times: 9 }, ["not_started"]),
      strike: () => act("inject", { fault: "refuse", apdu: "0620", times: 9 }),
    }),
    (draw) => planted(act, { fault: "silence", step: draw.one(early), ms: TOO_LONG_MS }, ["not_charged"]),
    (draw) => planted(act, { fault: "silence", step: draw.one(asked), ms: TOO_LONG_MS }, takenBack),
    (draw) => planted(act, { fault: "silence", step: draw.one([...early, ...asked]), ms: 3_000 }, approved),
    fault({ fault: "silence", step: "remove-card-shown", ms: TOO_LONG_MS }, approved),
    fault({ fault: "endless-status", ms: 2_000 }, takenBack, cancelAt("host-asked")),
    fault({ fault: "late-status-information", ms: 5_000 }, approved),
    fault({ fault: "late-status-information", ms: TOO_LONG_MS }, takenBack),
    fault({ fault: "duplicate-status-information" }, approved),
    fault({ fault: "stray-status-information" }, approved),
    fault({ fault: "stale-status-information" }, takenBack),
    (draw) => spoilt(act, draw.one(SPOILT), takenBack),
    (draw) => planted(act, { fault: "abort-instead", code: draw.one([0x6c, 0x05, 0xff]) }, takenBack),
    fault({ fault: "abort-after-status" }, approved),
    fault({ fault: "completion-dropped" }, approved),
    fault({ fault: "print-flood" }, approved),
    fault({ fault: "abort-ignored" }, approved, cancelAt("insert-card-shown")),
    fault({ fault: "approve-races-abort" }, approved, cancelAt("insert-card-shown")),
    (draw) => cardholder(act, draw),
    // Numbers that began again at 1 prove nothing, and a receipt that came after them may be anyone's.
    (draw) => wrapped(act, draw, takenBack),
  ];
}

function cardholder(act: Act, draw: Draw): Misfortune {
  const code = draw.one([0x01, 0x05, 0x0c, 0x33, 0x37, 0x63]);
  const [detail, ends, strike] = draw.one<readonly [string, readonly End[], () => Promise<void>]>([
    [`host declines ${code}`, ["declined"], () => act("decline", { code })],
    ["cancels", ["cancelled"], () => act("cancelByCustomer")],
    ["is slow", ["approved"], () => act("slow", { ms: 8_000 })],
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

function wrapped(act: Act, draw: Draw, takenBack: readonly End[]): Misfortune {
  const step = draw.one(["status-information-sent", "answer-taken", "completion-sent"]);
  return {
    group: "receipt numbers begin again",
    detail: step,
    ends: step === "status-information-sent" ? takenBack : ["approved"],
    blind: "receipt numbers began again",
    prepare: () => act("counters", { receipt: 9_999 }),
    strike: () => act("disconnectAt", { step }),
  };
}

/** The same where a payment is taken back: what the bank did stays done, answered or not. */
export function reversalFaults(serial: boolean, act: Act): readonly Drawn[] {
  const done: readonly End[] = ["reversed"];
  const cases: readonly Drawn[] = [
    (draw) => planted(act, { fault: draw.one(PASSED_OVER) }, done),
    (draw) => spoilt(act, draw.one(SPOILT), done),
    (draw) => planted(act, { fault: "gap", apdu: draw.one(["8000", "04ff", "040f", "060f"]) }, done),
    (draw) => planted(act, { fault: "truncated", apdu: draw.one(["04ff", "040f", "060f"]) }, done),
    // It may see that nobody is there before it asks its host.
    () => planted(act, { fault: "truncated", apdu: "8000" }, serial ? done : ["reversed", "not_charged"]),
    (draw) => planted(act, { fault: "garbage", apdu: draw.one(["8000", "04ff", "040f", "060f"]) }, ["reversed", "not_charged"]),
    () => planted(act, { fault: "no-answer", apdu: "0630" }, done),
    (draw) => planted(act, { fault: "refuse", apdu: "0630", code: draw.one([0xf0, 0x83, 0xb5]) }, ["not_charged"]),
    (draw) => planted(act, { fault: "refuse", apdu: "0630", code: draw.one(BUSY), times: 9 }, ["not_charged"]),
    () => planted(act, { fault: "silence", step: "command-answered", ms: TOO_LONG_MS }, ["not_charged", "reversed"]),
    (draw) => planted(act, { fault: "silence", step: draw.one(["host-asked", "host-answered"]), ms: TOO_LONG_MS }, done),
  ];
  const line: readonly Drawn[] = [
    (draw) => planted(act, { fault: draw.one(LINE), times: 1 + draw.int(2) }, done),
    () => planted(act, { fault: "nak", times: 3 }, ["not_charged"]),
    () => planted(act, { fault: "bad-crc", times: 3, apdu: "040f" }, done),
  ];
  return serial ? [...cases, ...line] : cases;
}

/** While the agent asks what became of an order. */
export const RECOVERY_FAULTS: readonly (readonly [string, Record<string, unknown>])[] = [
  ["inject", { fault: "refuse", apdu: "0620" }],
  ["inject", { fault: "refuse", apdu: "0600", times: 2 }],
  ["inject", { fault: "no-answer", apdu: "0620" }],
  ["inject", { fault: "no-answer", apdu: "0501" }],
  ["inject", { fault: "truncated", apdu: "040f" }],
  ["inject", { fault: "truncated", apdu: "060f" }],
  ["inject", { fault: "fragments", times: 5 }],
  ["reboot", { history: "kept" }],
];
