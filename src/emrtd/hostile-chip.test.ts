import { inspect } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DeviceError } from "../kernel/errors.js";
import { lengthMemory } from "./testing/scripted-card.js";
import { type ReadOptions, readVirtual, type VirtualCard, virtualCard } from "./testing/virtual-card.js";

const CHALLENGE = Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1);
/** More than the longest honest reading of these cards, and little enough to see a loop. */
const MOST_COMMANDS = 3_000;

async function outcome(card: VirtualCard, options: ReadOptions = {}): Promise<string> {
  const kind = await readVirtual(card, { challenge: CHALLENGE, ...options }).then(
    () => "read",
    (error: unknown) => {
      if (!(error instanceof DeviceError)) return `not a DeviceError: ${error instanceof Error ? error.stack : error}`;
      // Of whatever is told, nothing is the citizen's.
      const told = inspect([error.message, error.hint, error.details, error.cause]);
      for (const secret of card.secrets) expect(told).not.toContain(secret);
      return error.kind;
    },
  );
  expect(card.commands.length).toBeLessThan(MOST_COMMANDS);
  return kind;
}

const KINDS = ["read", "card_error", "access_denied", "card_unsupported", "mrz_required"];
const anyAnswer = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc
    .constantFrom(0x9000, 0x6700, 0x6988, 0x6987, 0x6982, 0x6a82, 0x6282, 0x6b00, 0x6300, 0x63c1, 0x6110, 0x6c10, 0x6d00, 0x6f00, 0x0000)
    .map((sw) => Uint8Array.of(sw >> 8, sw & 0xff)),
  fc
    .constantFrom("7c00", "7c028000", "7c0280", "7c43824104", "3100", "31820fff", "3180", "308400000001", "7c1280")
    .map((hex) => Uint8Array.from(Buffer.from(`${hex}9000`, "hex"))),
);
const ways: readonly ReadOptions[] = [{}, { protocol: "bac" }];

test("any answer at any step: an error of the list or contents, never another, and never without end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(17), anyAnswer, fc.boolean(), fc.constantFrom(...ways), async (step, answer, everAfter, way) => {
      const card = await virtualCard("citizen", { activeAuthentication: "none" });
      card.meddle = (_, index, pass) => (index === step || (everAfter && index > step) ? answer : pass());
      expect(KINDS).toContain(await outcome(card, way.protocol === "bac" ? { ...way, access: card.mrz } : way));
    }),
    { numRuns: 120 },
  );
});

test("one byte of any answer touched: noticed, or of no weight", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(17), fc.nat(), fc.integer({ min: 1, max: 255 }), async (step, where, flip) => {
      const card = await virtualCard("citizen", { activeAuthentication: "none" });
      card.meddle = (_, index, pass) => {
        const answer = Uint8Array.from(pass());
        if (index === step) answer[where % answer.length] = (answer[where % answer.length] ?? 0) ^ flip;
        return answer;
      };
      expect(KINDS).toContain(await outcome(card));
    }),
    { numRuns: 120 },
  );
});

test("damaged files of every kind are an error or contents", async () => {
  for (const file of ["dg2", "dg14", "dg15", "cardAccess"] as const) {
    for (const how of ["truncated", "lyingLength", "hugeLength", "indefinite", "garbage", "empty"] as const) {
      const card = await virtualCard("citizen", { malformed: { file, how }, activeAuthentication: "ecdsa-sha256" });
      expect(KINDS, `${file} ${how}`).toContain(await outcome(card));
    }
  }
});

test("a counter that slips ends the reading at once", async () => {
  for (const slipAtCommand of [1, 2, 4]) {
    const card = await virtualCard("citizen", { slipAtCommand, chipAuthentication: "none" });
    expect(await outcome(card)).toBe("card_error");
    expect(card.commands.length).toBe(6 + slipAtCommand);
  }
});

