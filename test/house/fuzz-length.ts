import fc from "fast-check";

/** Nightly: properties without a number of runs of their own get many times the usual hundred. */
fc.configureGlobal({ numRuns: 100 * Number(process.env.STATIOND_FUZZ_FACTOR ?? 1) });
