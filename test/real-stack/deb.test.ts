import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOME, KEPT, PLACES } from "../../src/install/places.js";
import { type DebianRoot, dependsOf, missingForRoot, openDebianRoot, type Said } from "./deb-root.js";
import { type SixDevices, startSixDevices } from "./deb-station.js";

const execute = promisify(execFile);
const missing = await missingForRoot();
if (missing !== undefined) {
  if (process.env.STATIOND_REAL_STACK === "required") throw new RangeError(`STATIOND_REAL_STACK=required, but ${missing}`);
  console.warn(`SKIPPED: the Debian package in a fresh Debian, because ${missing}`);
}

const OLD = "0.1.0";
const NEW = "0.2.0-test.1";
const CONFIG = "/etc/stationd/stationd.toml";
const UNIT = "/usr/lib/systemd/system/stationd.service";
/** Stands where systemd's and udev's programs are found first, and writes down what they are told. */
const STUB = '#!/bin/sh\necho "$(basename "$0") $*" >>/tmp/told\n';
/** Takes what sd_notify sends, and lets go of the descriptors that come along: systemd-notify waits for that. */
const RECEIVER = `$| = 1; my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die; chmod 0777, $ARGV[0];
while (defined $s->recv(my $m, 4096)) { print "$m\\n" }`;
const STUBBED = { PATH: "/stubs:/usr/sbin:/usr/bin:/sbin:/bin" };

/**
 * What only holds with systemd as PID 1 is not seen here: the sandbox of the unit, its device and address filters, LoadCredential,
 * Restart and the watchdog's bite, udev's owners. The hardware lab has udev; of the unit systemd-analyze says what it would do.
 */
