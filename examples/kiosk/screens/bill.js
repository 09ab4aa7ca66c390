/** What is to be paid, and how: a bill, or the fee of a dossier. */

import { h, icon } from "../dom.js";
import { dossierOf } from "../dossiers.js";
import { formerStep, hasFormer, hasNext, nextStep } from "../journey.js";
import { newPayment, standingOf, terminalFor } from "../paying.js";
import { cardText, shortName } from "../receipt-slip.js";
import { formatVnd } from "../texts.js";

const WAYS = [
  ["card", "bankCard"],
  ["vietqr", "qr"],
];
const CAN_PAY = new Set(["ready", "busy"]);

/** Why nobody can pay in this way now, in the citizen's words; undefined where one can. */
function whyNot({ view, texts }, way) {
  const terminal = terminalFor(view, way);
  if (!terminal) return texts.pay.unavailable.none;
  if (view.connection !== "open") return texts.pay.unavailable.connection;
  return CAN_PAY.has(terminal.state) ? undefined : (texts.pay.unavailable[terminal.state] ?? texts.pay.unavailable.absent);
}

export function showBill(app, signal) {
  const { texts, view } = app;
  const { pay: words } = texts;
  const { payable, language } = view;
  const fact = (label, value) => value && h("div", {}, h("dt", { text: label }), h("dd", { text: value }));
  const choice = h("div", { class: "ways" });
  let standing;

  const button = (text, picture, action, primary = false) =>
    h("button", { type: "button", class: primary ? "button primary" : "button", on: { click: action } }, icon(picture), text);
  /** Where one came from. */
  const aside = () => {
    if (payable.period) return button(words.otherBill, "search", () => app.go("find", { payable: undefined }));
    if (hasFormer(view)) return button(texts.journeys.back, "back", () => formerStep(app));
    return dossierOf(payable.code) && button(texts.toDossier, "document", () => app.go("dossier", { payable: undefined }));
  };

  const element = h(
    "section",
    { class: "bill" },
    h(
      "div",
      { class: "sheet" },
      h("p", { class: "code" }, `${payable.period ? words.bill : texts.dossier} `, h("b", { text: payable.code })),
      h("h1", { tabindex: "-1", text: payable.title[language] }),
      h(
        "dl",
        { class: "facts" },
        fact(words.payer, payable.payer),
        fact(words.issuer, payable.issuer[language]),
        fact(words.period, payable.period?.[language]),
      ),
      h("p", { class: "sum" }, h("span", { text: words.amount }), h("b", { text: formatVnd(payable.amountVnd) })),
    ),
    choice,
    h(
      "div",
      { class: "actions" },
      button(texts.finish, "home", () => app.finish()),
      aside(),
    ),
  );

  const way = ([name, picture]) => {
    const reason = whyNot(app, name);
    const note = h("span", { id: `way-${name}`, class: reason ? "why-not" : "", text: reason ?? words.wayNotes[name] });
    return h(
      "button",
      {
        type: "button",
        class: "offer way",
        "data-way": name,
        "aria-disabled": reason !== undefined && "true",
        "aria-describedby": `way-${name}`,
        // Not `disabled`: a screen reader passes over that, and its reason with it.
        on: { click: () => whyNot(app, name) === undefined && app.startPay(newPayment(payable.code, terminalFor(view, name).id)) },
      },
      h("span", { class: "offer-picture" }, icon(picture)),
      h("span", { class: "offer-text" }, h("strong", { text: words.ways[name] }), note),
      !reason && h("span", { class: "offer-go" }, icon("arrow")),
    );
  };

  const settled = (picture, title, ...notes) =>
    h(
      "div",
      { class: "outcome" },
      h("div", { class: "medal", "aria-hidden": "true" }, icon(picture)),
      h("h2", { text: title }),
      ...notes.map((text) => h("p", { class: "lead", text })),
    );

  const choose = () => {
    choice.dataset.outcome = standing?.kind === "inDoubt" ? "attention" : "";
    if (standing?.kind === "paid") {
      const { receipt } = standing.job;
      const facts = [receipt && cardText(receipt), receipt?.receiptNumber && `${words.receiptNumber} ${receipt.receiptNumber}`];
      return [
        settled("check", words.alreadyPaid, words.alreadyPaidNote, facts.filter(Boolean).join(" · ")),
        hasNext(view) && button(texts.journeys.next, "arrow", () => nextStep(app), true),
      ].filter(Boolean);
    }
    if (standing?.kind === "inDoubt") return [settled("staff", words.inDoubt, words.inDoubtNote(shortName(standing.job)))];
    return [h("h2", { text: words.choose }), ...(standing ? WAYS.map(way) : [h("p", { class: "lead", text: words.stages.asking[1] })])];
  };

  let shown;
  const refresh = () => {
    const now = JSON.stringify([standing?.kind, standing?.job?.job, ...WAYS.map(([name]) => whyNot(app, name) ?? "")]);
    if (now === shown) return;
    shown = now;
    const focused = document.activeElement?.dataset.way;
    choice.replaceChildren(...choose());
    if (focused) choice.querySelector(`[data-way="${focused}"]`)?.focus();
  };
  /** Whether there is anything left to pay is the agent's to say, before anybody can press anything. */
  const look = async () => {
    while (!signal.aborted && !standing) {
      standing = await standingOf(app, payable.code).catch(() => undefined);
      if (signal.aborted) return;
      refresh();
      if (!standing) await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  };
  refresh();
  void look();
  return { element, refresh };
}
