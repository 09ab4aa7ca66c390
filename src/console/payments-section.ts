import type { Translate } from "../languages/translate.js";
import type { PaymentJob } from "../protocol/payment-terminal.js";
import { PAYMENT_WORDS } from "../technician/payment-words.js";
import type { App, Section } from "./app.js";
import { confirmed } from "./dialogs.js";
import { arrange, h, say } from "./dom.js";
import { dong, sentence, told } from "./words.js";

const outcomeWords = (t: Translate) => ({
  approved: t`It was charged`,
  not_charged: t`It was not charged`,
  reversed: t`It was charged and given back`,
});
type Outcome = keyof ReturnType<typeof outcomeWords>;

interface Row {
  readonly element: HTMLElement;
  show(job: PaymentJob, connected: boolean): void;
}

/** What a person has to settle, and what the agent is still finding out. As `stationd payments resolve`. */
export function paymentsSection(app: App): Section {
  const { t } = app;
  const rows = new Map<string, Row>();
  const list = h("ul", { class: "cards" });
  const none = h("p", { class: "soft", role: "status" });
  const done = h("p", { class: "done", role: "status" });

  return {
    id: "payments",
    title: t`Payments to settle`,
    element: h("div", {}, list, none, done),
    waiting: () => app.payments.filter(({ state }) => state === "manual_review").length,
    refresh() {
      const open = app.payments.filter(({ final, state }) => !final || state === "manual_review");
      none.hidden = open.length > 0;
      say(none, app.paymentsProblem ?? t`Nothing to settle: every payment has ended, and its end is known.`);
      for (const job of rows.keys()) if (!open.some((one) => one.job === job)) rows.delete(job);
      arrange(
        list,
        open.map((job) => {
          let row = rows.get(job.job);
          if (!row) {
            row = paymentRow(app, job, (text) => say(done, text));
            rows.set(job.job, row);
          }
          row.show(job, app.connected);
          return row.element;
        }),
      );
    },
  };
}

function paymentRow(app: App, { job, amountVnd, device, reference, reverses, createdAt }: PaymentJob, onDone: (text: string) => void): Row {
  const { t } = app;
  const words = outcomeWords(t);
  const state = h("p", { class: "state-line" });
  const reason = h("p", { class: "reason" });
  const transfers = h("ul", { class: "transfers" });
  const problem = h("p", { class: "problem", role: "alert" });
  const evidence = h("input", {
    name: "evidence",
    required: true,
    maxlength: 64,
    pattern: "[\\w.\\/:\\-]{1,64}",
    autocomplete: "off",
    spellcheck: "false",
    title: t`letters, digits, . / : - _`,
  });
  const settle = h("button", { type: "submit", class: "button primary", text: t`Settle …` });
  const outcomes = (Object.keys(words) as Outcome[]).map((outcome) =>
    h("label", { class: "choice" }, h("input", { type: "radio", name: "outcome", value: outcome, required: true }), words[outcome]),
  );
  const form = h(
    "form",
    { class: "settle", on: { submit: (event) => void submit(event) } },
    h("fieldset", {}, h("legend", { text: t`What the terminal’s journal, or the bank’s statement, says` }), ...outcomes),
    h("label", { class: "field" }, t`Receipt or journal number it was read from`, evidence),
    settle,
    problem,
  );
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const outcome = new FormData(form).get("outcome") as Outcome;
    say(problem, "");
    const question = {
      title: t`Settle this payment?`,
      text: t`${dong(amountVnd)} (${reference}): ${words[outcome].toLowerCase()}, by ${evidence.value}. This is written down with your name, and cannot be taken back here.`,
      yes: t`Settle it`,
      no: t`Cancel`,
    };
    if (!(await confirmed(question))) return;
    settle.disabled = true;
    try {
      await app.link.client().call("paymentTerminal.resolve", { job, outcome, evidence: evidence.value });
      onDone(t`The payment of ${dong(amountVnd)} (${reference}) is settled: ${words[outcome].toLowerCase()}.`);
    } catch (error) {
      say(problem, told(error, t));
    } finally {
      settle.disabled = !app.connected;
    }
  };
  const element = h(
    "li",
    { class: "card payment", "data-job": job },
    h("div", { class: "card-head" }, h("h3", { text: reverses === undefined ? dong(amountVnd) : t`Reversal of ${dong(amountVnd)}` })),
    h("p", { class: "soft", text: `${device} · ${reference} · ${new Date(createdAt).toLocaleString()} · ${job.slice(0, 8)}` }),
    state,
    reason,
    transfers,
    form,
  );

  return {
    element,
    show(now, connected) {
      const review = now.state === "manual_review";
      element.dataset.state = now.state;
      say(state, review ? sentence(t(PAYMENT_WORDS[now.state])) : t`Open: ${t(PAYMENT_WORDS[now.state])}`);
      say(reason, now.reason ? told(now.reason, t) : "");
      reason.hidden = !now.reason;
      const came = (now.transfers ?? []).map((transfer) => t`Transfer ${transfer.transactionId}: ${dong(transfer.amountVnd)}`);
      if (transfers.childElementCount !== came.length) transfers.replaceChildren(...came.map((text) => h("li", { text })));
      form.hidden = !review;
      settle.disabled = !connected;
    },
  };
}
