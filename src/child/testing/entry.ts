import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { DeviceError } from "../../kernel/errors.js";
import { serveChild } from "../serve.js";

/** What the tests of this folder do with a child. */
serveChild({
  echo: async (args) => args,
  environment: async () => ({ ...process.env, execArgv: process.execArgv.join(" ") }),
  fail: async () => {
    throw new DeviceError("paper_out", { device: "receipt", retryable: false, hint: "Load paper", details: { roll: 2 } });
  },
  bug: async () => {
    throw new TypeError("012345678901 Nguyễn Văn A");
  },
  crash: async () => {
    setImmediate(() => {
      throw new TypeError("012345678901 Nguyễn Văn A");
    });
    await new Promise(() => {});
  },
  wait: (_args, { emit, signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        emit("canceled", undefined);
        reject(signal.reason);
      });
    }),
  count: async (args, { emit }) => {
    for (let number = 0; number < Number(args); number++) emit("number", number);
    return "done";
  },
  spin: async () => {
    for (;;);
  },
  exit: async () => process.exit(3),
  allocate: async () => {
    const kept: unknown[] = [];
    for (;;) kept.push(new Array(1_000).fill(kept.length));
  },
  // As a native library does it: outside V8's heap, while the heart beats.
  leak: async () => {
    for (const kept: Buffer[] = []; ; await pause(5)) kept.push(Buffer.alloc(4_194_304, 1));
  },
  oomScoreAdj: async () => Number(readFileSync("/proc/self/oom_score_adj", "utf8")),
});
