import { stringify } from "smol-toml";
import { Secret } from "../kernel/secret.js";
import type { StationConfig } from "./types.js";

/**
 * What the agent makes of a config, every default filled in, as TOML. Secrets show as "[secret]": values that
 * their driver's schema wraps, and, because a driver may forget to, whatever is called like one.
 */
export function showConfig(config: StationConfig): string {
  return stringify(effectiveConfig(config));
}

/** The same for `--json`. */
export function effectiveConfig({ agent, server, console, devices }: StationConfig): Record<string, unknown> {
  const { kioskUids, tls, serviceSocket, technicianSocket, tokens, ...rest } = server;
  return {
    agent: { ...agent },
    server: {
      ...rest,
      kioskUsers: [...kioskUids],
      ...(tls ? { tls: { ...tls } } : {}),
      serviceSocket: serviceSocket ?? false,
      technicianSocket: technicianSocket ?? false,
      tokens: tokens.map(({ name, role }) => ({ name, role, sha256: "[secret]" })),
    },
    console: { ...console },
    devices: Object.fromEntries(
      devices.map(({ id, driver, enabled, link, settings }) => [
        id,
        { driver: driver.id, enabled, link: withoutSecrets(link), ...(withoutSecrets(settings) as object) },
      ]),
    ),
  };
}

const SECRET_NAME = /pass(word|phrase|wd)?$|secret|token|credential|(^|[a-z_-])(pin|key)$/i;

/** A copy in which secrets show as "[secret]". */
export function withoutSecrets(value: unknown, name = ""): unknown {
  if (value instanceof Secret) return "[secret]";
  if (Array.isArray(value)) return value.map((entry) => withoutSecrets(entry, name));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, entry]) => entry !== undefined && entry !== null)
        .map(([key, entry]) => [key, withoutSecrets(entry, key)]),
    );
  }
  return SECRET_NAME.test(name) && typeof value === "string" ? "[secret]" : value;
}
