import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnyDriver } from "../contracts/driver.js";
import { DeviceError } from "../kernel/errors.js";
import { z } from "../kernel/schema.js";
import { Secret } from "../kernel/secret.js";
import { ConfigError, describeProblems } from "./config-error.js";
import { diffConfigs } from "./diff.js";
import { processEnvironment } from "./environment.js";
import { loadConfig, parseConfig } from "./load.js";
import { configReference } from "./reference.js";
import { effectiveConfig, showConfig } from "./show.js";

const registry: readonly AnyDriver[] = [
  {
    class: "printer",
    id: "escpos",
    summary: "Prints.",
    links: ["tcp", "serial"],
    config: z.strictObject({
      profile: z.enum(["generic", "clone"]).default("generic"),
      columns: z.int().min(10).max(80).default(48),
      labels: z.array(z.string().max(8)).optional(),
      pin: z
        .string()
        .min(4)
        .transform((pin) => new Secret(pin))
        .optional(),
      password: z.string().optional(),
    }),
    open: async () => {
      throw new DeviceError("unsupported");
    },
  },
];
const environment = {
  stateDir: "/var/lib/stationd",
  runtimeDir: "/run/stationd",
  uidOf: (name: string) => (name === "kiosk" ? 990 : undefined),
};
const parse = (text: string) => parseConfig(text, "station.toml", registry, environment);

function problems(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ConfigError) return describeProblems(error).split("\n");
    throw error;
  }
  return [];
}

const tcp = 'link = { kind = "tcp", host = "192.0.2.1", port = 9100 }';
const receipt = `[devices.receipt]\ndriver = "escpos"\n${tcp}\n`;

