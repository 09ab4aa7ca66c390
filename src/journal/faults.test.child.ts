import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DeviceError } from "../kernel/errors.js";
import { aJob } from "./job.test.fixture.js";
import { openJournal } from "./open.js";

/** The process that the tests kill or starve: `loop` writes for ever, `obey` does what it is told over IPC. */
const [, , manner, folder = "", run = ""] = process.argv;
const journal = openJournal(folder);

if (manner === "loop") {
  for (let n = 0; ; n++) {
    // Several at once, so that kills meet group commits.
    await Promise.all(
      [0, 1, 2].map(async (lane) => {
        const id = `${run}-${lane}-${n}`;
        await journal.begin(aJob(id));
        writeSync(1, `begun ${id}\n`);
        await journal.advance(id, { step: "sending", updatedAt: 2 });
        writeSync(1, `sending ${id}\n`);
      }),
    );
  }
}

const ballast = join(folder, "ballast");
const deeds: Record<string, (id: string) => Promise<unknown>> = {
  begin: async (id) => await journal.begin(aJob(id)).then(() => "done"),
  list: async () => (await journal.list({ limit: 1_000 })).map(({ id }) => id),
  fill: async () => {
    const handle = openSync(ballast, "w");
    try {
      for (;;) writeSync(handle, Buffer.alloc(512));
    } catch {
      return "full";
    } finally {
      closeSync(handle);
    }
  },
  free: async () => rmSync(ballast),
};

process.on("message", async ({ deed, id }: { deed: string; id: string }) => {
  try {
    process.send?.({ value: await deeds[deed]?.(id) });
  } catch (thrown) {
    process.send?.({ value: thrown instanceof DeviceError ? `${thrown.kind}: ${thrown.hint}` : `${thrown}` });
  }
});
process.on("disconnect", () => process.exit());
