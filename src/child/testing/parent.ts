import { systemClock } from "../../kernel/clock.js";
import { silentLog } from "../../kernel/log.js";
import { superviseChild } from "../child.js";

/** A parent that is there to be killed: prints its child's pid, then waits for its own end. */
const child = superviseChild({ entry: new URL("./entry.js", import.meta.url), name: "orphan", log: silentLog, clock: systemClock() });
await child.call("echo", 1, new AbortController().signal);
process.stdout.write(`${child.pid}\n`);
await child.call("wait", undefined, new AbortController().signal);