describe("parseConfig", () => {
  it("fills in every default", () => {
    expect(parse("")).toEqual({
      agent: {
        name: "station",
        mode: "production",
        stateDir: "/var/lib/stationd",
        trustDir: "/var/lib/stationd/trust",
        logLevel: "info",
        drivers: [],
      },
      server: {
        host: "127.0.0.1",
        port: 7870,
        origins: [],
        hosts: [],
        kioskUids: [],
        allowRemote: false,
        tls: undefined,
        serviceSocket: "/run/stationd/service.sock",
        technicianSocket: "/run/stationd/technician.sock",
        tokens: [],
        tokenFile: "/var/lib/stationd/tokens.toml",
      },
      console: { enabled: false },
      devices: [],
    });
    expect(parse("[console]\nenabled = true\n").console).toEqual({ enabled: true });
    const { devices } = parse(receipt);
    expect(devices).toMatchObject([
      {
        id: "receipt",
        enabled: true,
        settings: { profile: "generic", columns: 48 },
        link: { kind: "tcp", host: "192.0.2.1", port: 9100 },
      },
    ]);
    expect(devices[0]?.driver).toBe(registry[0]);
  });

  it("turns users into uids and can do without sockets", () => {
    const { server } = parse('[server]\nkioskUsers = ["kiosk", 990, 7]\nserviceSocket = false\ntechnicianSocket = "/run/t.sock"');
    expect(server.kioskUids).toEqual([990, 7]);
    expect(server.serviceSocket).toBeUndefined();
    expect(server.technicianSocket).toBe("/run/t.sock");
    expect(parseConfig("", "x", registry, { ...environment, runtimeDir: undefined }).server.serviceSocket).toBeUndefined();
  });

  it("reports every problem at once, each with line, column, path and what to do", () => {
    const text = `[agent]
mod = "demo"
[server]
port = "7870"
origins = ["https://a.vn", "https://*.vn", "https://a.vn"]
kioskUsers = ["nobody-here"]
[[server.tokens]]
name = "desk"
role = "simulator"
sha256 = "hunter2"
[devices.receipt]
driver = "escpso"
link = { kind = "tpc" }
[devices.label]
driver = "escpos"
enbled = false
columns = 200
labels = ["far too long", 3]
link = { kind = "tcp", host = "x", port = "9100", prot = 1 }
[devices.Slip]
driver = "escpos"
link = { kind = "file", path = "/dev/usb/lp0" }
`;
    expect(problems(text)).toEqual([
      'station.toml:2:1: agent.mod: unknown key; did you mean "mode"?',
      "station.toml:4:1: server.port: expected a whole number from 0 to 65535, got a string",
      "station.toml:5:28: server.origins[1]: expected an exact origin as browsers send it, such as https://kiosk.example.gov.vn; patterns are not allowed",
      "station.toml:5:44: server.origins[2]: is in the list twice",
      'station.toml:9:1: server.tokens[0].role: expected one of "kiosk", "technician", got a string',
      "station.toml:10:1: server.tokens[0].sha256: expected the SHA-256 of the token as 64 lower-case hexadecimal digits, got other text",
      'station.toml:12:1: devices.receipt.driver: there is no driver "escpso"; did you mean "escpos"?',
      'station.toml:13:10: devices.receipt.link.kind: expected one of "serial", "tcp", "usb", "file", "process", "pcsc", "https", "http", "hid", "sane", "video", "webcam", "none", "simulator"; did you mean "tcp"?',
      'station.toml:16:1: devices.label.enbled: unknown key; did you mean "enabled"?',
      "station.toml:17:1: devices.label.columns: expected a whole number from 10 to 80, got a larger one",
      "station.toml:18:11: devices.label.labels[0]: expected at most 8 characters",
      "station.toml:18:27: devices.label.labels[1]: expected a string, got a whole number",
      "station.toml:19:36: devices.label.link.port: expected a whole number from 1 to 65535, got a string",
      'station.toml:19:51: devices.label.link.prot: unknown key; did you mean "port"?',
      "station.toml:20:10: devices.Slip: a device's id has at most 32 lower-case letters, digits and dashes, and starts with a letter",
      "station.toml:22:10: devices.Slip.link.kind: driver escpos does not speak over file: use tcp, serial",
    ]);
    expect(problems('[server]\nkioskUsers = [0, "nobody-here"]')).toEqual([
      "station.toml:2:18: server.kioskUsers[1]: there is no such user in /etc/passwd; give the uid instead of the name",
    ]);
  });

  it("says what is missing, at the table that lacks it", () => {
    expect(problems('[devices.a]\nlink = { kind = "tcp", host = "h" }\n[devices.b]\ndriver = "escpos"')).toEqual([
      "station.toml:1:10: devices.a.driver: is missing: expected a string",
      "station.toml:3:10: devices.b.link: is missing: expected a table",
    ]);
  });

  it("tells syntax errors by line without repeating the line", () => {
    const [problem, ...others] = problems('[agent]\npassword = "hunter2" oops');
    expect(others).toEqual([]);
    expect(problem).toMatch(/^station\.toml:2:\d+: this is not TOML: /);
    expect(problem).not.toContain("hunter2");
    expect(problems("__proto__ = 1")).toHaveLength(1);
    expect(problems("[devices.constructor]")).toHaveLength(1);
    expect(problems(`a = ${"[".repeat(100)}`)).toHaveLength(1);
  });

  it("never repeats a value, wherever it was typed", () => {
    const secret = "hunter2-hunter2";
    for (const key of ["agent.name", "agent.mode", "server.port", "server.host", "server.tokens", "server.tls", "devices.a"]) {
      for (const value of [`"${secret}"`, `["${secret}"]`, `[["${secret}"]]`]) {
        expect(problems(`${key} = ${value}`).join()).not.toContain(secret);
      }
    }
    for (const key of ["pin", "columns", "profile", "labels", "enabled", "link", "link.kind"]) {
      expect(problems(`[devices.a]\ndriver = "escpos"\n${key} = "${secret}"`).join()).not.toContain(secret);
    }
  });

  describe("rules of the whole", () => {
    const simulator = '[devices.a]\ndriver = "escpos"\nlink = { kind = "simulator", simulator = "receipt-printer", speed = 3 }\n';
    it("keeps simulators out of production and real devices out of a demo", () => {
      expect(problems(simulator)).toEqual([expect.stringContaining("3:1: devices.a.link: a production station has no simulators")]);
      expect(problems(`[agent]\nmode = "demo"\n${receipt}`)).toEqual([expect.stringContaining("a demo has simulators only")]);
      expect(parse(`[agent]\nmode = "demo"\n${simulator}`).devices[0]?.link).toEqual({
        kind: "simulator",
        simulator: "receipt-printer",
        speed: 3,
      });
      expect(problems(`[agent]\nmode = "test"\n${simulator}${receipt}`)).toEqual([]);
      expect(problems(simulator.replace("driver", "enabled = false\ndriver"))).toHaveLength(1);
    });

    it("a driver without a wire needs no link, and takes none but that", () => {
      const wireless: AnyDriver = { ...(registry[0] as AnyDriver), id: "wireless", links: ["none"] };
      const found = (text: string): string[] => {
        try {
          return parseConfig(text, "station.toml", [wireless], environment).devices.map(({ link }) => link.kind);
        } catch (error) {
          return error instanceof ConfigError ? describeProblems(error).split("\n") : [];
        }
      };
      const table = '[devices.a]\ndriver = "wireless"\n';
      expect(found(table)).toEqual(["none"]);
      expect(found(`[agent]\nmode = "demo"\n${table}`)).toEqual(["none"]);
      for (const link of [tcp, 'link = { kind = "simulator", simulator = "receipt-printer" }']) {
        expect(found(`[agent]\nmode = "test"\n${table}${link}`)).toEqual([expect.stringContaining("does not speak over")]);
      }
    });

    it("opens to other machines only when told to, and with TLS", () => {
      expect(problems('[server]\nhost = "0.0.0.0"')).toHaveLength(2);
      expect(problems('[server]\nhost = "::"\nallowRemote = true')).toEqual([expect.stringContaining("needs tls")]);
      expect(problems('[server]\nhost = "::"\nallowRemote = true\ntls = { certFile = "/c", keyFile = "/k" }')).toEqual([]);
      expect(problems('[server]\nhost = "127.0.0.2"')).toEqual([]);
    });

    it("tells tokens and sockets apart", () => {
      const token = (name: string, digit: string) =>
        `[[server.tokens]]\nname = "${name}"\nrole = "kiosk"\nsha256 = "${digit.repeat(64)}"\n`;
      expect(problems(token("a", "1") + token("b", "2"))).toEqual([]);
      expect(problems(token("a", "1") + token("a", "2"))).toEqual([
        expect.stringContaining("6:1: server.tokens[1].name: an earlier token"),
      ]);
      expect(problems(token("a", "1") + token("b", "1"))).toEqual([expect.stringContaining("server.tokens[1].sha256: an earlier token")]);
      expect(problems('[server]\nserviceSocket = "/a"\ntechnicianSocket = "/a"')).toHaveLength(1);
      expect(problems('[server]\nserviceSocket = "a"\ntechnicianSocket = true')).toHaveLength(2);
      expect(problems(`[server]\nserviceSocket = "/${"a".repeat(107)}"`)).toHaveLength(1);
    });
  });

  it("makes a config or a ConfigError of any text", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc
        .array(
          fc.constantFrom(
            "[",
            "]",
            "{",
            "}",
            "=",
            ".",
            ",",
            '"',
            "\n",
            "agent",
            "server",
            "devices",
            "tokens",
            "driver",
            "link",
            "mode",
            '"escpos"',
            "1",
            "a",
            "'''",
          ),
          { maxLength: 40 },
        )
        .map((words) => words.join("")),
      fc
        .array(
          fc.tuple(
            fc.constantFrom(
              "agent.name",
              "server.port",
              "server.tls",
              "server.hosts",
              "devices.a",
              "devices.a.link",
              "devices.a.driver",
              "devices",
              "x",
            ),
            fc.constantFrom('"escpos"', "1", "true", "{}", "[]", "[[1]]", "1979-05-27", '{kind="tcp"}', "nan", '""'),
          ),
          { maxLength: 5 },
        )
        .map((pairs) => pairs.map(([key, value]) => `${key} = ${value}`).join("\n")),
    );
    fc.assert(
      fc.property(text, (toml) => {
        try {
          parse(toml);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          expect((error as ConfigError).problems.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("loadConfig", () => {
  it("says why a file cannot be read", async () => {
    const folder = mkdtempSync(join(tmpdir(), "stationd-config-"));
    try {
      const file = join(folder, "station.toml");
      const failure = async (path: string) =>
        describeProblems(
          await loadConfig(path, registry, environment).then(
            () => Promise.reject(new Error("loaded")),
            (error) => error,
          ),
        );
      expect(await failure(file)).toBe(`${file}: there is no such file`);
      expect(await failure(folder)).toBe(`${folder}: this is a folder, not a file`);
      writeFileSync(file, Uint8Array.of(0xff, 0xfe));
      expect(await failure(file)).toBe(`${file}: the file is not UTF-8 text`);
      writeFileSync(file, `\ufeff${receipt}`);
      expect((await loadConfig(file, registry, environment)).devices).toHaveLength(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is an error of the closed list with the problems as details", () => {
    expect(new ConfigError("f", [{ path: "", message: "m" }])).toMatchObject({
      kind: "invalid_params",
      message: "the configuration has one problem",
      details: { file: "f", problems: [{ path: "", message: "m" }] },
    });
  });
});

describe("processEnvironment", () => {
  it("prefers systemd's folders to those of the user", () => {
    expect(processEnvironment({ STATE_DIRECTORY: "/var/lib/a:/var/lib/b", RUNTIME_DIRECTORY: "/run/a" })).toMatchObject({
      stateDir: "/var/lib/a",
      runtimeDir: "/run/a",
    });
    expect(processEnvironment({ XDG_STATE_HOME: "/s", XDG_RUNTIME_DIR: "/r" })).toMatchObject({
      stateDir: "/s/stationd",
      runtimeDir: "/r/stationd",
    });
    expect(processEnvironment({ HOME: "/h" })).toMatchObject({ stateDir: "/h/.local/state/stationd", runtimeDir: undefined });
    expect(processEnvironment().uidOf("root")).toBe(0);
    expect(processEnvironment().uidOf("no such user")).toBeUndefined();
  });
});

describe("diffConfigs", () => {
  const device = (id: string, extra = "") => `[devices.${id}]\ndriver = "escpos"\n${extra}\n${tcp}\n`;
  it("tells what a reload has to touch", () => {
    const before = parse(device("same") + device("changed") + device("gone") + device("off") + device("pin", 'pin = "1234"'));
    const after = parse(
      `[agent]\nlogLevel = "warn"\n[server]\nport = 7871\n${device("new")}${device("off", "enabled = false")}${device("changed", "columns = 32")}${device("pin", 'pin = "4321"')}${device("same")}`,
    );
    expect(diffConfigs(before, after)).toEqual({
      added: ["new"],
      removed: ["gone"],
      changed: ["off", "changed", "pin"],
      unchanged: ["same"],
      keys: ["agent.logLevel", "server.port"],
    });
    expect(diffConfigs(before, before)).toMatchObject({ added: [], removed: [], changed: [], keys: [] });
  });
});

describe("showConfig", () => {
  it("writes a config that means the same, without its secrets", () => {
    const config = parse(`[server]\nkioskUsers = ["kiosk"]\norigins = ["https://a.vn"]\nserviceSocket = false\n${receipt}columns = 32\n`);
    expect(parse(showConfig(config))).toEqual(config);
    const secret = parse(
      `[devices.a]\ndriver = "escpos"\npin = "hunter2"\npassword = "hunter3"\n${tcp}\n[[server.tokens]]\nname = "n"\nrole = "kiosk"\nsha256 = "${"f".repeat(64)}"`,
    );
    const shown = showConfig(secret) + JSON.stringify(effectiveConfig(secret));
    expect(shown).toContain("[secret]");
    expect(shown).not.toMatch(/hunter|ffff/);
  });
});

describe("configReference", () => {
  it("names every key with its value, default and meaning", () => {
    const text = configReference(registry);
    expect(text).toContain("| `port` | a whole number from 0 to 65535 | `7870` | TCP port; 0 takes any free one. |");
    expect(text).toContain("| `tls.certFile` | a string | **required** | PEM file with the certificate and its chain. |");
    expect(text).toContain("#### driver `escpos`\n\nPrints. Class `printer`; links: `tcp`, `serial`.");
    expect(text).toContain('| `profile` | `"generic"`, `"clone"` | `"generic"` |  |');
    expect(text).toContain("#### kind `serial`");
  });
});
