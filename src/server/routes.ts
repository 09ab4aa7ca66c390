import type { Labels } from "../kernel/meter.js";
import type { z } from "../kernel/schema.js";
import type { Call, Handlers, ServerMethod } from "../protocol/call.js";
import type { Role } from "../protocol/method.js";
import { type MethodName, methods, type Params, type Result } from "../protocol/methods.js";
import type { Auditor } from "./auditor.js";
import type { Session } from "./session.js";

/** What dispatching one method needs, looked up once. */
export interface Route {
  readonly method: MethodName;
  readonly roles: readonly Role[];
  readonly params: z.ZodType;
  readonly handle: (params: unknown, call: Call, session: Session) => unknown;
  readonly job: boolean;
  readonly stages: readonly string[];
  /** One object per outcome, so that the meter finds its series by identity. */
  readonly outcomes: Map<string, Labels>;
  readonly succeeded: Labels;
}

/** The methods of a session that has said hello and that the server answers by itself. */
export type SessionHandlers = {
  readonly [M in Exclude<ServerMethod, "session.hello">]: (params: Params<M>, session: Session) => Result<M>;
} & { endingCitizen(session: Session): void };

/** The methods of the protocol, all but `session.hello`, which belongs to the connection. */
export function createRoutes(handlers: Handlers, own: SessionHandlers, auditor?: Auditor): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  for (const method of Object.keys(methods) as MethodName[]) {
    if (method === "session.hello") continue;
    const { params, roles, job, stages } = methods[method] as (typeof methods)[MethodName] & { job?: true; stages?: readonly string[] };
    const plain = handlerOf(method, handlers, own);
    const handle = auditor?.watched(method, plain) ?? plain;
    const succeeded = { method, outcome: "ok" };
    routes.set(method, { method, roles, params, handle, job: job === true, stages: stages ?? [], outcomes: new Map(), succeeded });
  }
  return routes;
}

function handlerOf(method: Exclude<MethodName, "session.hello">, handlers: Handlers, own: SessionHandlers): Route["handle"] {
  // The schema of the same method makes the params: the one place where the types of all methods meet.
  if (method === "events.subscribe" || method === "events.unsubscribe") {
    return (params, _call, session) => own[method](params as never, session);
  }
  const handle = handlers[method] as (params: unknown, call: Call) => unknown;
  if (method !== "session.endCitizen") return handle;
  return (params, call, session) => {
    own.endingCitizen(session);
    return handle(params, call);
  };
}

/** Labels of a failed request. Kinds and methods are closed lists, so their number is bounded. */
export function failed(route: Route, kind: string): Labels {
  let labels = route.outcomes.get(kind);
  if (labels === undefined) {
    labels = { method: route.method, outcome: kind };
    route.outcomes.set(kind, labels);
  }
  return labels;
}
