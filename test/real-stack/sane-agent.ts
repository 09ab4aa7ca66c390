import { openSane, order, scanWith } from "./sane.test.support.js";

// An agent of nothing but a document scanner, to be killed: tells its folder, that it has begun, and each progress.
const { link, config } = JSON.parse(process.argv[2] ?? "{}") as { link: object; config: object };
const bench = await openSane(link, config);
process.stdout.write(`${bench.folder}\n`);
const source = "network" in link ? "feeder" : "flatbed";
const scanning = scanWith(bench, order({ source, resolutionDpi: 300 }), { onProgress: () => void process.stdout.write("progress\n") });
const { processesIn } = await import("./sane.test.support.js");
while ((await processesIn(bench.folder)).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
process.stdout.write("begun\n");
await scanning;
