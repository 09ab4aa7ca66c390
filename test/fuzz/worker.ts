/** The child of `npm run fuzz`: works its plan off, tells how far it is, and is killed where it no longer does. */
import { openSync, writeSync } from "node:fs";
import { DeviceError } from "../../src/kernel/errors.js";
import type { Decoder } from "./decoder.js";
import { diceFor, inputFor } from "./inputs.js";
import type { FromWorker, Plan } from "./plan.js";
import { decoders } from "./table.js";

const PROGRESS_EVERY_MS = 500;
/** One fault shows itself in many inputs: the next decoder has others. */
const MOST_CRASHES = 3;
const plan = JSON.parse(process.argv[2] ?? "") as Plan;
const tell = (message: FromWorker): void => void process.send?.(message);
const at = { name: "", index: 0 };

const crashed = (thrown: unknown, input?: Uint8Array): void =>
  tell({
    type: "crash",
    ...at,
    error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
    ...(input ? { input: Buffer.from(input).toString("base64") } : {}),
  });

for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (thrown: unknown) => {
    crashed(thrown);
    process.disconnect();
    process.exit(1);
  });
}

function rssMib(): number {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().rss / 1_048_576);
}

async function drive(decoder: Decoder, part: number, from: number, to: number): Promise<void> {
  const file = plan.careful === undefined ? undefined : openSync(plan.careful, "w");
  let told = performance.now();
  let slowestMs = 0;
  let crashes = 0;
  for (let index = from; index < to && crashes < MOST_CRASHES; index++) {
    at.index = index;
    if (file !== undefined) writeSync(file, String(index).padEnd(12), 0);
    const dice = diceFor(plan.seed, decoder.name, index);
    const input = inputFor(dice, decoder.samples);
    const before = performance.now();
    try {
      const result = decoder.run(input, dice);
      if (result instanceof Promise) await result;
    } catch (thrown) {
      if (!(thrown instanceof DeviceError)) {
        crashed(thrown, input);
        crashes++;
      }
    }
    const after = performance.now();
    slowestMs = Math.max(slowestMs, after - before);
    if (after - told < PROGRESS_EVERY_MS) continue;
    told = after;
    tell({ type: "progress", part, next: index + 1, slowestMs });
    // Lets the message leave, and late rejections come.
    await new Promise((resolve) => setImmediate(resolve));
  }
  tell({ type: "progress", part, next: to, slowestMs });
}

tell({ type: "start", rssMib: rssMib() });
for (const [part, { name, from, to }] of plan.parts.entries()) {
  const decoder = decoders.find((one) => one.name === name);
  if (!decoder) throw new RangeError(`no decoder is called ${name}`);
  at.name = name;
  await drive(decoder, part, from, to);
  try {
    await decoder.end?.();
  } catch (thrown) {
    crashed(thrown);
  }
}
tell({ type: "end", rssMib: rssMib() });
process.exitCode = 0;
process.disconnect();
