import type { AnyDriver } from "../contracts/driver.js";
import { drivers } from "../drivers/index.js";
import { LinkSettings } from "../transports/settings.js";
import { choicesOf, expectation, inputSchema, type Schema } from "./json-schema.js";
import { DeviceTable, StationFile } from "./station-file.js";

/** docs/configuration.md: every key of a config file, from the very schemas that check it. */
export function configReference(registry: readonly AnyDriver[] = drivers): string {
  const file = inputSchema(StationFile).properties ?? {};
  const server = file.server ?? {};
  const links = inputSchema(LinkSettings).oneOf ?? [];
  return `${[
    "# Configuration",
    "Generated from the schemas by `stationd config reference`; do not edit.",
    "One TOML file, UTF-8. Check it with `stationd config check FILE`, see what the agent makes of it with `stationd config show FILE`. Unknown keys are errors. `SIGHUP` (`systemctl reload stationd`) reads the file again: only devices whose tables changed are opened anew, and a file with errors changes nothing. A sample is in `systemd/stationd.toml`.",
    "## `[agent]`",
    table(file.agent ?? {}),
    "## `[server]`",
    table(server, ["tokens"]),
    "### `[[server.tokens]]`",
    server.properties?.tokens?.description ?? "",
    "A token is 128 random bits or more. Make one with `openssl rand -hex 32 | tee token | tr -d '\\n' | sha256sum`.",
    table(server.properties?.tokens?.items ?? {}),
    "## `[console]`",
    table(file.console ?? {}),
    "## `[devices.ID]`",
    "One table per device. `ID` is at most 32 lower-case letters, digits and dashes, and starts with a letter: it is what clients call the device. Besides these keys each table has those of its driver.",
    table(inputSchema(DeviceTable)),
    "### `link`",
    'How the device is reached: `link = { kind = "tcp", host = "192.0.2.10", port = 9100 }`. Which kinds make sense is said with each driver; `simulator` goes with all of them, in a demo or a test.',
    ...links.flatMap((link) => [`#### kind \`${String(link.properties?.kind?.const)}\``, table(link, ["kind"])]),
    "### Drivers",
    ...registry.flatMap((driver) => [
      `#### driver \`${driver.id}\``,
      `${driver.summary} Class \`${driver.class}\`; links: ${driver.links.map((kind) => `\`${kind}\``).join(", ")}.`,
      table(inputSchema(driver.config)),
    ]),
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

function table({ properties, ...schema }: Schema, without: readonly string[] = []): string {
  const shown = Object.fromEntries(Object.entries(properties ?? {}).filter(([key]) => !without.includes(key)));
  const rows = rowsOf({ ...schema, properties: shown }, "");
  if (rows.length === 0) return "No keys of its own.";
  return ["| key | value | default | meaning |", "|---|---|---|---|", ...rows.map(row)].join("\n");
}

/** Tables inside a table are told with dotted keys, right below it. */
function rowsOf(schema: Schema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const name = `${prefix}${key}`;
    const required = schema.required?.includes(key) === true;
    const inner = property.properties ? rowsOf(property, `${name}.`) : [];
    return [[`\`${name}\``, valueText(property), defaultText(property, required), property.description ?? ""], ...inner];
  });
}

function valueText(schema: Schema): string {
  const choices = choicesOf(schema);
  if (choices) return choices.map((choice) => `\`${JSON.stringify(choice)}\``).join(", ");
  if (schema.type === "array" && schema.items && Object.keys(schema.items).length > 0)
    return `a list, each entry ${expectation(schema.items)}`;
  return expectation(schema);
}

function defaultText({ default: value }: Schema, required: boolean): string {
  if (value !== undefined) return `\`${JSON.stringify(value)}\``;
  return required ? "**required**" : "none";
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll(/\s+/g, " ")).join(" | ")} |`;
}
