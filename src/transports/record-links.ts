import type { CardReaderLink, CardSession } from "../kernel/card.js";
import { asDeviceError } from "../kernel/errors.js";
import type { HttpLink } from "../kernel/http.js";
import type { ProgramLink } from "../kernel/program.js";
import type { Passed, Tap } from "../kernel/tap.js";

const NOTHING = new Uint8Array();

export function passed(from: Passed["from"], what: string, bytes: Uint8Array = NOTHING): Passed {
  return { from, what, bytes };
}

/** What a replay needs to fail in the same way. */
export function failureText(thrown: unknown): string {
  const { kind, message, details } = asDeviceError(thrown, "device_fault");
  return JSON.stringify({ kind, message, ...(details === undefined ? {} : { details }) });
}

/** Requests may overlap: each has a number, and so has its answer. */
export function tappedHttp(link: HttpLink, tap: Tap): HttpLink {
  let count = 0;
  tap.tell?.(passed("device", "opened http"));
  return {
    ...link,
    async send(request, signal) {
      const number = `#${++count}`;
      tap.tell?.(passed("agent", `${number} ${request.method} ${request.path}`, request.body));
      try {
        const answer = await link.send(request, signal);
        tap.tell?.(passed("device", `${number} ${answer.status} ${JSON.stringify(answer.headers)}`, answer.body));
        return answer;
      } catch (thrown) {
        // What was given up gets no answer in a replay either.
        if (!signal.aborted) tap.tell?.(passed("device", `${number} failed ${failureText(thrown)}`));
        throw thrown;
      }
    },
    onNotice: (listener) =>
      link.onNotice((notice) => {
        tap.tell?.(passed("device", `notice ${notice.path}`, notice.body));
        return listener(notice);
      }),
  };
}

export function tappedCard(link: CardReaderLink, tap: Tap): CardReaderLink {
  let closing = false;
  tap.tell?.(passed("device", `opened card${link.present ? " present" : ""}`, new TextEncoder().encode(link.reader)));
  void link.closed.then((reason) => {
    if (!closing) tap.tell?.(passed("device", `end ${failureText(reason)}`));
  });
  return {
    description: link.description,
    reader: link.reader,
    closed: link.closed,
    get present() {
      return link.present;
    },
    onPresence: (listener) =>
      link.onPresence((present) => {
        tap.tell?.(passed("device", present ? "present" : "absent"));
        listener(present);
      }),
    async connect(signal) {
      tap.tell?.(passed("agent", "connect"));
      try {
        return tappedSession(await link.connect(signal), tap);
      } catch (thrown) {
        if (!signal.aborted) tap.tell?.(passed("device", `failed ${failureText(thrown)}`));
        throw thrown;
      }
    },
    close() {
      closing = true;
      return link.close();
    },
  };
}

function tappedSession(session: CardSession, tap: Tap): CardSession {
  let closing = false;
  tap.tell?.(passed("device", `atr ${session.maxApduBytes ?? "?"}`, session.atr));
  void session.ended.then((reason) => {
    if (!closing) tap.tell?.(passed("device", `ended ${failureText(reason)}`));
    closing = true;
  });
  return {
    atr: session.atr,
    maxApduBytes: session.maxApduBytes,
    ended: session.ended,
    async transmit(apdu, signal) {
      tap.tell?.(passed("agent", "apdu", apdu));
      try {
        const response = await session.transmit(apdu, signal);
        tap.tell?.(passed("device", "apdu", response));
        return response;
      } catch (thrown) {
        if (!signal.aborted) tap.tell?.(passed("device", `failed ${failureText(thrown)}`));
        throw thrown;
      }
    },
    close() {
      if (!closing) tap.tell?.(passed("agent", "disconnect"));
      closing = true;
      return session.close();
    },
  };
}

export function tappedProgram(link: ProgramLink, tap: Tap): ProgramLink {
  const text = new TextEncoder();
  let count = 0;
  tap.tell?.(passed("device", `opened program ${JSON.stringify({ device: link.device })}`));
  return {
    ...link,
    async run(args, output, signal) {
      const number = `#${++count}`;
      const { begun } = output;
      tap.tell?.(passed("agent", `${number} run ${JSON.stringify(args)}`));
      try {
        const end = await link.run(
          args,
          {
            ...(begun && {
              begun: (say) =>
                begun.call(output, (line) => {
                  tap.tell?.(passed("agent", `${number} stdin`, text.encode(line)));
                  say(line);
                }),
            }),
            stdout(line) {
              tap.tell?.(passed("device", `${number} stdout`, text.encode(line)));
              output.stdout?.(line);
            },
            stderr(line) {
              tap.tell?.(passed("device", `${number} stderr`, text.encode(line)));
              output.stderr?.(line);
            },
          },
          signal,
        );
        tap.tell?.(passed("device", `${number} ended ${JSON.stringify({ code: end.code ?? null, stopped: end.stopped })}`));
        return end;
      } catch (thrown) {
        tap.tell?.(passed("device", `${number} failed ${failureText(thrown)}`));
        throw thrown;
      }
    },
    async take(name, mostBytes) {
      tap.tell?.(passed("agent", `take ${name}`));
      try {
        const bytes = await link.take(name, mostBytes);
        tap.tell?.(passed("device", `file ${name}`, bytes));
        return bytes;
      } catch (thrown) {
        tap.tell?.(passed("device", `failed ${name} ${failureText(thrown)}`));
        throw thrown;
      }
    },
  };
}
