/** Requests of all clients since the agent's start. */
export interface Requests {
  readonly count: number;
  /** Those that had to wait for something but no person, and how long they took all together. */
  readonly waited: number;
  readonly waitedMs: number;
}

/** What is shown of the agent. Undefined: the agent does not tell. */
export interface AgentFigures {
  readonly sessions: number | undefined;
  readonly residentBytes: number | undefined;
  /** The slowest percent of the event loop's turns since the last look. */
  readonly loopDelayMs: number | undefined;
  /** Operations of each device since the agent's start. */
  readonly operations: ReadonlyMap<string, number>;
  readonly requests: Requests;
}

/** How long these take is a person's doing, or the caller's wish. */
const UP_TO_PEOPLE = /\.(scan|snapshot|waitForCard|waitForRemoval|readCard|readUid|print|pay|reverse|trace)$/;

/** Of Prometheus' text format only what is shown; anything else is passed over. */
export function figuresOf(text: string): AgentFigures {
  const one = (name: string): number | undefined => {
    const found = new RegExp(`^${name} ([0-9.e+-]+)$`, "m").exec(text)?.[1];
    return found === undefined || !Number.isFinite(Number(found)) ? undefined : Number(found);
  };
  const operations = new Map<string, number>();
  for (const [, device = "", count] of text.matchAll(/^stationd_device_operation_count\{device="([a-z0-9-]+)"[^}]*\} (\d+)$/gm)) {
    operations.set(device, (operations.get(device) ?? 0) + Number(count));
  }
  const delay = one('nodejs_eventloop_lag_seconds\\{percentile="99"\\}');
  return {
    sessions: one("stationd_sessions"),
    residentBytes: one("process_resident_memory_bytes"),
    loopDelayMs: delay === undefined ? undefined : delay * 1_000,
    operations,
    requests: requestsOf(text),
  };
}

function requestsOf(text: string): Requests {
  let [count, waited, waitedMs] = [0, 0, 0];
  for (const [, name, method = "", value] of text.matchAll(
    /^stationd_request(s_total|_wait_seconds_sum|_wait_seconds_count)\{method="([\w.]+)"[^}]*\} ([0-9.e+-]+)$/gm,
  )) {
    const number = Number(value);
    if (!Number.isFinite(number)) continue;
    if (name === "s_total") count += number;
    else if (UP_TO_PEOPLE.test(method)) continue;
    else if (name === "_wait_seconds_count") waited += number;
    else waitedMs += number * 1_000;
  }
  return { count, waited, waitedMs };
}
