import { z } from "../../src/kernel/schema.js";
import { defineAction, defineSimulator, type Simulator, type SimulatorContext } from "../simulator.js";
import { createDoor } from "./door.js";
import { Fault } from "./faults.js";
import { DocumentScannerOptions, Page, Sheet } from "./options.js";
import { createScanner } from "./scanner.js";

const none = z.strictObject({});

function create(options: DocumentScannerOptions, { clock, random, changed }: SimulatorContext): Simulator {
  let unplugged = false;
  const make = () => {
    const over = new AbortController();
    const scanner = createScanner(options, { clock, random, changed });
    const door = createDoor({ clock, scanner, options, signal: over.signal, changed });
    return { scanner, door, over };
  };
  let living = make();
  const end = async (): Promise<void> => {
    const { over, scanner, door } = living;
    over.abort();
    scanner.stop();
    await door.cut();
  };

  const act = <S extends z.ZodType>(summary: string, params: S, work: (params: z.output<S>) => void) =>
    defineAction({
      summary,
      params,
      async act(given) {
        work(given);
        changed();
        return undefined;
      },
    });

  const actions = {
    loadFeeder: act(
      "Puts sheets into the feeder, under those that are there",
      z.strictObject({
        sheets: z
          .array(Sheet)
          .max(200)
          .default([Sheet.parse({})]),
      }),
      ({ sheets }) => living.scanner.load(sheets),
    ),
    layOnGlass: act("Lays a page on the glass", z.strictObject({ page: Page.default(Page.parse({})) }), ({ page }) =>
      living.scanner.lay(page),
    ),
    takeFromGlass: act("Takes the page from the glass", none, () => living.scanner.lay(undefined)),
    openCover: act("Opens the feeder's cover", none, () => living.scanner.cover(true)),
    closeCover: act("Closes the feeder's cover", none, () => living.scanner.cover(false)),
    jam: act("A sheet jams in the feeder", none, () => living.scanner.jam()),
    clearJam: act("Takes the jammed sheet out", none, () => living.scanner.clearJam()),
    inject: act("Something goes wrong when it next can", Fault, (fault) => living.scanner.faults.add(fault)),
    clearFaults: act("Nothing goes wrong any more", none, () => living.scanner.faults.clear()),
    unplug: act("Pulls the wire: all connections end", none, () => {
      unplugged = true;
      void living.door.cut();
    }),
    plug: act("Lets the next connections in", none, () => {
      unplugged = false;
    }),
    reset: act("As new", none, () => simulator.reset()),
  };

  const simulator: Simulator = {
    kind: "document-scanner",
    manyWires: true,
    actions,
    attach(farEnd) {
      if (unplugged) return void farEnd.close();
      living.door.attach(farEnd);
    },
    detach: () => void living.door.cut(),
    state() {
      const { scanner, door } = living;
      const { job } = scanner;
      return {
        attached: door.wires > 0,
        connections: door.wires,
        unplugged,
        ...scanner.facts,
        scanning: job ? job.settings.source : null,
        pagesOfJob: job?.pages ?? null,
        pagesScanned: scanner.pagesScanned,
        faultsPending: scanner.faults.pending,
        unknownRequests: door.unknownRequests,
      };
    },
    reset() {
      unplugged = false;
      void end();
      living = make();
      changed();
    },
    close: end,
  };
  return simulator;
}

export const documentScanner = defineSimulator({
  kind: "document-scanner",
  summary: "A network scanner that speaks eSCL (AirScan), with a glass, a feeder, and pages drawn by a program",
  options: DocumentScannerOptions,
  create,
});
