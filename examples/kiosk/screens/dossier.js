import { payableOf } from "../bills.js";
import { h, icon } from "../dom.js";
import { formatDate, formatVnd } from "../texts.js";

const CAN_PRINT = new Set(["ready", "busy", "attention"]);

export function showDossier(app) {
  const { texts, view } = app;
  const { dossier, language } = view;
  const fee = payableOf(dossier.code);
  const ready = dossier.done === dossier.steps.length - 1;
  const fact = (label, value, className) => h("div", { class: className }, h("dt", { text: label }), h("dd", { text: value }));
  const away = h("p", { class: "away", role: "status" });
  const print = h(
    "button",
    { type: "button", class: "button primary", on: { click: () => app.startPrint({ kind: "dossier", code: dossier.code }) } },
    icon("printer"),
    texts.print,
  );

  const element = h(
    "section",
    { class: "dossier" },
    h(
      "div",
      { class: "sheet" },
      h("p", { class: "code" }, `${texts.dossier} `, h("b", { text: dossier.code })),
      h("h1", { tabindex: "-1", text: dossier.procedure[language] }),
      ready && h("p", { class: "badge" }, icon("check"), texts.ready),
      h(
        "dl",
        { class: "facts" },
        fact(texts.applicant, dossier.applicant),
        fact(texts.office, dossier.office[language]),
        fact(texts.submitted, formatDate(dossier.submitted, language)),
        fact(
          texts.fee,
          dossier.feeVnd === 0 ? texts.noFee : `${formatVnd(dossier.feeVnd)} (${dossier.feePaid ? texts.paid : texts.unpaid})`,
        ),
        fact(texts.due, formatDate(dossier.due, language), "due"),
      ),
      fee &&
        h(
          "button",
          { type: "button", class: "button pay-fee", on: { click: () => app.go("bill", { payable: fee }) } },
          icon("bankCard"),
          `${texts.pay.payFee} ${formatVnd(fee.amountVnd)}`,
        ),
    ),
    h(
      "div",
      { class: "progress" },
      h("h2", { text: texts.progress }),
      h(
        "ol",
        { class: "timeline" },
        dossier.steps.map(({ title, date, where }, index) => {
          const phase = index < dossier.done ? "done" : index === dossier.done ? "current" : "waiting";
          return h(
            "li",
            { "data-phase": phase, "aria-current": phase === "current" && "step" },
            h("span", { class: "knot", "aria-hidden": "true" }, phase === "done" ? icon("check") : String(index + 1)),
            h(
              "div",
              {},
              h("h3", { text: title[language] }),
              h("p", { text: where[language] }),
              h("p", { class: "phase" }, texts.phases[phase], date && phase === "done" ? ` · ${formatDate(date, language)}` : ""),
            ),
          );
        }),
      ),
    ),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "button", on: { click: () => app.finish() } }, icon("home"), texts.finish),
      h(
        "button",
        { type: "button", class: "button", on: { click: () => app.go("find", { dossier: undefined }) } },
        icon("search"),
        texts.another,
      ),
      away,
      print,
    ),
  );

  const refresh = () => {
    const able = view.connection === "open" && CAN_PRINT.has(app.device("printer")?.state);
    print.disabled = !able;
    const text = able ? "" : texts.printerAway;
    if (away.textContent !== text) away.textContent = text;
  };
  refresh();
  return { element, refresh };
}
