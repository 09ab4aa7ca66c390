import { defineConfig } from "vitest/config";

// Tests run as compiled: what is tested is what is shipped, and worker and child entries are the real files.
const built = process.env.STATIOND_DIST ?? "dist";
const fuzzFactor = Number(process.env.STATIOND_FUZZ_FACTOR ?? 1);

export default defineConfig({
  test: {
    include: [`${built}/**/*.test.js`],
    exclude: ["**/node_modules/**"],
    setupFiles: fuzzFactor === 1 ? [] : [`${built}/test/house/fuzz-length.js`],
    pool: "forks",
    // Most tests wait for a child, a wire or a clock: one worker per core but one, which is the default, leaves small machines idle.
    maxWorkers: 2,
    // Commands that tests start speak English, whatever language this machine's user reads.
    env: { STATIOND_LANG: "en" },
    testTimeout: 30_000 * fuzzFactor,
    hookTimeout: 60_000,
  },
});
