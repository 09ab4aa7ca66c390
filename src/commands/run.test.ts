import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import type { Agent } from "../agent.js";
import { ConfigError } from "../config/config-error.js";
import type { StationConfig } from "../config/types.js";
import { DeviceError } from "../kernel/errors.js";
import { english } from "../languages/translate.js";
import { keepRunning } from "./run.js";
import type { Terminal } from "./terminal.js";

function scene() {
  const log: string[] = [];
  const signals = new EventEmitter();
  const terminal: Terminal = {
    out: (text) => void log.push(text),
    note: (text) => void log.push(text),
    outIsTty: false,
    noteIsTty: false,
    colour: false,
    columns: 80,
    t: english,
    env: {},
  };
  const config = (name: string) => ({ agent: { name } }) as StationConfig;
  const agent: Agent = {
    url: "",
    httpUrl: "",
    port: 0,
    simulation: undefined,
    ready: () => true,
    mintSimulatorToken: () => "",
    reload: async (next) => {
      log.push(`reload ${next.agent.name}`);
      return { restarted: ["receipt"], ignored: next.agent.name === "third" ? ["server.port"] : [] };
    },
    stop: async () => void log.push("stop"),
  };
  const needs = {
    load: async () => config("first"),
    start: async (started: StationConfig) => {
      log.push(`start ${started.agent.name}`);
      return agent;
    },
    signals,
    exitNow: (code: number) => void log.push(`exit ${code}`),
    terminal,
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { log, signals, needs, agent, config, settle };
}

describe("keepRunning", () => {
  it.each(["SIGTERM", "SIGINT"])("stops once at %s and leaves no listener", async (signal) => {
    const { log, signals, needs, settle } = scene();
    const ended = keepRunning(needs);
    await settle();
    signals.emit(signal);
    expect(await ended).toBe(0);
    expect(log).toEqual(["start first", "stop"]);
    expect(signals.eventNames()).toEqual([]);
  });

  it("ends at once at the second signal", async () => {
    const { log, signals, needs, agent, settle } = scene();
    let release: () => void = () => {};
    const stuck = {
      ...agent,
      stop: () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    };
    const ended = keepRunning({ ...needs, start: async () => stuck });
    await settle();
    signals.emit("SIGTERM");
    await settle();
    expect(log).toEqual([]);
    signals.emit("SIGINT");
    expect(log).toEqual(["exit 143"]);
    release();
    await ended;
  });

  it("stops right after a start during which it was told to", async () => {
    const { log, signals, needs } = scene();
    const ended = keepRunning(needs);
    signals.emit("SIGTERM");
    expect(await ended).toBe(0);
    expect(log).toEqual(["start first", "stop"]);
  });

  it("reads the configuration again at SIGHUP, one after the other", async () => {
    const { log, signals, needs, config, settle } = scene();
    const names = ["first", "second", "third"];
    const ended = keepRunning({ ...needs, load: async () => config(names.shift() ?? "") });
    await settle();
    signals.emit("SIGHUP");
    signals.emit("SIGHUP");
    await settle();
    signals.emit("SIGTERM");
    await ended;
    const note = "stationd: configuration read again; devices opened anew: receipt\n";
    expect(log).toEqual([
      "start first",
      "reload second",
      note,
      "reload third",
      note,
      "stationd: these need a restart of the agent: server.port\n",
      "stop",
    ]);
  });

  it("keeps the old configuration where the new one has problems", async () => {
    const { log, signals, needs, config, settle } = scene();
    const problem = new ConfigError("s.toml", [{ line: 3, column: 1, path: "server.port", message: "is bad" }]);
    const answers: (() => StationConfig)[] = [
      () => config("first"),
      () => {
        throw problem;
      },
      () => {
        throw new DeviceError("busy", { message: "not now" });
      },
    ];
    const ended = keepRunning({ ...needs, load: async () => (answers.shift() ?? (() => config("")))() });
    await settle();
    signals.emit("SIGHUP");
    signals.emit("SIGHUP");
    await settle();
    signals.emit("SIGTERM");
    expect(await ended).toBe(0);
    expect(log.join("")).toContain(
      "s.toml:3:1: server.port: is bad\nstationd: the configuration has one problem: the old one stays in force\n",
    );
    expect(log.join("")).toContain("stationd: not now");
    expect(log.at(-1)).toBe("stop");
  });

  it("rejects where the agent cannot start", async () => {
    const { signals, needs } = scene();
    const busy = new DeviceError("busy", { message: "port 7870 is taken" });
    await expect(keepRunning({ ...needs, start: () => Promise.reject(busy) })).rejects.toBe(busy);
    expect(signals.eventNames()).toEqual([]);
  });
});
