import assert from "node:assert";
import { Worker } from "node:worker_threads";
import { asDeviceError, DeviceError, fromErrorObject } from "../kernel/errors.js";
import { admitPatch, admitRecord } from "./admissible.js";
import type { FromWorker, Reply, Request, ToWorker } from "./requests.js";
import type { JobRecord, Journal } from "./types.js";

interface Waiting {
  readonly request: Request;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: DeviceError) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly ended: Promise<void>;
  /** Takes nothing more; the next one starts when it has let go of the file. */
  ending: boolean;
}

export type StartWorker = (folder: string) => Worker;

const startJournalWorker: StartWorker = (folder) =>
  new Worker(new URL("./worker.js", import.meta.url), { workerData: { folder }, name: "journal" });

/**
 * The journal of `folder`. Nothing happens before the first call: no thread, no file. What is asked for while a commit
 * runs goes into the next one together, so a burst costs two fsyncs and not one each.
 */
export function openJournal(folder: string, startWorker: StartWorker = startJournalWorker): Journal {
  let queued: Waiting[] = [];
  let running: readonly Waiting[] = [];
  let thread: Thread | undefined;
  let closing: Promise<void> | undefined;
  let whenIdle: (() => void) | undefined;

  const takeRunning = (): readonly Waiting[] => {
    const taken = running;
    running = [];
    return taken;
  };

  const refuse = (error: DeviceError): void => {
    for (const waiting of takeRunning()) waiting.reject(error);
  };

  const start = (): Thread => {
    const worker = startWorker(folder);
    worker.on("message", (message: FromWorker) => {
      if ("failure" in message) {
        started.ending = true;
        refuse(fromErrorObject(message.failure));
        return;
      }
      takeRunning().forEach((waiting, index) => {
        settle(waiting, message.replies[index]);
      });
      pump();
    });
    // A thread that died has committed or has not: only reading again can tell, so what it was doing is refused.
    worker.on("error", (cause) => refuse(asDeviceError(cause, "journal_unavailable")));
    const ended = new Promise<void>((resolve) => {
      worker.on("exit", () => {
        thread = undefined;
        refuse(new DeviceError("journal_unavailable", { message: "the journal's thread ended" }));
        resolve();
        pump();
      });
    });
    const started: Thread = { worker, ended, ending: false };
    return started;
  };

  const pump = (): void => {
    if (running.length > 0 || thread?.ending) return;
    if (queued.length === 0) {
      // An idle journal keeps no process alive.
      thread?.worker.unref();
      whenIdle?.();
      return;
    }
    running = queued;
    queued = [];
    thread ??= start();
    thread.worker.ref();
    thread.worker.postMessage({ batch: running.map(({ request }) => request) } satisfies ToWorker);
  };

  const ask = <T>(request: Request): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (closing)
        return reject(new DeviceError("journal_unavailable", { message: "the journal is closed", hint: "The agent is stopping" }));
      queued.push({ request, resolve: resolve as (value: unknown) => void, reject });
      pump();
    });

  const stop = async (): Promise<void> => {
    if (running.length > 0 || queued.length > 0) {
      await new Promise<void>((resolve) => {
        whenIdle = resolve;
      });
    }
    if (!thread) return;
    thread.worker.ref();
    if (!thread.ending) thread.worker.postMessage("close" satisfies ToWorker);
    await thread.ended;
  };

  return {
    begin: async (record) => await ask<{ existing: JobRecord | undefined }>({ op: "begin", record: admitRecord(record) }),
    advance: async (id, patch) => await ask<void>({ op: "advance", id, patch: admitPatch(patch) }),
    byKey: (principal, idempotencyKey) => ask({ op: "byKey", principal, idempotencyKey }),
    byId: (id) => ask({ op: "byId", id }),
    list: (filter) => ask({ op: "list", filter }),
    closedDay: (device) => ask({ op: "closedDay", device }),
    prune: (before) => ask({ op: "prune", before }),
    close() {
      closing ??= stop();
      return closing;
    },
  };
}

function settle(waiting: Waiting, reply: Reply | undefined): void {
  assert(reply, "one reply per request");
  if ("error" in reply) waiting.reject(fromErrorObject(reply.error));
  else waiting.resolve(reply.value);
}
