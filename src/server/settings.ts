import type { Role } from "../protocol/method.js";

/** A token as stored: never the token itself. */
export interface TokenSettings {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the token, lower-case hexadecimal. */
  readonly sha256: string;
}

/** Where the server listens and whom it lets in. */
export interface ServerSettings {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Exact origins that get the kiosk role. */
  readonly origins: readonly string[];
  /** Exact values of `Host` besides those of host and port. */
  readonly hosts: readonly string[];
  /** Uids that a loopback peer must have; empty: not checked. */
  readonly kioskUids: readonly number[];
  readonly allowRemote: boolean;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly serviceSocket: string | undefined;
  readonly technicianSocket: string | undefined;
  readonly tokens: readonly TokenSettings[];
  /** Serves the technicians' page at `/console/`, and lets its origin in with a technician's token. */
  readonly console?: boolean;
}
