import type { AuditFact } from "../audit/entry.js";
import type { Clock } from "../kernel/clock.js";
import { asDeviceError } from "../kernel/errors.js";
import type { MethodName } from "../protocol/methods.js";
import { createBucket } from "./budget.js";
import type { Route } from "./routes.js";
import type { Session } from "./session.js";

/** Where entries go. */
export interface AuditSink {
  /** The entry's number; undefined where it cannot be written. */
  record(fact: AuditFact): number | undefined;
}

/** A technician may look at these without a trace. Every other method is written down, also one that is added one day. */
const LOOKING: ReadonlySet<MethodName> = new Set<MethodName>([
  "session.hello",
  "session.endCitizen",
  "events.subscribe",
  "events.unsubscribe",
  "devices.list",
  "devices.get",
  "devices.capabilities",
  "printer.status",
  "jobs.get",
  "jobs.list",
  "agent.describe",
]);
/** A technician works by hand; whoever is faster by far is counted and not written down one by one, so that nobody flushes the log. */
const ENTRIES = { burst: 60, perSecond: 0.2 } as const;
const SOURCES = 256;

export interface Auditor {
  /** The same handler, with what technicians do by it written down. */
  watched(method: MethodName, handle: Route["handle"]): Route["handle"];
  /** A role asked for what is not its own. */
  forbidden(method: MethodName, session: Session): void;
  /** A technician or a program came in with a token. */
  entered(session: Session): void;
  /** Somebody could not prove who he is. `reason` is a fixed word. */
  failed(door: string, uid: number | undefined, reason: string): void;
}

/** Decides what of the traffic is written down. */
export function createAuditor(clock: Clock, sink: AuditSink): Auditor {
  const sources = new Map<string, { readonly bucket: ReturnType<typeof createBucket>; unwritten: number }>();
  const write = (fact: AuditFact): number | undefined => {
    const key = `${fact.who} ${fact.uid} ${fact.what} ${fact.outcome}`;
    if (sources.size > SOURCES) for (const [other, { bucket }] of sources) if (bucket.full()) sources.delete(other);
    let source = sources.get(key);
    if (source === undefined) {
      source = { bucket: createBucket(clock, ENTRIES.burst, ENTRIES.perSecond), unwritten: 0 };
      sources.set(key, source);
    }
    if (!source.bucket.take()) {
      source.unwritten += 1;
      return undefined;
    }
    const more = source.unwritten;
    source.unwritten = 0;
    return sink.record(more === 0 ? fact : { ...fact, more });
  };
  const by = ({ caller, link }: Session): Pick<AuditFact, "who" | "uid"> => ({ who: caller.principal, uid: link?.uid });

  return {
    watched(method, handle) {
      if (LOOKING.has(method)) return handle;
      return (params, call, session) => {
        if (call.caller.role !== "technician") return handle(params, call, session);
        const fact = { ...by(session), what: method, ...namedIn(params) };
        let outcome: unknown;
        try {
          outcome = handle(params, call, session);
        } catch (thrown) {
          write({ ...fact, outcome: asDeviceError(thrown).kind });
          throw thrown;
        }
        if (!(outcome instanceof Promise)) {
          write({ ...fact, outcome: "ok" });
          return outcome;
        }
        const of = write({ ...fact, outcome: "begun" });
        const ended = (how: Partial<AuditFact>): void => void (of !== undefined && sink.record({ ...fact, outcome: "ok", ...how, of }));
        outcome.then(
          (result) => ended(jobOf(result)),
          (thrown) => ended({ outcome: asDeviceError(thrown).kind }),
        );
        return outcome;
      };
    },
    forbidden: (method, session) => void write({ ...by(session), what: method, outcome: "forbidden" }),
    entered: (session) => void write({ ...by(session), what: "auth.entered", detail: session.caller.role, outcome: "ok" }),
    failed: (door, uid, reason) => void write({ who: `door:${door}`, uid, what: "auth.failed", detail: reason, outcome: "unauthorized" }),
  };
}

type Named = Pick<AuditFact, "device" | "job" | "detail">;

/** What a request names. Its schema has been passed; nothing else of it is written down. */
function namedIn(params: unknown): Named {
  const { device, job, on, force, outcome, close, apdus } = params as Record<string, unknown>;
  const detail =
    typeof on === "boolean"
      ? on
        ? "on"
        : "off"
      : force === true
        ? "force"
        : close === true
          ? "close"
          : Array.isArray(apdus)
            ? `apdus:${apdus.length}`
            : word(outcome);
  return { device: word(device), job: word(job), detail };
}

/** How a job stands that the action began. */
function jobOf(result: unknown): Partial<AuditFact> {
  if (typeof result !== "object" || result === null || !("job" in result)) return {};
  const { device, job, state } = result as Record<string, unknown>;
  return { device: word(device), job: word(job), detail: word(state) };
}

const word = (value: unknown): string | undefined => (typeof value === "string" && /^[\w:.-]{1,64}$/.test(value) ? value : undefined);
