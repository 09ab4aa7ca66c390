import { type ChildOptions, type SupervisedChild, superviseChild } from "../../child/child.js";

/** A device that was pulled out is put back within this, or a process is not worth keeping for it. */
const KEEP_MS = 60_000;

/** Three times what one with its library needs. */
export const HOST_MEMORY_MB = 192;

/** Host processes of one device: the one that served the last link well waits for the next, which then opens without a process' start. */
export interface Hosts {
  take(): SupervisedChild;
  /** `well`: it has closed its link in good order. Another one is ended. */
  giveBack(child: SupervisedChild, well: boolean): Promise<void>;
}

export function createHosts(options: ChildOptions): Hosts {
  let spare: SupervisedChild | undefined;
  return {
    take() {
      const taken = spare ?? superviseChild({ maxMemoryMb: HOST_MEMORY_MB, ...options, idleStopMs: KEEP_MS });
      spare = undefined;
      return taken;
    },
    async giveBack(child, well) {
      if (well && !spare) spare = child;
      else await child.stop();
    },
  };
}
