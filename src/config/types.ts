import type { AnyDriver } from "../contracts/driver.js";
import type { Role } from "../protocol/method.js";
import type { Mode } from "../protocol/session.js";
import type { LinkSettings } from "../transports/settings.js";

/** The whole configuration, parsed, with every default filled in. */
export interface StationConfig {
  readonly agent: {
    readonly name: string;
    readonly mode: Mode;
    /** Journal, station key. Made with mode 0700. */
    readonly stateDir: string;
    /** CSCA certificates, master lists and CRLs of ID cards' issuers. */
    readonly trustDir: string;
    readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
    /** Modules that drivers were loaded from, besides the registry. */
    readonly drivers: readonly string[];
  };
  readonly server: {
    readonly host: string;
    /** 0: any free one (tests). */
    readonly port: number;
    /** Exact origins that get the kiosk role. */
    readonly origins: readonly string[];
    /** Exact values of `Host` besides those of host and port. */
    readonly hosts: readonly string[];
    /** Uids that a loopback peer must have; empty: not checked. */
    readonly kioskUids: readonly number[];
    readonly allowRemote: boolean;
    readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
    /** Unix sockets; undefined: none. */
    readonly serviceSocket: string | undefined;
    readonly technicianSocket: string | undefined;
    readonly tokens: readonly TokenConfig[];
    /** Tokens that `stationd token` looks after, read again when the file changes. */
    readonly tokenFile: string;
  };
  readonly console: {
    /** The technicians' page at `/console/`. */
    readonly enabled: boolean;
  };
  readonly devices: readonly DeviceConfig[];
}

/** A token as stored: never the token itself. */
export interface TokenConfig {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the token, lower-case hexadecimal. Tokens are 128 random bits or more, so a plain hash is enough. */
  readonly sha256: string;
}

export interface DeviceConfig {
  readonly id: string;
  readonly driver: AnyDriver;
  /** Parsed by the driver's own schema. */
  readonly settings: unknown;
  readonly link: LinkSettings;
  readonly enabled: boolean;
}
