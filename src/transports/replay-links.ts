import type { CardReaderLink, CardSession } from "../kernel/card.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import type { HidLink } from "../kernel/hid.js";
import type { HttpLink, HttpNotice, HttpResponse } from "../kernel/http.js";
import type { Link } from "../kernel/link.js";
import type { ProgramEnd, ProgramLink, ProgramOutput } from "../kernel/program.js";
import type { Passed } from "../kernel/tap.js";
import type { AnyLink } from "./record.js";
import { failureOf, type Player } from "./replay.js";

export interface ReplayedLink {
  readonly link: AnyLink;
  /** What the device did now. */
  hear(passed: Passed): void;
}

/** The link that was opened, whatever its kind. */
export function replayedLink({ what, bytes }: Passed, player: Player): ReplayedLink {
  const [, kind, rest = ""] = /^opened (\w+) ?(.*)$/s.exec(what) ?? [];
  if (kind === "bytes") return replayedStream(player, "");
  if (kind === "hid") return replayedHid(bytes, player);
  if (kind === "http") return replayedHttp(player);
  if (kind === "card") return replayedCard(new TextDecoder().decode(bytes), rest === "present", player);
  if (kind === "program") return replayedProgram((JSON.parse(rest) as { device?: string }).device, player);
  throw new DeviceError("invalid_params", { message: "replay: this version does not know such a link" });
}

const DESCRIPTION = "replay";
const closedByUs = (): DeviceError => new DeviceError("device_absent", { message: `${DESCRIPTION} was closed` });

/** Bytes or reports, read in order however late; `incoming` says which frames those are. */
function replayedStream(player: Player, incoming: string): ReplayedLink & { readonly link: Link } {
  const { diverged } = player;
  const due: Uint8Array[] = [];
  const over = new AbortController();
  let wake = (): void => {};
  let ended: DeviceError | undefined;
  const end = (reason: DeviceError): void => {
    ended ??= reason;
    over.abort(ended);
    wake();
  };
  if (diverged.aborted) end(diverged.reason as DeviceError);
  else diverged.addEventListener("abort", () => end(diverged.reason as DeviceError), { once: true });
  return {
    hear(passed) {
      if (passed.what.startsWith("end ")) return end(failureOf(passed.what));
      if (passed.what === incoming) due.push(passed.bytes);
      wake();
    },
    link: {
      description: DESCRIPTION,
      closed: new Promise((resolve) => over.signal.addEventListener("abort", () => resolve(), { once: true })),
      async read(signal) {
        for (;;) {
          const next = due.shift();
          if (next) return next.slice();
          signal.throwIfAborted();
          if (ended) throw ended;
          const woken = new Promise<void>((resolve) => {
            wake = resolve;
          });
          await raceSignal(woken, signal);
        }
      },
      async write(bytes, signal) {
        signal.throwIfAborted();
        over.signal.throwIfAborted();
        player.sent("", bytes);
      },
      async close() {
        due.length = 0;
        end(closedByUs());
      },
    },
  };
}

function replayedHid(reportDescriptor: Uint8Array, player: Player): ReplayedLink {
  const { link, hear } = replayedStream(player, "input");
  const send =
    (what: string): HidLink["write"] =>
    async (report, signal) => {
      signal.throwIfAborted();
      player.sent(what, report);
    };
  const hid: HidLink = { ...link, reportDescriptor, write: send("output"), sendFeature: send("feature") };
  return { link: hid, hear };
}

/** Answers on their way to those who asked. */
function awaiting<T>(player: Player) {
  const waiting = new Map<string, (answer: T | DeviceError) => void>();
  const over = new AbortController();
  return {
    over,
    settle(key: string, answer: T | DeviceError): void {
      waiting.get(key)?.(answer);
      waiting.delete(key);
    },
    async ask(key: string, what: string, bytes: Uint8Array, signal: AbortSignal): Promise<T> {
      signal.throwIfAborted();
      over.signal.throwIfAborted();
      const answered = new Promise<T | DeviceError>((resolve) => waiting.set(key, resolve));
      player.sent(what, bytes);
      const answer = await raceSignal(raceSignal(raceSignal(answered, signal), over.signal), player.diverged);
      if (answer instanceof DeviceError) throw answer;
      return answer;
    },
  };
}

const NOTHING = new Uint8Array();

