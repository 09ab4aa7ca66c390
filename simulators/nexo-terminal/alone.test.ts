import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PeerCertificate } from "node:tls";
import { expect, it } from "vitest";
import { systemClock } from "../../src/kernel/clock.js";
import { systemRandom } from "../../src/kernel/random.js";
import { createSimulation } from "../../src/simulation.js";
import { runSimulator } from "../run.js";

/** The HTTP status of nothing, and the name in the certificate that was believed. */
const knock = (port: number, ca: string): Promise<{ status: number | undefined; name: string }> =>
  new Promise((resolve, reject) => {
    let name = "";
    const checkServerIdentity = (_host: string, { subject }: PeerCertificate): undefined => {
      name = String(subject.CN);
      return undefined;
    };
    request({ host: "127.0.0.1", port, path: "/nexo/", method: "POST", agent: false, ca, checkServerIdentity }, (answer) => {
      answer.resume().on("end", () => resolve({ status: answer.statusCode, name }));
    })
      .on("error", reject)
      .end("{}");
  });
const NAME = "V400m-346403161.test.terminal.adyen.com";

it("runs by itself, and leaves its authority in a file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stationd-nexo-"));
  const authorityFile = join(folder, "ca.pem");
  const ending = new AbortController();
  let tell = (_address: string): void => {};
  const listening = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const run = { kind: "nexo-terminal", wire: "tcp:127.0.0.1:0", options: {}, authorityFile, signal: ending.signal };
  const running = runSimulator({ ...run, onListening: tell });
  try {
    const port = Number((await listening).split(":").at(-1));
    const authority = await readFile(authorityFile, "utf8");
    expect(authority).not.toContain("PRIVATE");
    // Several at once.
    const both = await Promise.all([knock(port, authority), knock(port, authority)]);
    expect(both).toEqual([
      { status: 401, name: NAME },
      { status: 401, name: NAME },
    ]);
  } finally {
    ending.abort();
    await running;
    await rm(folder, { recursive: true });
  }
});

it("what has no certificate says so, and a file that cannot be written is named", async () => {
  const { signal } = new AbortController();
  const run = { wire: "tcp:127.0.0.1:0", options: {}, signal };
  await expect(runSimulator({ ...run, kind: "zvt-terminal", authorityFile: "ca.pem" })).rejects.toMatchObject({ kind: "unsupported" });
  await expect(runSimulator({ ...run, kind: "nexo-terminal", authorityFile: "/nowhere/ca.pem" })).rejects.toMatchObject({
    kind: "invalid_params",
  });
});

it("in an agent's simulation it hands out its authority and name, the same for the same wish", async () => {
  const simulation = createSimulation(systemClock(), systemRandom);
  try {
    const made = await simulation.add("pay", "nexo-terminal", { hostMs: 0 });
    expect(made.tlsName).toBe(NAME);
    expect(await knock(made.port, made.authority ?? "")).toEqual({ status: 401, name: NAME });
    expect(await simulation.add("pay", "nexo-terminal", { hostMs: 0 })).toEqual(made);
    expect(await simulation.add("scanner", "barcode-scanner", {})).toEqual({ host: "127.0.0.1", port: expect.any(Number) });
    // Another one has another authority.
    const other = await simulation.add("pay-2", "nexo-terminal", {});
    await expect(knock(other.port, made.authority ?? "")).rejects.toThrow();
  } finally {
    await simulation.stop();
  }
});
