import type { Role } from "../protocol/method.js";
import { SOCKET_PATH, SUBPROTOCOL } from "../protocol/version.js";
import type { ServerSettings } from "./settings.js";

/** The door a connection came through; the two Unix sockets are told apart by their file permissions. */
export type Door = "tcp" | "service" | "technician";

export type RefusalReason =
  | "host"
  | "origin"
  | "origin_null"
  | "peer_uid"
  | "subprotocol"
  | "path"
  | "too_many_attempts"
  | "too_many_connections"
  | "too_many_failures"
  | "stopping"
  | "no_hello"
  | "bad_hello"
  | "bad_token"
  | "token_missing"
  | "protocol_mismatch"
  | "no_longer_admitted"
  | "metrics_token";

export interface Refusal {
  readonly status: number;
  readonly reason: RefusalReason;
}

/** Whom a connection speaks for without any token. */
export interface Identity {
  readonly principal: string;
  readonly role: Role;
}

/** What an upgrade request says of itself. Each header as every value that was sent, so that a second one cannot hide. */
export interface UpgradeFacts {
  readonly door: Door;
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
  readonly subprotocols: readonly string[];
  readonly path: string;
  /** The peer's address is one of loopback. */
  readonly loopback: boolean;
}

/** The exact lists, made once per settings. */
export interface AdmissionRules {
  readonly hosts: ReadonlySet<string>;
  readonly origins: ReadonlySet<string>;
  /** Of the console that this agent serves itself; empty where it does not. They prove nothing: a technician's token does. */
  readonly consoles: ReadonlySet<string>;
  readonly kioskUids: ReadonlySet<number>;
}

/** Is this host name or address of the machine itself, whatever a name server says. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").replace(/^::ffff:/i, "");
  return bare === "localhost" || bare === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(bare);
}

function originAllowed(origin: string): boolean {
  if (origin === "null" || !URL.canParse(origin)) return false;
  const url = new URL(origin);
  return url.protocol !== "http:" || isLoopback(url.hostname);
}

/** `port` is the one really listened on. */
export function admissionRules(settings: ServerSettings, port: number): AdmissionRules {
  const names = isLoopback(settings.host) ? ["127.0.0.1", "localhost", "[::1]"] : [];
  const own = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
  const defaultPort = settings.tls === undefined ? 80 : 443;
  const hosts = [own, ...names].flatMap((name) => (port === defaultPort ? [name, `${name}:${port}`] : [`${name}:${port}`]));
  const served = [...hosts, ...settings.hosts].map((host) => host.toLowerCase());
  const scheme = settings.tls === undefined ? "http" : "https";
  const consoles = settings.console === true ? served.map((host) => `${scheme}://${host}`) : [];
  return {
    hosts: new Set(served),
    origins: new Set(settings.origins.filter(originAllowed)),
    consoles: new Set(consoles.filter(originAllowed)),
    kioskUids: new Set(settings.kioskUids),
  };
}

/**
 * DNS rebinding ends here: a page that resolved its own name to this machine still sends its own name.
 * No browser reaches a Unix socket, and its clients send any Host or none.
 */
export function refuseHost(door: Door, hosts: readonly string[], rules: AdmissionRules): Refusal | undefined {
  if (door !== "tcp") return undefined;
  const [host, ...more] = hosts;
  return host !== undefined && more.length === 0 && rules.hosts.has(host.toLowerCase()) ? undefined : { status: 403, reason: "host" };
}

/** A missing Origin is no browser: it passes here, and needs a token at `session.hello`. */
export function refuseOrigin({ door, origins }: UpgradeFacts, rules: AdmissionRules): Refusal | undefined {
  if (door !== "tcp" || origins.length === 0) return undefined;
  const [origin, ...more] = origins;
  if (origin === "null") return { status: 403, reason: "origin_null" };
  const known = origin !== undefined && (rules.origins.has(origin) || rules.consoles.has(origin));
  return known && more.length === 0 ? undefined : { status: 403, reason: "origin" };
}

/** Did the page come from this agent itself. Also where its origin is listed as a kiosk's: the stricter of the two counts. */
export function isConsole({ door, origins }: UpgradeFacts, rules: AdmissionRules): boolean {
  return door === "tcp" && origins.length === 1 && rules.consoles.has(origins[0] ?? "");
}

/** Any local process can forge an Origin, but not the uid that the kernel tells. An unknown uid is refused where uids are listed. */
export function refusePeer({ door, loopback }: UpgradeFacts, uid: number | undefined, rules: AdmissionRules): Refusal | undefined {
  if (door !== "tcp" || !loopback || rules.kioskUids.size === 0) return undefined;
  return uid !== undefined && rules.kioskUids.has(uid) ? undefined : { status: 403, reason: "peer_uid" };
}

export function refuseTarget({ subprotocols, path }: UpgradeFacts): Refusal | undefined {
  if (!subprotocols.includes(SUBPROTOCOL)) return { status: 400, reason: "subprotocol" };
  return path === SOCKET_PATH ? undefined : { status: 404, reason: "path" };
}

/** Undefined: only a token can tell. */
export function identityOf({ door, origins }: UpgradeFacts): Identity | undefined {
  if (door === "service") return { principal: "socket:service", role: "kiosk" };
  if (door === "technician") return { principal: "socket:technician", role: "technician" };
  const [origin] = origins;
  return origin === undefined ? undefined : { principal: `origin:${origin}`, role: "kiosk" };
}

/** An Origin as a log may show it: a plain origin of sensible length, or nothing. The header may hold anything. */
export function printableOrigin(origin: string | undefined): string | undefined {
  if (origin === undefined || origin.length > 120 || !URL.canParse(origin)) return undefined;
  return new URL(origin).origin === origin ? origin : undefined;
}
