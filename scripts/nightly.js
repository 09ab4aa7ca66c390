/** `npm run nightly`: the long runs that would not fit between two commits. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { orSentence, ROOT, SetupFault, setUp } from "./setup.js";

const RUNS = [
  { name: "journal: 200 kills", args: ["scripts/test.js", "dist/src/journal/faults.test.js"], env: { STATIOND_JOURNAL_KILLS: "200" } },
  {
    name: "payments: power cuts in 400 disorders each, 13 failing fsyncs, 200 full disks",
    args: ["scripts/test.js", "dist/test/durability"],
    env: {
      STATIOND_REAL_STACK: "required",
      STATIOND_POWER_CUTS: "400",
      STATIOND_FAILING_FSYNCS: "13",
      STATIOND_FULL_DISKS: "200",
    },
  },
  {
    name: "camera: 200 starts and stops",
    args: ["scripts/test.js", "dist/test/real-stack/camera.test.js"],
    env: { STATIOND_CAMERA_CYCLES: "200" },
  },
  {
    name: "hardware lab: 100 plugs of each device",
    args: ["scripts/run.js", "dist/test/hardware-lab/run.js", "--cycles", "100"],
    env: {},
  },
  { name: "print torture: 2,000 kills and cuts", args: ["scripts/run.js", "dist/test/torture/print.js", "--runs", "2000"], env: {} },
  { name: "pay torture: 2,000 orders", args: ["scripts/run.js", "dist/test/torture/pay.js", "--runs", "2000"], env: {} },
  { name: "pay torture: 10 orders in real time", args: ["scripts/run.js", "dist/test/torture/pay.js", "--real-timers"], env: {} },
  {
    name: "chip torture: 500 reads with lifts and swaps",
    args: ["scripts/run.js", "dist/test/torture/chip-reads.js", "--reads", "500"],
    env: {},
  },
  { name: "isolation: each child, each fault, during each work", args: ["scripts/run.js", "dist/test/torture/isolation.js"], env: {} },
  { name: "soak: three hours of people and faults", args: ["scripts/run.js", "dist/test/soak/index.js", "--hours", "3"], env: {} },
  { name: "fuzz: ten million inputs", args: ["scripts/run.js", "dist/test/fuzz/index.js", "--inputs", "10000000"], env: {} },
  { name: "hostile chip: 100,000 answers", args: ["scripts/run.js", "dist/test/torture/chip-answers.js", "--runs", "100000"], env: {} },
  {
    name: "printer simulator: twenty million random commands",
    args: ["scripts/test.js", "dist/simulators/receipt-printer/fuzz.test.js"],
    env: { STATIOND_PRINTER_COMMANDS: "20000000" },
  },
  { name: "every test on Node 24", program: "npx", args: ["-y", "node@24", "scripts/test.js"], env: {} },
  { name: "all benches", args: ["scripts/run.js", "dist/bench/index.js"], env: {} },
  { name: "fuzz: a hundred times as long", args: ["scripts/test.js"], env: { STATIOND_FUZZ_FACTOR: "100" } },
];

orSentence(async () => {
  setUp();
  const failed = [];
  for (const { name, program = process.execPath, args, env } of RUNS) {
    console.log(`== ${name}`);
    const { status } = spawnSync(
      program,
      args.map((arg, index) => (index === 0 && program === process.execPath ? join(ROOT, arg) : arg)),
      {
        cwd: ROOT,
        stdio: "inherit",
        env: { ...process.env, ...env },
      },
    );
    if (status !== 0) failed.push(name);
  }
  if (failed.length) throw new SetupFault(`failed: ${failed.join("; ")}`);
});
