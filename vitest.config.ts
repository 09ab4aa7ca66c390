import { defineConfig } from "vitest/config";

// Tests run as compiled: what is tested is what is shipped, and worker and child entries are the real files.
const built = process.env.STATIOND_DIST ?? "dist";

export default defineConfig({
  test: {
    include: [`${built}/**/*.test.js`],
    exclude: ["**/node_modules/**"],
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