test("a plain error in the midst of a session ends it, whichever it is", async () => {
  for (const sw of [0x6988, 0x6987, 0x6985, 0x6d00, 0x9000]) {
    const card = await virtualCard("plain");
    card.meddle = (apdu, _, pass) => (apdu[0] === 0x0c && apdu[2] === 0x81 ? Uint8Array.of(sw >> 8, sw & 0xff) : pass());
    expect(await outcome(card)).toBe("card_error");
  }
});

test("a plain 6700 at extended length: opened again once, the smaller length is remembered", async () => {
  const card = await virtualCard("plain");
  const lengths = lengthMemory();
  card.meddle = (apdu, _, pass) => (apdu[0] === 0x0c && apdu[4] === 0 && apdu.length > 5 ? Uint8Array.of(0x67, 0x00) : pass());
  expect(await outcome(card, { lengths })).toBe("read");
  expect([...lengths.known.values()]).toEqual([231]);
});

test("an APDU that does not get through counts as a refusal of its length, and is not tried for ever", async () => {
  const card = await virtualCard("plain");
  card.meddle = (apdu, _, pass) => {
    if (apdu.length > 5 && apdu[4] === 0 && apdu[1] === 0xb0) throw new DeviceError("card_error");
    return pass();
  };
  expect(await outcome(card)).toBe("read");
  const deaf = await virtualCard("plain");
  deaf.meddle = (apdu, _, pass) => {
    if (apdu[1] === 0xb0) throw new DeviceError("card_error");
    return pass();
  };
  expect(await outcome(deaf)).toBe("card_error");
});

test("a card that slips before it is open is not taken for one that opens by its printed lines", async () => {
  for (let step = 0; step < 8; step++) {
    const card = await virtualCard("citizen");
    card.meddle = (_, index, pass) => {
      if (index === step) throw new DeviceError("card_error");
      return pass();
    };
    expect(["read", "card_error"], `at ${step}`).toContain(await outcome(card));
  }
});

test("a card that slips while it proves itself is no false one", async () => {
  const card = await virtualCard("citizen");
  card.meddle = (_, index, pass) => {
    if (index === 11) throw new DeviceError("card_error");
    return pass();
  };
  expect(await outcome(card)).toBe("card_error");
});

test("a card that is lifted, and a caller who gives up, at every step", async () => {
  for (let step = 0; step < 14; step++) {
    const lifted = await virtualCard("citizen");
    lifted.meddle = (_, index, pass) => {
      if (index === step) throw new DeviceError("card_removed");
      return pass();
    };
    expect(await outcome(lifted)).toBe("card_removed");

    const caller = new AbortController();
    const card = await virtualCard("citizen");
    card.meddle = (_, index, pass) => {
      if (index === step) caller.abort(new DeviceError("canceled"));
      return pass();
    };
    expect(await outcome(card, { signal: caller.signal })).toBe("canceled");
    expect(card.commands).toHaveLength(step + 1);
  }
});

test("our own keys come back: reflected, and refused", async () => {
  for (const tag of ["81", "83"]) {
    const card = await virtualCard("citizen");
    card.meddle = (apdu, _, pass) => {
      const hex = Buffer.from(apdu).toString("hex");
      if (!hex.startsWith(`10860000457c43${tag}`)) return pass();
      const answerTag = tag === "81" ? "82" : "84";
      return Uint8Array.from(Buffer.from(`7c43${answerTag}${hex.slice(16, -2)}9000`, "hex"));
    };
    expect(await outcome(card)).toBe("card_error");
    // Nothing is built on it: not even the next step.
    expect(card.commands.at(-1)).toContain(`7c43${tag}`);
  }
});

test("coordinates with leading zeros: a hundred cards open and prove themselves", async () => {
  for (let seed = 0; seed < 100; seed++) {
    const card = await virtualCard("citizen", { activeAuthentication: "none" }, seed);
    const contents = await readVirtual(card, { files: [], seed: seed + 1_000 });
    expect(contents.chipAuthentication.state, String(seed)).toBe("done");
  }
});
