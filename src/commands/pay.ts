import { randomUUID } from "node:crypto";
import { InvalidArgumentError, Option } from "commander";
import { renderUnicodeCompact } from "uqr";
import { PAYMENT_METHODS, type PaymentMethod } from "../protocol/payment-terminal.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { confirm } from "./confirm.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES, type ExitCode, exitCodeOfJob } from "./exit-codes.js";
import { describePayment } from "./payment-text.js";
import { progressLine } from "./progress-line.js";
import { seconds } from "./seconds.js";
import { json, type Terminal } from "./terminal.js";

interface PayFlags extends ConnectionFlags, JsonFlag {
  readonly device?: string;
  readonly method?: PaymentMethod;
  readonly reference: string;
  readonly key?: string;
  readonly yes?: true;
  readonly timeout: number;
}

export const addPay: AddCommand = (program, act) => {
  const command = program
    .command("pay")
    .summary("take a payment, to try a terminal")
    .description("Takes one payment of real money, after asking. With the same --key it is taken once, however often this is run.")
    .argument("<vnd>", "whole đồng", wholeDong)
    .option("-d, --device <id>", "which terminal, where there are several")
    .addOption(new Option("-m, --method <method>", "how it is paid, where there are several ways").choices(PAYMENT_METHODS))
    .option("-r, --reference <code>", "opaque code of the bill", "TEST")
    .option("-k, --key <key>", "idempotency key; a new one unless told")
    .option("-y, --yes", "do not ask")
    .option("-t, --timeout <seconds>", "how long to wait", seconds, 180);
  withExamples(withConnection(withJson(command)), [
    ["stationd pay 1000", "a test payment; take it back with stationd payments reverse"],
    ["stationd pay 1000 --method vietqr", "shows a code to scan, and waits for the back-end's confirmation"],
  ]).action(
    act(async (terminal, amountVnd: number, flags: PayFlags) => {
      const { t } = terminal;
      const question =
        flags.method === "vietqr"
          ? t`Show a code to transfer ${amountVnd} VND with?`
          : t`Charge ${amountVnd} VND to the card that is presented?`;
      await confirm(terminal, question, flags.yes);
      const idempotencyKey = flags.key ?? `cli-${randomUUID()}`;
      return withStation(terminal, { ...flags, first: "service", staysConnected: true }, async (client, signal) => {
        const line = progressLine(terminal);
        let code: string | undefined;
        await client.subscribe(["jobs"], (update) => {
          const job = update.kind === "event" ? update.data : undefined;
          if (job?.kind !== "payment" || job.idempotencyKey !== idempotencyKey || !job.code || job.code.payload === code) return;
          code = job.code.payload;
          line.clear();
          terminal.note(`${renderUnicodeCompact(code, { border: 2 })}\n`);
        });
        // Stopped before it was asked for: nothing has begun.
        signal.throwIfAborted();
        using second = secondInterrupt(signal, () => {
          line.clear();
          terminal.note(t`Asking the terminal to stop, and waiting for how it ends. Ctrl-C again leaves.\n`);
        });
        try {
          const asked = client.call(
            "paymentTerminal.pay",
            {
              amountVnd,
              reference: flags.reference,
              idempotencyKey,
              timeoutMs: Math.round(flags.timeout * 1_000),
              ...(flags.device === undefined ? {} : { device: flags.device }),
              ...(flags.method === undefined ? {} : { method: flags.method }),
            },
            { signal, onProgress: line.show },
          );
          const job = await Promise.race([asked, second.pressed]);
          line.clear();
          if (job === undefined) return leftPayment(idempotencyKey, terminal, flags.json === true);
          terminal.out(flags.json ? json(job) : describePayment(job, t));
          return exitCodeOfJob(job);
        } catch (error) {
          line.clear();
          if (!flags.json) terminal.note(t`stationd: ask how it ended with: stationd jobs get ${idempotencyKey}\n`);
          throw error;
        }
      });
    }),
  );
};

/** The Ctrl-C after the one that aborts the signal; `first` is told of that one. Without it a second one would end the process unheard. */
function secondInterrupt(signal: AbortSignal, first: () => void): { readonly pressed: Promise<undefined> } & Disposable {
  let press: () => void = () => {};
  const pressed = new Promise<undefined>((resolve) => {
    press = () => resolve(undefined);
  });
  const onFirst = (): void => {
    process.once("SIGINT", press);
    first();
  };
  signal.addEventListener("abort", onFirst, { once: true });
  return {
    pressed,
    [Symbol.dispose]() {
      signal.removeEventListener("abort", onFirst);
      process.removeListener("SIGINT", press);
    },
  };
}

/** The payment goes its way without anybody who watches: how to find it is the last word. */
function leftPayment(key: string, { out, note, t }: Terminal, asJson: boolean): ExitCode {
  if (asJson) out(json({ idempotencyKey: key, state: "unknown", final: false }));
  note(t`stationd: left while the payment was under way; nobody can tell yet how it ends. Its key: ${key}\n`);
  note(t`  Ask with: stationd jobs get ${key}\n`);
  return EXIT_CODES.unknownOutcome.code;
}

function wholeDong(text: string): number {
  const value = Number(text);
  if (!/^[1-9]\d{0,11}$/.test(text)) throw new InvalidArgumentError("expected whole đồng, more than 0");
  return value;
}
