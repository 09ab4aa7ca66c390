import assert from "node:assert";
import { parentPort, workerData } from "node:worker_threads";
import { errorObject } from "../kernel/errors.js";
import { journalFile } from "./folder.js";
import type { FromWorker, ToWorker } from "./requests.js";
import { loadOpenDatabase } from "./sqlite.js";
import { openStore, type Store } from "./store.js";
import { journalTrouble } from "./trouble.js";

/** Entry of the worker thread: SQLite waits for the disk here, so that the agent does not. */
assert(parentPort, "runs as a worker thread");
const port = parentPort;
const { folder } = workerData as { folder: string };
const openDatabase = await loadOpenDatabase();
let store: Store | undefined;

port.on("message", (message: ToWorker) => {
  if (message === "close") {
    port.close();
    return;
  }
  try {
    store ??= openStore(folder, openDatabase);
    port.postMessage({ replies: store.run(message.batch) } satisfies FromWorker);
  } catch (thrown) {
    port.postMessage({ failure: errorObject(journalTrouble(thrown, journalFile(folder))) } satisfies FromWorker);
    port.close();
  }
});
