/** A payment as it goes, and how it ended. The amount is always there. */
import { citizenMessage } from "/stationd/client/index.js";
import { h, icon } from "../dom.js";
import { hasNext, nextStep } from "../journey.js";
import { hasSlip, wayOf } from "../paying.js";
import { cardText, shortName } from "../receipt-slip.js";
import { formatVnd } from "../texts.js";

/** Errors after which nobody here can say what became of the payment; all others mean that there is none. */
const UNDECIDED = new Set(["connection_lost", "internal", "unauthorized", "protocol_mismatch", "idempotency_conflict"]);
const UNDER_WAY = new Set(["queued", "in_progress"]);

/** What the citizen is told: how it ended, else which step it is at, and what is known of the terminal and the connection. */
function situation({ view }) {
  const { job, error, stage } = view.payment;
  if (error?.kind === "payment_unresolved") return { outcome: "unresolved" };
  if (error) return { outcome: UNDECIDED.has(error.kind) ? "unknown" : "not_started", reason: error };
  if (job?.final) return { outcome: job.state, reason: job.reason };
  if (view.connection !== "open") return { stage: "lost" };
  // A code that can be paid is shown, also where the station has restarted and still asks for the payment's end.
  if (job?.code) return { stage: "scan_code" };
  if (job && !UNDER_WAY.has(job.state)) return { stage: "resolving" };
  if (stage) return { stage };
  return { stage: job ? (job.state === "queued" ? "queued" : "following") : "asking" };
}

const STEP_OF = { present_card: 0, enter_pin: 1, wrong_pin: 1, authorising: 2, remove_card: 3, scan_code: 0 };
const PICTURES = {
  approved: "check",
  declined: "cross",
  cancelled: "cross",
  not_charged: "cross",
  not_started: "warn",
  expired: "clock",
  reversed: "back",
  manual_review: "staff",
  unresolved: "clock",
  unknown: "unknown",
};
/** Nothing was charged, or it was given back: the same bill may be paid by a new attempt. */
const MAY_PAY_AGAIN = new Set(["declined", "cancelled", "not_charged", "not_started", "expired", "reversed", "unresolved"]);
/** Reasons that the outcome's own sentence says already. */
const SAID = new Set(["canceled", "card_error", "timeout", "payment_unresolved", "job_not_found"]);

function slipSituation({ view, texts, device }) {
  const { slip } = view.payment;
  const { slip: words } = texts.pay;
  if (!slip) return undefined;
  const { job, error } = slip;
  const why = (reason) => (reason ? citizenMessage(reason, view.language) : "");
  if (error) return { kind: "notStarted", text: words.notStarted(why(error)) };
  if (job?.final) {
    const kind = job.state === "not_started" ? "notStarted" : job.state;
    if (kind === "printed" && view.payment.job.state === "manual_review") return { kind, text: words.reviewPrinted };
    return { kind, text: typeof words[kind] === "function" ? words[kind](why(job.reason)) : words[kind] };
  }
  const printer = device("printer");
  if (printer?.state === "attention" || printer?.state === "absent") {
    return { kind: "attention", text: words.attention(why(printer.reason) || texts.printerAway) };
  }
  return { kind: "printing", text: words.printing };
}

