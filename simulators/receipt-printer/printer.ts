import { concatBytes } from "../../src/kernel/bytes.js";
import type { Clock } from "../../src/kernel/clock.js";
import { CODE_PAGES } from "./code-pages.js";
import { type Command, createInterpreter } from "./interpreter.js";
import { createMaintenanceCounters, identity } from "./maintenance.js";
import type { ReceiptPrinterOptions } from "./options.js";
import type { Paper } from "./paper.js";
import { createRealTimeWatch, type RealTimeCommand } from "./real-time.js";
import { createReceiveBuffer } from "./receive-buffer.js";
import { automaticStatus, enabledItemChanged, type PrinterCondition, realTimeStatus, sensorStatus } from "./status.js";
import { createTypesetter, type Output, type Typeset } from "./typesetter.js";

/** What people and the world do to the printer; it notices after `noteCondition()`. */
export interface Circumstances {
  coverOpen: boolean;
  /** Something is stuck in the cutter. */
  jammed: boolean;
  /** Infinity: a roll that never ends. */
  paperLeftRows: number;
  nearEndForced: boolean;
  /** Taken offline at the panel. */
  panelOffline: boolean;
}

/** Work for the mechanism, done strictly in order. */
type Step = ({ readonly kind: "print" } & Output) | { readonly kind: "cut" };

export interface Counters {
  bytesReceived: number;
  repliesSent: number;
  rowsPrinted: number;
  receipts: number;
  drawerKicks: number;
  unknownCommands: number;
  /** Opcode in hexadecimal. */
  lastUnknown: string | null;
}

export interface PrinterEngine {
  readonly counters: Readonly<Counters>;
  readonly condition: PrinterCondition;
  readonly bufferedBytes: number;
  readonly full: boolean;
  /** Receives as many of the bytes as there is room for; how many. */
  accept(bytes: Uint8Array): number;
  /** Resolves when there is room in the buffer, or when the signal aborts. */
  room(signal: AbortSignal): Promise<void>;
  /** After a change of circumstances: reports it where asked to, and goes on with what can go on. */
  noteCondition(): void;
  /** The cover was opened: a stop in mid-print is an error on some models. */
  interrupt(): void;
  /** Everything but paper and counters as at power-on. */
  restart(): void;
  /** As new between two tests: buffers, styles and counts start again; what the host set up over its wire (GS a) stays. */
  renew(): void;
  /** Holds the mechanism: no timer is left. */
  stop(): void;
}

export interface PrinterPorts {
  readonly clock: Clock;
  readonly paper: Paper;
  /** Shared with the world: printing uses up the paper. */
  readonly circumstances: Circumstances;
  /** One whole reply. */
  reply(bytes: Uint8Array): void;
  changed(): void;
}

const TICK_MS = 20;
const XON = 0x11;
const XOFF = 0x13;

const noCounts = (): Counters => ({
  bytesReceived: 0,
  repliesSent: 0,
  rowsPrinted: 0,
  receipts: 0,
  drawerKicks: 0,
  unknownCommands: 0,
  lastUnknown: null,
});

