import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, TomlError } from "smol-toml";
import type { AnyDriver } from "../contracts/driver.js";
import { drivers } from "../drivers/index.js";
import type { z } from "../kernel/schema.js";
import { LinkSettings } from "../transports/settings.js";
import { isLoopback } from "./addresses.js";
import { ConfigError, type ConfigProblem, pathText } from "./config-error.js";
import { didYouMean } from "./did-you-mean.js";
import { type ConfigEnvironment, processEnvironment } from "./environment.js";
import { type Explained, explain } from "./explain.js";
import { inputSchema, type Schema } from "./json-schema.js";
import { type KeyPath, keyPositions } from "./key-positions.js";
import { withOutsideDrivers } from "./outside-drivers.js";
import { DEVICE_KEYS, DeviceTable, StationFile } from "./station-file.js";
import type { DeviceConfig, StationConfig } from "./types.js";

/** Reads and parses a config file, and loads the drivers that it names from outside `registry`. @throws ConfigError, also where the file cannot be read */
export async function loadConfig(
  file: string,
  registry: readonly AnyDriver[] = drivers,
  environment?: ConfigEnvironment,
): Promise<StationConfig> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
  } catch (error) {
    throw new ConfigError(file, [{ path: "", message: unreadable(error) }]);
  }
  const { agent } = parseToml(text, file) as { agent?: { drivers?: unknown } };
  if (!Array.isArray(agent?.drivers)) return parseConfig(text, file, registry, environment);
  const found: Explained[] = [];
  const drivers = await withOutsideDrivers(agent.drivers, registry, (path, message) => void found.push({ path, message }));
  if (found.length > 0) throw new ConfigError(file, located(found, text));
  return parseConfig(text, file, drivers, environment);
}

function unreadable(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "this user may not read the file";
  if (code === "EISDIR") return "this is a folder, not a file";
  if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return "the file is not UTF-8 text";
  return "the file cannot be read";
}

/**
 * The configuration that a TOML text describes, with every default filled in.
 * `file` is for messages only. @throws ConfigError with every problem that was found; nothing else
 */
export function parseConfig(
  text: string,
  file: string,
  registry: readonly AnyDriver[],
  environment: ConfigEnvironment = processEnvironment(),
): StationConfig {
  const root = parseToml(text, file);
  const found: Explained[] = [];
  const problem = (path: KeyPath, message: string): void => void found.push({ path, message });

  const parsed = StationFile.safeParse(root);
  if (!parsed.success) found.push(...explain(parsed.error.issues, inputSchema(StationFile), root));
  const tables = isTable(root.devices) ? Object.entries(root.devices) : [];
  const devices = tables.flatMap(([id, table]) => parseDevice(id, table, registry, problem) ?? []);
  const config = parsed.success ? assemble(parsed.data, devices, environment, problem) : undefined;

  if (config) checkWhole(config, problem);
  if (config && found.length === 0) return config;
  throw new ConfigError(file, located(found, text));
}

function parseToml(text: string, file: string): Record<string, unknown> {
  try {
    // The keys that could reach a prototype are refused; 32 levels are far more than any config has.
    return parse(text, { maxDepth: 32, unsafeKeyBehaviour: "throw" });
  } catch (error) {
    if (!(error instanceof TomlError)) throw new ConfigError(file, [{ path: "", message: "this is not TOML" }]);
    // Its message goes on with the lines around the fault, and one of those may hold a secret.
    const reason = error.message.split("\n")[0]?.replace("Invalid TOML document: ", "") ?? "syntax error";
    throw new ConfigError(file, [{ line: error.line, column: error.column, path: "", message: `this is not TOML: ${reason}` }]);
  }
}

type Report = (path: KeyPath, message: string) => void;

