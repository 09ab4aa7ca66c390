import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import { type Random, randomId } from "../kernel/random.js";
import type { Caller, Station, StationEvent } from "../protocol/call.js";
import { methods, type Params, type Result } from "../protocol/methods.js";
import type { Mode, Topic } from "../protocol/session.js";
import { LIMITS, PROTOCOL } from "../protocol/version.js";
import type { Identity } from "./admission.js";
import { createEventStream, type EventStream, encodeEvent, isFor } from "./events.js";
import { invalidParams } from "./issues.js";
import type { TokenSettings } from "./settings.js";
import { findToken } from "./tokens.js";

/** Events kept for a client that is away; whoever misses more starts anew. */
const AWAY_EVENT_BYTES = 256 * 1024;

/** What a session needs of its connection. */
export interface SessionLink {
  /** Whom the door lets in without a token. */
  readonly identity: Identity | undefined;
  /** By the agent's own page for technicians. */
  readonly console: boolean;
  /** Of the process at the far end, where the kernel told it. */
  readonly uid: number | undefined;
  /** Writes an event; undefined while the client is slow. */
  eventOutlet(): ((message: string) => void) | undefined;
  /** Answers every wait that is under way with `reason`; jobs go on. */
  cancelWaits(reason: DeviceError): void;
  /** The session lives on in a newer connection. */
  supersede(): void;
}

/** A client as the station knows it. Outlives its connection by the time of grace. */
export interface Session {
  readonly caller: Caller;
  /** What it was let in with, where that was a token. */
  readonly token: TokenSettings | undefined;
  readonly events: EventStream;
  readonly link: SessionLink | undefined;
}

interface LiveSession extends Session {
  token: TokenSettings | undefined;
  link: SessionLink | undefined;
  grace: Disposable | undefined;
}

export interface Sessions {
  /** @throws DeviceError `invalid_params`, `protocol_mismatch` or `unauthorized`. The session is attached by `attach`, after the reply. */
  hello(params: unknown, link: SessionLink): { readonly session: Session; readonly result: Result<"session.hello"> };
  attach(session: Session, link: SessionLink): void;
  /** The connection is gone. The session waits for a resume, or ends now. */
  detach(session: Session, link: SessionLink, end: boolean): void;
  broadcast(event: StationEvent): void;
  subscribe(params: Params<"events.subscribe">, session: Session): Result<"events.subscribe">;
  unsubscribe(params: Params<"events.unsubscribe">, session: Session): Result<"events.unsubscribe">;
  /** Between two people, before the station does its part: nobody waits any more, and codes not handed over are forgotten. */
  endingCitizen(session: Session): void;
  count(): number;
  endAll(): void;
}

interface SessionsOptions {
  readonly station: Station;
  readonly mode: Mode;
  readonly agent: { readonly name: string; readonly version: string };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly simulatorTokens: { redeem(token: string): boolean };
  tokens(): readonly TokenSettings[];
}

interface Admitted {
  readonly identity: Identity;
  readonly token: TokenSettings | undefined;
}

/** Before the schema: a client of another major version may send a hello that this version cannot read. */
function refuseOtherMajor(params: unknown): void {
  const spoken = params as { protocol?: { major?: unknown } } | null | undefined;
  const major = spoken?.protocol?.major;
  if (!Number.isInteger(major) || major === PROTOCOL.major) return;
  throw new DeviceError("protocol_mismatch", {
    message: `this agent speaks ${PROTOCOL.major}.${PROTOCOL.minor}`,
    details: { spoken: [{ ...PROTOCOL }] },
  });
}