function replayedHttp(player: Player): ReplayedLink {
  const answers = awaiting<HttpResponse>(player);
  let count = 0;
  let notice: (told: HttpNotice) => number = () => 404;
  const link: HttpLink = {
    description: DESCRIPTION,
    async send({ method, path, body = NOTHING, heard }, signal) {
      const number = `#${++count}`;
      const answer = await answers.ask(number, `${number} ${method} ${path}`, body, signal);
      if (answer.status === 200) heard?.(answer.body.length, answer.body.length);
      return answer;
    },
    onNotice(listener) {
      notice = listener;
    },
    async close() {
      answers.over.abort(closedByUs());
    },
  };
  return {
    link,
    hear({ what, bytes }) {
      const [, path] = /^notice (.*)$/s.exec(what) ?? [];
      if (path !== undefined) return void notice({ path, body: bytes });
      const [, number = "", status = "", rest = ""] = /^(#\d+) (\S+) (.*)$/s.exec(what) ?? [];
      if (status === "failed") return answers.settle(number, failureOf(rest));
      answers.settle(number, { status: Number(status), headers: JSON.parse(rest) as HttpResponse["headers"], body: bytes.slice() });
    },
  };
}

function replayedCard(reader: string, lying: boolean, player: Player): ReplayedLink {
  const { diverged } = player;
  const answers = awaiting<Passed>(player);
  let present = lying;
  let listener: ((present: boolean) => void) | undefined;
  let endSession: (reason: DeviceError) => void = () => {};
  const end = (reason: DeviceError): void => {
    endSession(reason);
    present = false;
    if (!answers.over.signal.aborted) answers.over.abort(reason);
  };
  if (!diverged.aborted) diverged.addEventListener("abort", () => end(diverged.reason as DeviceError), { once: true });
  const session = ({ what, bytes }: Passed): CardSession => {
    const ended = new AbortController();
    endSession = (reason) => {
      if (!ended.signal.aborted) ended.abort(reason);
    };
    const longest = Number(what.slice("atr ".length));
    return {
      atr: bytes,
      maxApduBytes: Number.isNaN(longest) ? undefined : longest,
      ended: new Promise((resolve) =>
        ended.signal.addEventListener("abort", () => resolve(ended.signal.reason as DeviceError), { once: true }),
      ),
      async transmit(apdu, signal) {
        ended.signal.throwIfAborted();
        return (await raceSignal(answers.ask("card", "apdu", apdu, signal), ended.signal)).bytes.slice();
      },
      async close() {
        if (ended.signal.aborted) return;
        ended.abort(new DeviceError("canceled", { message: `${DESCRIPTION}: the session was closed` }));
        try {
          player.sent("disconnect", NOTHING);
        } catch {
          // Whoever asks next hears it.
        }
      },
    };
  };
  const link: CardReaderLink = {
    description: DESCRIPTION,
    reader,
    get present() {
      return present;
    },
    onPresence(next) {
      listener = next;
    },
    connect: async (signal) => session(await answers.ask("card", "connect", NOTHING, signal)),
    close: async () => end(closedByUs()),
    closed: new Promise((resolve) =>
      answers.over.signal.addEventListener("abort", () => resolve(answers.over.signal.reason as DeviceError), { once: true }),
    ),
  };
  return {
    link,
    hear(passed) {
      const { what } = passed;
      if (what === "present" || what === "absent") {
        present = what === "present";
        listener?.(present);
      } else if (what.startsWith("end ")) end(failureOf(what));
      else if (what.startsWith("ended ")) endSession(failureOf(what));
      else answers.settle("card", what.startsWith("failed ") ? failureOf(what) : passed);
    },
  };
}

const End = (text: string): ProgramEnd => {
  const { code, stopped } = JSON.parse(text) as { code: number | null; stopped: boolean };
  return { code: code ?? undefined, stopped };
};

function replayedProgram(device: string | undefined, player: Player): ReplayedLink {
  const runs = awaiting<ProgramEnd>(player);
  const files = awaiting<Uint8Array>(player);
  const outputs = new Map<string, ProgramOutput>();
  const text = new TextDecoder();
  let count = 0;
  const link: ProgramLink = {
    description: DESCRIPTION,
    device,
    folder: "",
    async run(args, output, signal) {
      const number = `#${++count}`;
      outputs.set(number, output);
      output.begun?.((line) => {
        try {
          player.sent(`${number} stdin`, new TextEncoder().encode(line));
        } catch {
          // The run rejects with it.
        }
      });
      try {
        return await runs.ask(number, `${number} run ${JSON.stringify(args)}`, NOTHING, signal);
      } catch (thrown) {
        // As a program that was asked to stop and did.
        if (signal.aborted) return { code: undefined, stopped: true };
        throw thrown;
      } finally {
        outputs.delete(number);
      }
    },
    take: (name) => files.ask(name, `take ${name}`, NOTHING, new AbortController().signal),
    async close() {
      runs.over.abort(closedByUs());
      files.over.abort(closedByUs());
    },
  };
  return {
    link,
    hear({ what, bytes }) {
      const [, file] = /^file (.*)$/s.exec(what) ?? [];
      if (file !== undefined) return files.settle(file, bytes.slice());
      const [, missing, failure = ""] = /^failed (\S+) (.*)$/s.exec(what) ?? [];
      if (missing !== undefined) return files.settle(missing, failureOf(failure));
      const [, number = "", kind, rest = ""] = /^(#\d+) (\w+) ?(.*)$/s.exec(what) ?? [];
      if (kind === "stdout") outputs.get(number)?.stdout?.(text.decode(bytes));
      else if (kind === "stderr") outputs.get(number)?.stderr?.(text.decode(bytes));
      else if (kind === "ended") runs.settle(number, End(rest));
      else if (kind === "failed") runs.settle(number, failureOf(rest));
    },
  };
}
