/** Hardware that was found, as a device of the configuration. */
export interface Found {
  /** What the device will be called, before others of the kind get a number: `receipt`. */
  readonly id: string;
  readonly driver: string;
  /** As the hardware names itself. */
  readonly what: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly link: Readonly<Record<string, Value>>;
  /** Choices that are open, and what has to be done first. */
  readonly notes?: readonly string[];
  /** Not certain what it is: a person chooses the driver first. */
  readonly open?: true;
}

type Value = string | number | { readonly hex: number } | readonly string[];

/** Found devices with ids of their own. */
export function named(found: readonly Found[]): Found[] {
  const counts = new Map<string, number>();
  return found.map((device) => {
    const count = (counts.get(device.id) ?? 0) + 1;
    counts.set(device.id, count);
    return count === 1 ? device : { ...device, id: `${device.id}-${count}` };
  });
}

/** Tables for the configuration. */
export function toToml(found: readonly Found[]): string {
  return found
    .map(({ id, driver, what, settings = {}, link, notes = [], open }) =>
      [
        ...[what, ...notes].map((text) => `# ${clean(text)}`),
        `[devices.${id}]`,
        `driver = ${quoted(driver)}`,
        ...(open ? ["enabled = false  # choose the driver, then take this line out"] : []),
        ...Object.entries(settings).map(([key, value]) => `${key} = ${quoted(value)}`),
        `link = { ${Object.entries(link)
          .map(([key, value]) => `${key} = ${valueText(value)}`)
          .join(", ")} }`,
        "",
      ].join("\n"),
    )
    .join("\n");
}

/** The same as JSON has it. */
export function toJson({ link, ...rest }: Found) {
  return {
    ...rest,
    link: Object.fromEntries(
      Object.entries(link).map(([key, value]) => [key, typeof value === "object" && !isList(value) ? value.hex : value]),
    ),
  };
}

function isList(value: Value): value is readonly string[] {
  return Array.isArray(value);
}

function valueText(value: Value): string {
  if (isList(value)) return `[${value.map(quoted).join(", ")}]`;
  if (typeof value === "object") return `0x${value.hex.toString(16).padStart(4, "0")}`;
  return typeof value === "number" ? String(value) : quoted(value);
}

/** What devices say of themselves is hostile: nothing in it ends a line or a string. */
function clean(text: string): string {
  return text
    .replaceAll(/[\p{C}\u2028\u2029]+/gu, " ")
    .trim()
    .slice(0, 200);
}

function quoted(text: string): string {
  return JSON.stringify(clean(text));
}