export function createSessions(options: SessionsOptions): Sessions {
  const { station, mode, agent, clock, random, log, simulatorTokens, tokens } = options;
  const sessions = new Map<string, LiveSession>();

  const admitted = (presented: string | undefined, { identity, console }: SessionLink): Admitted => {
    if (presented === undefined) {
      if (identity === undefined) throw new DeviceError("unauthorized", { message: "a token is needed" });
      return { identity, token: undefined };
    }
    const token = findToken(presented, tokens());
    if (console && token?.role !== "technician") {
      throw new DeviceError("unauthorized", { message: "the console takes a valid token of a technician" });
    }
    const simulators = mode !== "production";
    if (token !== undefined && (token.role !== "simulator" || simulators)) {
      return { identity: { principal: `token:${token.name}`, role: token.role }, token };
    }
    // One token, one connection: it is spent here.
    if (simulators && simulatorTokens.redeem(presented)) {
      return { identity: { principal: "token:simulator", role: "simulator" }, token: undefined };
    }
    throw new DeviceError("unauthorized", { message: "the token is not valid" });
  };

  const live = (session: Session): LiveSession | undefined => sessions.get(session.caller.session);
  const end = (session: LiveSession): void => {
    session.grace?.[Symbol.dispose]();
    sessions.delete(session.caller.session);
    log.info("session ended", { role: session.caller.role });
    station.sessionEnded(session.caller);
  };
  const open = ({ identity, token }: Admitted, client: string, console: boolean): LiveSession => {
    const { role, principal } = identity;
    const session: LiveSession = {
      caller: { session: randomId(random), role, principal, client, ...(console ? { console } : {}) },
      token,
      events: createEventStream(() => session.link?.eventOutlet()),
      link: undefined,
      grace: undefined,
    };
    sessions.set(session.caller.session, session);
    return session;
  };
  /** Only whoever could have had the session gets it back: the secret alone is not enough. */
  const resume = (secret: string | undefined, { identity }: Admitted, console: boolean): LiveSession | undefined => {
    const session = secret === undefined ? undefined : sessions.get(secret);
    if (session === undefined || session.caller.principal !== identity.principal || session.caller.role !== identity.role) return undefined;
    if ((session.caller.console === true) !== console) return undefined;
    // The client noticed the loss before the server did.
    session.link?.supersede();
    return sessions.has(session.caller.session) ? session : undefined;
  };

  return {
    hello(input, link) {
      refuseOtherMajor(input);
      const parsed = methods["session.hello"].params.safeParse(input);
      if (!parsed.success) throw invalidParams(parsed.error);
      const { client, token, resume: secret } = parsed.data;
      const who = admitted(token, link);
      const resumed = resume(secret, who, link.console);
      const session = resumed ?? open(who, `${client.name} ${client.version}`, link.console);
      // The one it came back with may be the successor of the one it was opened with.
      session.token = who.token;
      const { role } = session.caller;
      log.info("session opened", { role, reason: resumed === undefined ? "new" : "resumed" });
      return {
        session,
        result: {
          agent: { name: agent.name, version: agent.version },
          mode,
          protocol: { ...PROTOCOL },
          role,
          session: session.caller.session,
          resumed: resumed !== undefined,
          devices: station.snapshots(),
          limits: { ...LIMITS },
        },
      };
    },
    attach(session, link) {
      const known = live(session);
      if (known === undefined) return;
      known.grace?.[Symbol.dispose]();
      known.grace = undefined;
      known.link = link;
      station.resumed(known.caller);
      known.events.flush();
    },
    detach(session, link, endNow) {
      const known = live(session);
      if (known === undefined || known.link !== link) return;
      known.link = undefined;
      station.disconnected(known.caller);
      if (endNow) end(known);
      else known.grace = clock.timer(LIMITS.resumeWithinMs, () => end(known));
    },
    broadcast(event) {
      let encoded: ReturnType<typeof encodeEvent> | undefined;
      for (const session of sessions.values()) {
        if (!session.events.topics.has(event.topic) || !isFor(event, session.caller)) continue;
        encoded ??= encodeEvent(event, clock.now());
        session.events.deliver(encoded);
        if (session.link === undefined && session.events.waitingBytes > AWAY_EVENT_BYTES) end(session);
      }
    },
    subscribe({ topics }, session) {
      if (topics.includes("simulators") && session.caller.role !== "simulator") {
        throw new DeviceError("forbidden", { message: "topics: simulators is for the simulator role" });
      }
      const state: Partial<Record<Topic, unknown>> = {};
      for (const topic of topics) state[topic] = station.currentState(topic, session.caller);
      for (const topic of topics) session.events.topics.add(topic);
      return { seq: session.events.seq, state: state as Result<"events.subscribe">["state"] };
    },
    unsubscribe({ topics }, { events }) {
      for (const topic of topics) {
        events.topics.delete(topic);
        events.forget(topic);
      }
      return { topics: [...events.topics] };
    },
    endingCitizen(session) {
      session.link?.cancelWaits(new DeviceError("canceled", { message: "the citizen's session ended" }));
      session.events.forget("barcodeScanner");
    },
    count: () => sessions.size,
    endAll() {
      for (const session of [...sessions.values()]) end(session);
    },
  };
}
