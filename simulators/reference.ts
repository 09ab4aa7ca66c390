import { systemClock } from "../src/kernel/clock.js";
import { seededRandom } from "../src/kernel/random.js";
import { z } from "../src/kernel/schema.js";
import { simulatorKinds } from "./index.js";
import type { SimulatorKind } from "./simulator.js";

interface Property {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly anyOf?: readonly Property[];
}

const HEAD = `# Simulators

Generated from the simulators' own schemas by \`npm run docs\`; do not edit.

Each simulator is the far end of a wire: it sees bytes and answers bytes, as the device would, and shares no code with the driver that
is tried against it. Unknown commands are counted in its state, not ignored.

- In the demo and in tests, behind \`link = { kind = "simulator", simulator = "KIND", OPTION = … }\`, and worked by \`simulators.act\`.
- By itself, for any program: \`stationd simulate KIND --listen tcp:127.0.0.1:9100 | --pty PATH [--paper out.png] [--set OPTION=VALUE]\`
  (a pty needs socat). \`--gadget SERIAL\` makes it a USB device, \`--uhid SERIAL\` a HID device of this machine's kernel. What speaks TLS signs its certificate itself: \`--ca-out PEM\` writes whom to believe.`;

/** simulators/README.md */
export function simulatorReference(): string {
  return `${[HEAD, ...simulatorKinds.flatMap(kindReference)].join("\n\n")}\n`;
}

function kindReference(kind: SimulatorKind): string[] {
  const simulator = kind.create(kind.options.parse({}), { clock: systemClock(), random: seededRandom(1), changed() {} });
  const actions = Object.entries(simulator.actions).map(
    ([name, { summary, params }]) =>
      `| \`${name}\` | ${
        propertiesOf(params)
          .map(([key]) => `\`${key}\``)
          .join(", ") || "–"
      } | ${summary} |`,
  );
  const options = propertiesOf(kind.options).map(
    ([name, property]) =>
      `| \`${name}\` | ${values(property)} | ${property.default === undefined ? "–" : `\`${JSON.stringify(property.default)}\``} | ${property.description ?? ""} |`,
  );
  return [
    `## ${kind.kind}`,
    `${kind.summary}.`,
    ["| option | value | default | meaning |", "| --- | --- | --- | --- |", ...options].join("\n"),
    ["| action | params | what happens |", "| --- | --- | --- |", ...actions].join("\n"),
    `State: ${Object.keys(simulator.state())
      .map((key) => `\`${key}\``)
      .join(", ")}. Never what was printed or scanned.`,
  ];
}

function propertiesOf(schema: z.ZodType): [string, Property][] {
  const json = z.toJSONSchema(schema, { io: "input" }) as {
    properties?: Record<string, Property>;
    anyOf?: { properties?: Record<string, Property> }[];
  };
  return [json, ...(json.anyOf ?? [])].flatMap((one) => Object.entries(one.properties ?? {}));
}

function values(property: Property): string {
  if (property.enum) return property.enum.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
  if (property.anyOf) return property.anyOf.map(values).join(" or ");
  return property.type === "integer" ? "whole number" : (property.type ?? "");
}