/** One device's table; undefined where it has problems, which were then reported. */
function parseDevice(id: string, table: unknown, registry: readonly AnyDriver[], problem: Report): DeviceConfig | undefined {
  const at = (path: KeyPath): KeyPath => ["devices", id, ...path];
  let sound = true;
  const refuse = (path: KeyPath, message: string): void => {
    sound = false;
    problem(at(path), message);
  };
  const check = <S extends z.ZodType>(schema: S, value: unknown, base: KeyPath, siblings?: readonly string[]): z.output<S> | undefined => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const description: Schema = inputSchema(schema);
    for (const issue of explain(result.error.issues, description, value, siblings ? { siblings } : {})) {
      refuse([...base, ...issue.path], issue.message);
    }
    return undefined;
  };

  if (!/^[a-z][a-z0-9-]{0,31}$/.test(id))
    refuse([], "a device's id has at most 32 lower-case letters, digits and dashes, and starts with a letter");
  const common = check(DeviceTable, table, []);
  if (!common || !isTable(table)) return undefined;
  const driver = registry.find((candidate) => candidate.id === common.driver);
  const wireless = driver?.links.every((kind) => kind === "none") && table.link === undefined;
  const link = check(LinkSettings, wireless ? { kind: "none" } : table.link, ["link"]);
  if (!driver) {
    refuse(["driver"], unknownDriver(common.driver, registry));
    return undefined;
  }
  const own = Object.fromEntries(Object.entries(table).filter(([key]) => !DEVICE_KEYS.some((known) => known === key)));
  const settings: unknown = check(driver.config, own, [], DEVICE_KEYS);
  // A simulator stands at the far end of any wire, where there is one.
  if (link && (link.kind !== "simulator" || driver.links.includes("none")) && !driver.links.includes(link.kind)) {
    refuse(["link", "kind"], `driver ${driver.id} does not speak over ${link.kind}: use ${driver.links.join(", ")}`);
  }
  return sound && link ? { id, driver, settings, link, enabled: common.enabled } : undefined;
}

function unknownDriver(name: string, registry: readonly AnyDriver[]): string {
  const known = registry.map((driver) => driver.id);
  const meant = didYouMean(name, known);
  const shown = JSON.stringify(name.slice(0, 32));
  return meant === undefined
    ? `there is no driver ${shown}; there are: ${known.join(", ")}`
    : `there is no driver ${shown}; did you mean "${meant}"?`;
}

function assemble(
  { agent, server, console }: StationFile,
  devices: readonly DeviceConfig[],
  environment: ConfigEnvironment,
  problem: Report,
): StationConfig {
  const stateDir = agent.stateDir ?? environment.stateDir;
  const kioskUids = server.kioskUsers.flatMap((user, index) => {
    const uid = typeof user === "number" ? user : environment.uidOf(user);
    if (uid === undefined)
      problem(["server", "kioskUsers", index], "there is no such user in /etc/passwd; give the uid instead of the name");
    return uid === undefined ? [] : [uid];
  });
  const socket = (told: string | false | undefined, name: string): string | undefined => {
    if (told !== undefined) return told === false ? undefined : told;
    return environment.runtimeDir === undefined ? undefined : join(environment.runtimeDir, name);
  };
  return {
    agent: {
      name: agent.name,
      mode: agent.mode,
      stateDir,
      trustDir: agent.trustDir ?? join(stateDir, "trust"),
      logLevel: agent.logLevel,
      drivers: agent.drivers,
    },
    server: {
      host: server.host,
      port: server.port,
      origins: server.origins,
      hosts: server.hosts,
      kioskUids: [...new Set(kioskUids)],
      allowRemote: server.allowRemote,
      tls: server.tls,
      serviceSocket: socket(server.serviceSocket, "service.sock"),
      technicianSocket: socket(server.technicianSocket, "technician.sock"),
      tokens: server.tokens,
      tokenFile: server.tokenFile ?? join(stateDir, "tokens.toml"),
    },
    console,
    devices,
  };
}

/** Rules that no single key can break. */
function checkWhole({ agent, server, devices }: StationConfig, problem: Report): void {
  for (const { id, link } of devices) {
    const simulated = link.kind === "simulator";
    if (simulated && agent.mode === "production") {
      problem(["devices", id, "link"], 'a production station has no simulators; set mode = "demo" under [agent], or use the real link');
    }
    if (!simulated && link.kind !== "none" && agent.mode === "demo") {
      problem(["devices", id, "link"], 'a demo has simulators only; set mode = "production" (or "test") under [agent] for a real device');
    }
  }
  if (!isLoopback(server.host)) {
    if (!server.allowRemote) problem(["server", "host"], "other machines reach this address: that needs allowRemote = true, and tls");
    if (!server.tls) problem(["server", "host"], "other machines reach this address: that needs tls = { certFile, keyFile }");
  }
  if (server.serviceSocket !== undefined && server.serviceSocket === server.technicianSocket) {
    problem(["server", "technicianSocket"], "is the same path as serviceSocket: the two grant different roles");
  }
  server.tokens.forEach(({ name, sha256 }, index) => {
    const earlier = server.tokens.slice(0, index);
    if (earlier.some((token) => token.name === name)) problem(["server", "tokens", index, "name"], "an earlier token has this name");
    if (earlier.some((token) => token.sha256 === sha256)) problem(["server", "tokens", index, "sha256"], "an earlier token has this hash");
  });
}

/** Problems with their lines, in the order in which they stand in the file. */
function located(found: readonly Explained[], text: string): ConfigProblem[] {
  const find = keyPositions(text);
  return found
    .map(({ path, message }) => ({ ...(find(path) ?? { line: 1, column: 1 }), path: pathText(path), message }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