export function showPay(app, signal) {
  const { texts, view } = app;
  const { pay: words } = texts;
  const { payable, memory } = view.payment;
  const way = wayOf(view, memory.device);
  const body = h("div", { class: "outcome", role: "status", "aria-live": "polite" });
  const slipLine = h("p", { class: "note slip-line", role: "status" });
  const steps = h("ol", { class: "stages", "aria-label": words.progress });
  const actions = h("div", { class: "actions" });
  const countdown = h("p", { class: "note countdown", role: "timer" });
  const element = h(
    "section",
    { class: "printing paying" },
    h(
      "div",
      { class: "bill-line" },
      h(
        "div",
        {},
        h("p", { class: "bill-title", text: payable.title[view.language] }),
        h("p", { class: "code" }, h("b", { text: payable.code })),
      ),
      h("p", { class: "sum" }, h("span", { text: words.amount }), h("b", { text: formatVnd(payable.amountVnd) })),
    ),
    h("div", { class: "pay-body" }, body, slipLine, steps),
    actions,
  );
  let shown = "";
  let code;

  const button = (text, picture, action, primary = false) =>
    h("button", { type: "button", class: primary ? "button primary" : "button", on: { click: action } }, icon(picture), text);
  const finish = (primary) => button(texts.finish, "home", () => app.finish(), primary);

  const cancelButton = () => {
    const asked = view.payment.cancel.signal.aborted;
    const pressed = button(words.cancel, "cross", () => {
      view.payment.cancel.abort();
      refresh();
    });
    pressed.disabled = asked;
    return [
      h("p", {
        class: "cancel-note",
        role: "status",
        text: asked ? words.cancelling : view.payment.job?.code ? words.cancelTransferNote : words.cancelNote,
      }),
      pressed,
    ];
  };

  const drawSteps = (stage) => {
    const now = STEP_OF[stage];
    if (now === undefined) return;
    steps.replaceChildren(
      ...words.steps[way].map((name, index) => {
        const phase = index < now ? "done" : index === now ? "current" : "waiting";
        return h(
          "li",
          { "data-phase": phase, "aria-current": phase === "current" && "step" },
          h("span", { class: "knot", "aria-hidden": "true" }, phase === "done" ? icon("check") : String(index + 1)),
          h("span", { text: name }),
          h("span", { class: "for-ears", text: `, ${words.phases[phase]}` }),
        );
      }),
    );
  };

  /** A picture of its own address: the page's policy lets no markup of others in. */
  const codePicture = ({ svg, payload }) => {
    const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    signal.addEventListener("abort", () => URL.revokeObjectURL(url), { once: true });
    return h("img", { class: "pay-code", src: url, alt: words.qr, "data-payload": payload });
  };

  const drawStage = (stage) => {
    const [title, lead] = words.stages[stage] ?? words.stages.following;
    const waits = stage === "resolving" || stage === "lost" || stage === "reversing_itself";
    const showsCode = stage === "scan_code" && view.payment.job?.code;
    code = showsCode ? view.payment.job.code : undefined;
    element.dataset.outcome = waits ? "attention" : "paying";
    element.dataset.stage = stage;
    body.replaceChildren(
      code
        ? codePicture(code)
        : h(
            "div",
            { class: waits ? "medal" : "card-terminal", "aria-hidden": "true" },
            waits ? icon("clock") : [h("i", { class: "screen" }), h("i", { class: "keys" }), h("i", { class: "bank-card" })],
          ),
      h("h1", { tabindex: "-1", text: title }),
      h("p", { class: "lead", text: lead }),
      ...(waits ? [h("p", { class: "note", text: words.doNotPayAgain })] : code ? [countdown] : []),
    );
    drawSteps(stage);
    steps.hidden = waits;
    const focused = actions.contains(document.activeElement);
    // Whoever cannot wait may go: the terminal's word comes to the staff all the same.
    actions.replaceChildren(...(waits ? [finish(false)] : stage === "remove_card" ? [] : cancelButton()));
    if (focused) actions.querySelector("button:enabled")?.focus();
    tick();
  };

  const drawOutcome = (outcome, reason) => {
    const { job } = view.payment;
    const [title, lead] = words.outcomes[outcome] ?? words.outcomes.unknown;
    code = undefined;
    element.dataset.outcome = outcome;
    delete element.dataset.stage;
    steps.hidden = true;
    const fact = (label, text) => text && h("p", { class: "fact" }, `${label} `, h("b", { text }));
    body.replaceChildren(
      h("div", { class: "medal", "aria-hidden": "true" }, icon(PICTURES[outcome] ?? "unknown")),
      h("h1", { tabindex: "-1", text: title }),
      ...[
        outcome === "approved" && fact(words.paidWith, cardText(job.receipt) || words.ways[way]),
        outcome === "approved" && fact(words.receiptNumber, job.receipt?.receiptNumber),
        reason && !SAID.has(reason.kind) && h("p", { class: "lead", text: citizenMessage(reason, view.language) }),
        lead && h("p", { class: "lead", text: lead }),
        (outcome === "manual_review" || outcome === "unknown") && job && fact(words.name, shortName(job)),
      ].filter(Boolean),
    );
  };

  const drawOutcomeActions = (outcome, slip) => {
    const again = MAY_PAY_AGAIN.has(outcome) && button(words.payAgain, "bankCard", () => app.go("bill", { payable }), true);
    // What was paid goes into the journey's slip.
    const on =
      outcome === "approved" &&
      hasNext(view) &&
      button(
        texts.journeys.next,
        "arrow",
        () => {
          const { amountVnd } = view.payment.job;
          view.journey.payment = { amountVnd };
          nextStep(app);
        },
        true,
      );
    const needsSlip = slip?.kind === "notStarted";
    const mayReprint = slip && slip.kind !== "printing" && slip.kind !== "attention" && !needsSlip;
    actions.replaceChildren(
      ...[
        needsSlip && button(words.print, "printer", () => app.printReceipt({ again: view.payment.slip.again })),
        mayReprint && button(words.reprint, "printer", () => app.printReceipt({ again: true })),
        finish(!again && !on),
        again,
        on,
      ].filter(Boolean),
    );
  };

  const tick = () => {
    if (!code) return;
    const left = Math.max(0, Math.ceil((code.expiresAt - Date.now()) / 1_000));
    countdown.textContent = words.expiresIn(Math.floor(left / 60), String(left % 60).padStart(2, "0"));
  };
  const ticking = setInterval(tick, 1_000);
  signal.addEventListener("abort", () => clearInterval(ticking), { once: true });

  const refresh = () => {
    const { payment } = view;
    if (!payment) return;
    const { outcome, stage, reason } = situation(app);
    const slip = outcome && hasSlip(payment) ? slipSituation(app) : undefined;
    const text = slip?.text ?? "";
    if (slipLine.textContent !== text) slipLine.textContent = text;
    slipLine.dataset.slip = slip?.kind ?? "";
    const now = JSON.stringify([outcome, stage, reason?.kind, payment.job?.code?.payload, payment.cancel.signal.aborted, slip?.kind]);
    if (now === shown) return;
    const moved = shown !== "" && JSON.parse(shown)[0] !== (outcome ?? null);
    const sameOutcome = shown !== "" && outcome && !moved;
    shown = now;
    if (outcome) {
      if (!sameOutcome) drawOutcome(outcome, reason);
      drawOutcomeActions(outcome, slip);
    } else drawStage(stage);
    // The step itself is read out; the focus moves only where the buttons did.
    if (moved && element.isConnected) body.querySelector("h1").focus({ preventScroll: true });
  };
  refresh();
  return { element, refresh };
}
