import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { drivers } from "../drivers/index.js";
import { parseConfig } from "./load.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** Where the package is unpacked, its own Node in `node`: systemd/README.md. */
const INSTALLED = "/usr/lib/stationd";
const shipped = (name: string): Promise<string> => readFile(join(ROOT, "systemd", name), "utf8");
/** Users can only be made in another root by root itself. */
const canMakeUsers = process.getuid?.() === 0 && spawnSync("systemd-sysusers", ["--version"]).status === 0;

describe("the files of systemd/", () => {
  it("name only paths that the package has", async () => {
    const { files } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { files: string[] };
    const texts = await Promise.all(["stationd.service", "stationd.tmpfiles.conf", "stationd.sysusers.conf", "stationd.toml"].map(shipped));
    const named = new Set(texts.flatMap((text) => text.match(/\/usr\/lib\/stationd\/[\w./-]*\w/g) ?? []));
    expect([...named]).toContain(`${INSTALLED}/node/bin/node`);
    for (const path of named) {
      const inside = path.slice(INSTALLED.length + 1);
      if (inside.startsWith("node/")) continue;
      expect(
        files.some((entry) => inside === entry || inside.startsWith(`${entry}/`)),
        `${path} is packed`,
      ).toBe(true);
      // What is built may not be built yet where this test runs.
      if (!inside.startsWith("dist/")) expect(existsSync(join(ROOT, inside)), path).toBe(true);
    }
  });

  it("put the sample's sockets into the folders that carry the permissions, and its origin into the browser's policy", async () => {
    const { server } = parseConfig(await shipped("stationd.toml"), "stationd.toml", drivers);
    const folders = [...(await shipped("stationd.tmpfiles.conf")).matchAll(/^d (\S+) +2750 /gm)].map(([, path]) => path);
    expect([server.serviceSocket, server.technicianSocket].map((path) => dirname(path ?? ""))).toEqual(folders);
    const policy = JSON.parse(await shipped("chromium-policy.json")) as { LoopbackNetworkAllowedForUrls: string[] };
    expect(policy.LoopbackNetworkAllowedForUrls).toEqual(server.origins);
  });

  it.skipIf(!canMakeUsers)("make the users, and the folders that belong to them", async () => {
    const root = await mkdtemp(join(tmpdir(), "stationd-installed-"));
    try {
      await mkdir(join(root, "etc"));
      const make = (program: string, ...args: string[]) => expect(spawnSync(program, args, { encoding: "utf8" }).status).toBe(0);
      make("systemd-sysusers", "--root", root, join(ROOT, "systemd/stationd.sysusers.conf"));
      make("systemd-tmpfiles", "--create", "--root", root, join(ROOT, "systemd/stationd.tmpfiles.conf"));
      const groups = await readFile(join(root, "etc/group"), "utf8");
      for (const role of ["service", "technician"]) {
        const { mode, gid } = await stat(join(root, "run/stationd", role));
        expect((mode & 0o7777).toString(8)).toBe("2750");
        expect(groups).toContain(`stationd-${role}:x:${gid}:`);
      }
      expect((await stat(join(root, "etc/stationd/credentials"))).mode & 0o777).toBe(0o700);
      expect((await stat(join(root, "var/lib/stationd"))).mode & 0o777).toBe(0o700);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