describe.skipIf(missing !== undefined)("the Debian package in a fresh Debian", { timeout: 300_000 }, () => {
  let folder: string;
  let root: DebianRoot;
  let six: SixDevices;
  let before: string[];
  let installed: string[];
  const debs: string[] = [];
  const over = new AbortController();
  const inRoot = (path: string): string => join(root.path, path);
  const read = (path: string): Promise<string> => readFile(inRoot(path), "utf8");

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "stationd-debs-"));
    const dist = process.env.STATIOND_DIST ?? "dist";
    // One with another umask: it must not show.
    const build = (version: string, umask: string) => {
      const words = ["scripts/package-deb.js", "--fast", "--dist", dist, "--out", folder, "--version", version];
      return execute("sh", ["-c", `umask ${umask}; exec "$0" "$@"`, process.execPath, ...words], { maxBuffer: 1e8, signal: over.signal });
    };
    for (const { stdout } of await Promise.all([build(OLD, "022"), build(NEW, "077")])) {
      console.log(stdout.trim());
      debs.push(/^(\S+\.deb): /.exec(stdout)?.[1] ?? "");
    }
    root = await openDebianRoot(await dependsOf(debs[0] ?? ""));
    for (const deb of debs) await copyFile(deb, inRoot(basename(deb)));
    for (const name of ["systemctl", "udevadm"]) {
      await mkdir(inRoot("stubs"), { recursive: true });
      await writeFile(inRoot(`stubs/${name}`), STUB);
      await chmod(inRoot(`stubs/${name}`), 0o755);
    }
    before = await root.paths();
    six = await startSixDevices();
  }, 600_000);
  afterAll(async () => {
    over.abort();
    await six?.[Symbol.asyncDispose]();
    await root?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const done = (said: Said): Said => {
    expect(said, said.out + said.note).toMatchObject({ code: 0 });
    return said;
  };
  const json = (said: Said): Record<string, unknown> => JSON.parse(done(said).out) as Record<string, unknown>;
  const deb = (index: number): string => `/${basename(debs[index] ?? "")}`;
  /** A person of the group that the README names. */
  const technician = (...args: string[]): Promise<Said> =>
    root.run(["setpriv", "--reuid=1234", "--regid=1234", "--groups=stationd-technician,stationd-service", "stationd", ...args]);

  let agent: ChildProcess | undefined;
  let told = "";
  let log = "";
  /** As the unit would: its user, its folders, its umask, its command line, its notify socket. */
  async function startByUnit(): Promise<void> {
    const unit = await read(UNIT);
    const setting = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1] ?? "";
    done(await root.run(setting("ExecStartPre").replace(/^\+/, "").split(" ")));
    const listening = spawn("perl", ["-MIO::Socket::UNIX", "-e", RECEIVER, inRoot("run/notify")], { stdio: ["ignore", "pipe", "inherit"] });
    told = "";
    listening.stdout.setEncoding("utf8").on("data", (text: string) => {
      told += text;
    });
    while (!(await stat(inRoot("run/notify")).catch(() => undefined))) await new Promise((resolve) => setTimeout(resolve, 20));
    const drop = [`--reuid=${setting("User")}`, `--regid=${setting("Group")}`, "--init-groups", "--no-new-privs", "--bounding-set=-all"];
    const child = root.start(
      ["sh", "-c", `umask ${setting("UMask")}; exec "$@"`, "sh", "setpriv", ...drop, ...setting("ExecStart").split(" ")],
      {
        NOTIFY_SOCKET: "/run/notify",
        WATCHDOG_USEC: "1000000",
        RUNTIME_DIRECTORY: `/run/${setting("RuntimeDirectory")}`,
        STATE_DIRECTORY: `/var/lib/${setting("StateDirectory")}`,
      },
    );
    log = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        log += text;
      });
    }
    child.once("close", () => listening.kill());
    agent = child;
    await tell("READY=1");
  }
  /** Waits until systemd would have been told this. */
  async function tell(word: string): Promise<void> {
    while (!told.includes(word)) {
      expect(agent?.exitCode, log).toBe(null);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  async function stopAgent(): Promise<void> {
    agent?.kill("SIGTERM");
    if (agent) expect(await once(agent, "close"), log).toEqual([0, null]);
    await rm(inRoot("run/notify"), { force: true });
  }

  test("two builds are the same but for the version: names, order, owners, modes and times", async () => {
    const list = async (file: string) => {
      const { stdout } = await execute("dpkg-deb", ["--contents", file], { maxBuffer: 1e8 });
      // The description that tells the version has another size.
      return stdout.replaceAll(/ +\d+ (\S+ \S+ \.\/usr\/lib\/stationd\/package\.json)/g, " $1");
    };
    const [older, newer] = [await list(debs[0] ?? ""), await list(debs[1] ?? "")];
    expect(newer).toBe(older);
    expect(older.split("\n").filter((line) => line !== "" && !/^(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x) root\/root /.test(line))).toEqual([]);
    const sums = async (file: string) => (await execute("dpkg-deb", ["--info", file, "md5sums"], { maxBuffer: 1e8 })).stdout.split("\n");
    const other = new Set(await sums(debs[0] ?? ""));
    expect((await sums(debs[1] ?? "")).filter((line) => !other.has(line)).map((line) => line.split("  ")[1])).toEqual([
      "usr/lib/stationd/package.json",
    ]);
  });

  test("installs with nothing but what it depends on: user, groups, files, and no question", async () => {
    const said = done(await root.run(["dpkg", "--force-unsafe-io", "--install", deb(0)]));
    expect(said.out).toContain("edit /etc/stationd/stationd.toml");
    installed = await root.paths();
    for (const { to, mode } of [...PLACES, ...KEPT]) expect((await stat(inRoot(to))).mode & 0o777, to).toBe(mode);
    const groups = await read("etc/group");
    const gid = (name: string): number => Number(new RegExp(`^${name}:x:(\\d+):`, "m").exec(groups)?.[1]);
    const owner = async (path: string) => {
      const { uid, gid: group, mode } = await stat(inRoot(path));
      return [uid === 0 ? "root" : "stationd", group, (mode & 0o7777).toString(8)];
    };
    expect(await owner(CONFIG)).toEqual(["root", gid("stationd"), "640"]);
    expect(await owner("etc/stationd")).toEqual(["root", gid("stationd"), "750"]);
    expect(await owner("etc/stationd/credentials")).toEqual(["root", 0, "700"]);
    expect(await owner("var/lib/stationd")).toEqual(["stationd", gid("stationd"), "700"]);
    expect(await owner("run/stationd/technician")).toEqual(["stationd", gid("stationd-technician"), "2750"]);
    expect(await owner("run/stationd/service")).toEqual(["stationd", gid("stationd-service"), "2750"]);
    expect(await read("etc/passwd")).toMatch(/^stationd:x:\d+:\d+:.*:\/usr\/sbin\/nologin$/m);
    expect(installed).toContain("etc/systemd/system/multi-user.target.wants/stationd.service");
    expect(done(await root.run(["dpkg", "--verify", "stationd"])).out).toBe("");
    expect(done(await root.run(["stationd", "config", "check", CONFIG])).out).toContain("good");
    const pin = JSON.parse(await readFile("systemd/debian/node.json", "utf8")) as { version: string };
    expect(done(await root.run(["stationd", "version"])).out).toBe(`stationd ${OLD} (Node ${pin.version})\n`);
    // Every native part finds its libraries.
    const parts = installed.filter((path) => path.startsWith(HOME.slice(1)) && /\.node$|\/bin\/node$/.test(path));
    expect(parts.length).toBeGreaterThan(6);
    const linked = await root.run(["ldd", ...parts.map((path) => `/${path}`)]);
    expect(linked.out.split("\n").filter((line) => line.includes("not found"))).toEqual([]);
  });

  test("systemd accepts the unit where it lies, and finds it little exposed", async () => {
    const { stderr } = await execute("systemd-analyze", [
      "verify",
      "--man=no",
      "--recursive-errors=no",
      `--root=${root.path}`,
      "stationd.service",
    ]);
    const complaints = stderr.split("\n").filter((line) => line.includes("stationd"));
    const { stdout } = await execute("systemd-analyze", [
      "security",
      "--offline=true",
      "--no-pager",
      `--root=${root.path}`,
      "stationd.service",
    ]);
    const [line = "", figure] = /Overall exposure level for \S+: (\d+\.\d+).*/.exec(stdout) ?? [];
    console.log(`systemd-analyze verify: ${complaints.length} complaints; security: ${line}`);
    expect(complaints).toEqual([]);
    expect(Number(figure)).toBeLessThanOrEqual(2.0);
  });

  test("starts by its unit's command line as its user, and its six devices are used by the installed command", async () => {
    await writeFile(
      inRoot(CONFIG),
      `${(await read(CONFIG)).split("[devices.")[0]}\n# edited here\n\n${six.toml}`.replace("[server]", "[server]\nport = 0"),
    );
    for (const [name, bytes] of six.issuers) {
      await writeFile(inRoot(`tmp/${name}`), bytes);
      done(await root.run(["stationd", "trust", "import", `/tmp/${name}`]));
    }
    await startByUnit();
    // No other user, and not even root's group, has a way in but by the groups.
    expect((await root.run(["setpriv", "--reuid=1234", "--regid=1234", "--clear-groups", "stationd", "devices"])).code).toBe(3);
    while ((await technician("status")).code !== 0) expect(agent?.exitCode, log).toBe(null);
    const { devices } = json(await technician("devices", "--json")) as { devices: object[] };
    expect(devices).toHaveLength(6);
    for (const device of devices) expect(device).toMatchObject({ state: "ready" });
    expect(JSON.stringify(devices)).not.toContain('"simulated":true');

    await writeFile(inRoot("tmp/slip.txt"), "PHIẾU HẸN\n");
    const printed = json(await technician("print", "/tmp/slip.txt", "--wait", "--key", "deb-print-0001", "--json"));
    expect(printed).toMatchObject({ state: "printed", confirmation: "confirmed" });
    expect(json(await technician("pay", "25000", "--yes", "--key", "deb-pay-0001", "--json"))).toMatchObject({ state: "approved" });
    const card = json(await technician("read-card", "--can", "412345", "--json"));
    expect(card).toMatchObject({ verdicts: { signature: "valid", hashes: "match", issuer: "trusted", chip: "genuine" } });
    done(await technician("scan-document", "--out", "/tmp/pages.pdf"));
    expect((await read("tmp/pages.pdf")).slice(0, 5)).toBe("%PDF-");
    done(await technician("snapshot", "--out", "/tmp/face.jpg"));
    expect((await readFile(inRoot("tmp/face.jpg"))).subarray(0, 2).toString("hex")).toBe("ffd8");
    const scanning = technician("scan", "--timeout", "60");
    let scanned: Said | undefined;
    void scanning.then((said) => {
      scanned = said;
    });
    // Codes that nobody waits for are dropped, so it is shown until somebody does.
    while (!scanned) {
      await six.act("scanner", "scan", { text: "HS-2026-000123" });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(done(await scanning).out).toBe("HS-2026-000123\n");

    await tell("WATCHDOG=1");
    await stopAgent();
    expect(told).toContain("STOPPING=1");
    expect(installed.filter((path) => path.startsWith("var/lib/stationd/"))).toEqual([]);
    expect((await stat(inRoot("var/lib/stationd/journal.sqlite"))).mode & 0o077).toBe(0);
  });

  test("doctor finds nothing wrong with what was installed", async () => {
    const { out } = await root.run(["stationd", "doctor", "--json"]);
    const { findings } = JSON.parse(out) as { findings: { id: string; verdict: string }[] };
    const ids = (verdict: string) => findings.filter((finding) => finding.verdict === verdict).map(({ id }) => id);
    // A Debian of so few packages has nobody who sets its clock.
    expect(ids("failure").filter((id) => id !== "clock.service")).toEqual([]);
    const ours = [
      "config.loads",
      "config.access",
      "software.node",
      "users.agent",
      "users.folders",
      "udev.rules",
      "unit.installed",
      "unit.enabled",
    ];
    expect(ids("ok")).toEqual(expect.arrayContaining(ours));
  });

  test("an upgrade stops the agent first, keeps what people edited and the journal, and starts it again", async () => {
    const config = await read(CONFIG);
    const policy = "etc/chromium/policies/managed/stationd.json";
    await writeFile(inRoot(policy), "{}\n");
    // Here systemd would be running.
    await mkdir(inRoot("run/systemd/system"), { recursive: true });
    const said = done(await root.run(["dpkg", "--force-unsafe-io", "--install", deb(1)], STUBBED));
    expect(said.out).not.toContain("edit /etc/stationd");
    expect((await read("tmp/told")).split("\n").filter((line) => /systemctl|reload/.test(line))).toEqual([
      "systemctl --quiet is-active stationd.service",
      "systemctl stop stationd.service",
      "udevadm control --reload",
      "systemctl daemon-reload",
      "systemctl start stationd.service",
    ]);
    await rm(inRoot("run/systemd"), { recursive: true });
    expect(done(await root.run(["stationd", "version"])).out).toContain(`stationd ${NEW} `);
    expect(await read(CONFIG)).toBe(config);
    expect(await read(policy)).toBe("{}\n");
    expect(done(await root.run(["dpkg", "--verify", "stationd"])).out).toBe("");
    await startByUnit();
    // Keys belong to who used them: print and pay go by the socket of local services.
    const service = ["--socket", "/run/stationd/service/service.sock"];
    expect(json(await technician("jobs", "get", "deb-print-0001", "--json", ...service))).toMatchObject({ state: "printed" });
    expect(json(await technician("jobs", "get", "deb-pay-0001", "--json", ...service))).toMatchObject({
      state: "approved",
      amountVnd: 25_000,
    });
    await stopAgent();
  });

  test("removed: nothing is left but configuration and journal; purged: nothing but the journal", async () => {
    const left = async () => (await root.paths()).filter((path) => !before.includes(path) && !/^var\/lib\/dpkg\/|^etc\/.*-$/.test(path));
    done(await root.run(["dpkg", "--remove", "stationd"]));
    const removed = await left();
    expect(
      removed.filter((path) => !/^(etc\/(stationd|chromium)|var\/lib\/(stationd|systemd)|etc\/systemd\/system)(\/|$)/.test(path)),
    ).toEqual([]);
    expect(removed).toEqual(expect.arrayContaining([CONFIG.slice(1), "var/lib/stationd/journal.sqlite"]));
    const said = done(await root.run(["dpkg", "--purge", "stationd"]));
    expect(said.out).toContain("it holds the payments");
    expect((await left()).filter((path) => !/^var\/lib\/stationd(\/|$)/.test(path))).toEqual([]);
    expect(await left()).toContain("var/lib/stationd/journal.sqlite");
  });

  test("`stationd install` from an unpacked package lays the same files, and `stationd uninstall` leaves what people need", async () => {
    done(await root.run(["dpkg-deb", "--extract", deb(0), "/opt/unpacked"]));
    const unpacked = `/opt/unpacked${HOME}`;
    const command = (...args: string[]) => root.run([`${unpacked}/node/bin/node`, `${unpacked}/dist/bundle/stationd.js`, ...args]);
    const told = done(await command("install", "--dry-run")).out;
    expect(await stat(inRoot(HOME)).catch(() => "none")).toBe("none");
    const said = done(await command("install")).out;
    expect(said.split("\n").filter((line) => !told.includes(line) && !/stationd\.toml|^Created/.test(line))).toEqual([]);
    const here = (paths: readonly string[]) =>
      paths.filter((path) => !/^(opt|var\/lib\/dpkg|usr\/share\/doc\/stationd|etc\/.*-$)/.test(path));
    const now = here(await root.paths()).filter((path) => !/^var\/lib\/stationd\//.test(path));
    expect(now.sort()).toEqual(here(installed).sort());
    expect(done(await root.run(["stationd", "version"])).out).toContain(`stationd ${OLD} `);
    done(await root.run(["stationd", "uninstall"]));
    const left = await root.paths();
    expect(left.filter((path) => path.startsWith(HOME.slice(1)))).toEqual([]);
    expect(left).toEqual(expect.arrayContaining([CONFIG.slice(1), "var/lib/stationd/journal.sqlite"]));
    for (const { to } of PLACES) expect(left).not.toContain(to.slice(1));
  });
});
