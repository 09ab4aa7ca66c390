/** Slips: one on the screen at a time, each followed to its end, over reloads too. */
import { dossierOf } from "./dossiers.js";
import { identitySlipOf } from "./identity-slip.js";
import { journeySlipOf } from "./journey-slip.js";
import { forgetPrint } from "./print-memory.js";
import { slipOf } from "./slip.js";

const ASK_EVERY_MS = 1_000;

/** What is printed; undefined where this page no longer knows it, because it was reloaded. */
function documentOf({ kind, code, at }, view) {
  if (kind === "dossier") return slipOf(dossierOf(code), at);
  if (kind === "journey") return view.journey?.code === code && journeySlipOf(view, at);
  return view.identity?.reading && identitySlipOf(view.identity, at);
}

/** The job that a page before this one asked for. */
async function followJob(client, key, isWanted, onJob) {
  while (isWanted()) {
    try {
      const job = await client.call("jobs.get", { idempotencyKey: key });
      onJob(job);
      if (job.final) return job;
    } catch (error) {
      // A lost connection comes back, and the agent still knows the job.
      if (error.kind !== "connection_lost" && error.kind !== "shutting_down") throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
  return undefined;
}

/** Prints what `memory` names under its key, and keeps `print` as things stand. @param told after each change */
export async function followPrint({ client, view }, print, memory, told) {
  const { key, again } = memory;
  const onJob = (job) => {
    print.job = job;
    told();
  };
  const content = documentOf(memory, view);
  try {
    if (content) {
      const onProgress = ({ stage }) => {
        print.stage = stage;
        told();
      };
      print.job = await client.jobs.print(
        { idempotencyKey: key, document: content, ...(again && { reprint: true }) },
        { onProgress, onJob },
      );
    } else await followJob(client, key, () => view.print === print, onJob);
  } catch (error) {
    print.error = error;
  }
  forgetPrint(key);
  told();
}