/** The controller between wire and paper. Synchronous: with no printing speed set, a byte's effects are there when it is received. */
export function createPrinterEngine(options: ReceiptPrinterOptions, ports: PrinterPorts): PrinterEngine {
  const { clock, paper, circumstances } = ports;
  const full = options.model !== "clone";
  const counters = noCounts();
  let maintenance = createMaintenanceCounters();
  const buffer = createReceiveBuffer(options.bufferBytes);
  const typesetter = createTypesetter({
    widthDots: options.widthDots,
    codePages: CODE_PAGES[full ? "epson" : "other"],
    graphics: full,
  });
  let interpreter = createInterpreter();
  let watch = createRealTimeWatch();
  let steps: Step[] = [];
  let rowsDone = 0;
  let rowBudget = 0;
  let tick: Disposable | undefined;
  let cutterError = false;
  let coverError = false;
  let selected = true;
  let xoff = false;
  let asb: { items: number; last: Uint8Array } = { items: 0, last: new Uint8Array(4) };
  let wake: (() => void) | undefined;

  const offline = (): boolean =>
    circumstances.panelOffline || circumstances.coverOpen || circumstances.paperLeftRows === 0 || cutterError || coverError;
  const condition = (): PrinterCondition => {
    const { coverOpen, jammed, paperLeftRows, nearEndForced } = circumstances;
    return {
      drawerHigh: false,
      offline: offline(),
      coverOpen,
      paperNearEnd: nearEndForced || paperLeftRows <= options.nearEndRows,
      paperOut: paperLeftRows === 0,
      recoverableError: coverError,
      cutterError,
      waitingForRecovery: (cutterError && !jammed) || (coverError && !coverOpen),
    };
  };

  const reply = (bytes: Uint8Array): void => {
    if (options.model === "one-way") return;
    counters.repliesSent += 1;
    ports.reply(bytes);
  };
  /** Replies where there is something to reply; false: there is no answer to that. */
  const answer = (bytes: Uint8Array | undefined): boolean => {
    if (bytes && bytes.length > 0) reply(bytes);
    return bytes !== undefined;
  };
  const report = (opcode: string): void => {
    counters.unknownCommands += 1;
    counters.lastUnknown = opcode;
  };
  const reportStatus = (): void => {
    if (asb.items === 0) return;
    const now = automaticStatus(condition());
    if (enabledItemChanged(asb.items, asb.last, now)) reply(now);
    asb.last = now;
  };

  const clearBuffers = (): void => {
    buffer.clear();
    interpreter = createInterpreter();
    steps = [];
    rowsDone = 0;
    typesetter.clear();
  };

  const restart = (): void => {
    clearBuffers();
    typesetter.initialize();
    watch = createRealTimeWatch();
    cutterError = circumstances.jammed;
    coverError = false;
    selected = true;
    xoff = false;
    rowBudget = 0;
    wake?.();
  };

  const realTime = (command: RealTimeCommand): void => {
    switch (command.kind) {
      case "status":
        reply(Uint8Array.of(realTimeStatus(command.n, condition())));
        return;
      case "drawer":
        counters.drawerKicks += 1;
        return;
      case "clear":
        clearBuffers();
        reply(Uint8Array.of(0x37, 0x25, 0));
        return;
      case "recover":
        // Only an error that a person has to clear is waited out; without one the request does nothing.
        if (!cutterError && !coverError) return;
        if (command.clear) clearBuffers();
        cutterError = circumstances.jammed;
        coverError &&= circumstances.coverOpen;
        reportStatus();
    }
  };

  const printed = (typeset: Typeset, opcode: string): Step[] => {
    if (typeset !== "unknown") return typeset.map((output) => ({ kind: "print", ...output }));
    report(opcode);
    return [];
  };
  const cut = (feedRows: number): Step[] => [...printed([...typesetter.flush(), typesetter.feed(feedRows)], ""), { kind: "cut" }];

  /** GS ( fn pL pH …, what is not about printing. True: understood. */
  const extended = (body: Uint8Array): boolean => {
    const letter = String.fromCharCode(body[0] ?? 0);
    // D real-time permissions, K print control, M setting values, N character style: nothing of it shows here.
    if ("DKMN".includes(letter)) return true;
    if (letter !== "H" || !full || body.length !== 9 || body[3] !== 48 || body[4] !== 48) return false;
    const id = body.subarray(5);
    if (!id.every((byte) => byte >= 0x20 && byte <= 0x7e)) return false;
    // Everything before is on paper: commands are taken from the buffer only when the mechanism is done.
    reply(concatBytes([Uint8Array.of(0x37, 0x22), id, Uint8Array.of(0)]));
    return true;
  };

  /** Commands to the controller itself. True: understood. */
  const control = (name: string, body: Uint8Array): boolean => {
    const n = body[0] ?? 0;
    switch (name) {
      case "DLE EOT":
      case "DLE ENQ":
      case "DLE DC4": // done when received
      case "FS .":
      case "GS b":
        return true;
      case "ESC @":
        typesetter.initialize();
        if (!options.initKeepsAsb) asb.items = 0;
        return true;
      case "ESC c": // paper sensors and panel buttons
        return n === 0x33 || n === 0x34 || n === 0x35;
      case "ESC p":
        counters.drawerKicks += 1;
        return n === 0 || n === 1 || n === 48 || n === 49;
      case "GS a":
        if (!full) return false;
        asb = { items: n, last: automaticStatus(condition()) };
        if (n !== 0) reply(asb.last);
        return true;
      case "GS g":
        return full && answer(maintenance.command(body));
      case "GS (":
        return extended(body);
      case "GS r":
        return answer(sensorStatus(n, condition()));
      case "GS I":
        return answer(identity(n));
      default:
        return false;
    }
  };

  const execute = (command: Command): Step[] => {
    if (command.kind === "command" && command.name === "ESC =") {
      // Peripheral select: while another device is chosen, everything else passes by.
      selected = ((command.body[0] ?? 0) & 1) === 1;
      return [];
    }
    if (!selected) return [];
    switch (command.kind) {
      case "unknown":
        return printed("unknown", command.opcode);
      case "character":
        return printed(typesetter.character(command.code), "");
      case "control":
        return printed(typesetter.control(command.code), command.code.toString(16).padStart(2, "0"));
      case "command": {
        const { name, body } = command;
        const opcode = name === "GS (" || name === "GS 8" ? command.opcode + (body[0] ?? 0).toString(16).padStart(2, "0") : command.opcode;
        if (name === "ESC i" || name === "ESC m") return cut(0);
        // Functions 65 and 66 feed to the knife first, then n more.
        if (name === "GS V") return cut((body[0] ?? 0) >= 65 ? options.cutterOffsetRows + (body[1] ?? 0) : 0);
        const typeset = typesetter.command(name, body);
        if (typeset) return printed(typeset, opcode);
        if (!control(name, body)) report(opcode);
        return [];
      }
    }
  };

  /** One step as far as it goes; false when the mechanism has to stop. */
  const advance = (step: Step): boolean => {
    if (step.kind === "cut") {
      if (paper.cut(options.cutterOffsetRows)) counters.receipts += 1;
      maintenance.addCut();
      steps.shift();
      return true;
    }
    for (; rowsDone < step.rows.length; rowsDone++) {
      if (circumstances.paperLeftRows === 0) return false;
      if (options.rowsPerSecond > 0) {
        if (rowBudget < 1) {
          tick ??= clock.timer(TICK_MS, onTick);
          return false;
        }
        rowBudget -= 1;
      }
      paper.print(step.rows[rowsDone] ?? new Uint8Array());
      counters.rowsPrinted += 1;
      maintenance.addRow();
      circumstances.paperLeftRows -= 1;
      if (circumstances.paperLeftRows === options.nearEndRows || circumstances.paperLeftRows === 0) reportStatus();
    }
    if (step.text !== undefined) paper.write(step.text);
    rowsDone = 0;
    steps.shift();
    return true;
  };
  const onTick = (): void => {
    tick = undefined;
    rowBudget += (options.rowsPerSecond * TICK_MS) / 1000;
    pump();
    ports.changed();
  };

  const pump = (): void => {
    while (!offline()) {
      const step = steps[0];
      if (step) {
        if (!advance(step)) break;
        continue;
      }
      const byte = buffer.shift();
      if (byte === undefined) break;
      for (const command of interpreter.push(byte)) steps.push(...execute(command));
    }
    if (xoff && buffer.held <= options.bufferBytes / 2) {
      xoff = false;
      reply(Uint8Array.of(XON));
    }
    if (!buffer.full) wake?.();
  };

  return {
    counters,
    get condition() {
      return condition();
    },
    get bufferedBytes() {
      return buffer.held;
    },
    get full() {
      return buffer.full;
    },
    accept(bytes) {
      let taken = 0;
      for (; taken < bytes.length && !buffer.full; taken++) {
        const byte = bytes[taken] ?? 0;
        buffer.push(byte);
        const command = watch(byte);
        if (command) realTime(command);
        pump();
        if (options.flowControl === "xonxoff" && !xoff && buffer.held > options.bufferBytes * 0.75) {
          xoff = true;
          reply(Uint8Array.of(XOFF));
        }
      }
      counters.bytesReceived += taken;
      ports.changed();
      return taken;
    },
    room(signal) {
      if (!buffer.full || signal.aborted) return Promise.resolve();
      return new Promise<void>((resolve) => {
        wake = () => {
          wake = undefined;
          signal.removeEventListener("abort", resolve as () => void);
          resolve();
        };
        signal.addEventListener("abort", resolve as () => void, { once: true });
      });
    },
    noteCondition() {
      if (circumstances.jammed) cutterError = true;
      reportStatus();
      pump();
      ports.changed();
    },
    interrupt() {
      const printing = steps.length > 0 || buffer.held > 0 || interpreter.inCommand;
      if (options.coverNeedsRecover && printing) coverError = true;
    },
    restart() {
      asb = { items: 0, last: new Uint8Array(4) };
      restart();
    },
    renew() {
      maintenance = createMaintenanceCounters();
      Object.assign(counters, noCounts());
      restart();
    },
    stop() {
      tick?.[Symbol.dispose]();
      tick = undefined;
      wake?.();
    },
  };
}
