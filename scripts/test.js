/**
 * `npm test`: sets the clone up, runs the tests as compiled, and says as its very last line `N passed, N failed, N skipped`.
 * Arguments are those of `vitest run`. What was skipped is listed with its reason; no test at all is a failure.
 */
import { orSentence, ROOT, setUp } from "./setup.js";

orSentence(async () => {
  setUp();
  const { parseCLI, startVitest } = await import("vitest/node");
  const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)]);
  const tally = createTally();
  const vitest = await startVitest("test", filter, {
    ...options,
    root: ROOT,
    watch: false,
    reporters: [...(options.reporter || ["default"]), tally.reporter],
  });
  await vitest.close();
  const { passed, failed, skipped } = tally.counts;
  for (const { name, reason } of skipped) console.log(`SKIPPED ${name}: ${reason}`);
  if (passed + failed === 0) console.log("no test ran");
  if (failed > 0 || passed === 0) process.exitCode = 1;
  console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
});

function createTally() {
  const counts = { passed: 0, failed: 0, skipped: [] };
  return {
    counts,
    reporter: {
      onTestRunEnd(modules, unhandledErrors) {
        counts.failed += unhandledErrors.length;
        for (const module of modules) {
          let failedHere = 0;
          for (const test of module.children.allTests()) {
            const { state, note } = test.result();
            if (state === "passed") counts.passed++;
            else if (state === "failed") failedHere++;
            else counts.skipped.push({ name: test.fullName, reason: note || "no reason given" });
          }
          // A file that could not be loaded, or whose hooks failed, counts even where none of its tests did.
          if (failedHere === 0 && module.state() === "failed") failedHere = 1;
          counts.failed += failedHere;
        }
      },
    },
  };
}
