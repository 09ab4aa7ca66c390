import { h, icon } from "../dom.js";
import { drum } from "../drum.js";

export function showStart(app) {
  const { texts } = app;
  const offer = (screen, picture, title, note, changes = {}) =>
    h(
      "button",
      { type: "button", class: "offer", on: { click: () => app.go(screen, { seeking: "dossier", ...changes }) } },
      h("span", { class: "offer-picture" }, icon(picture)),
      h("span", { class: "offer-text" }, h("strong", { text: title }), h("span", { text: note })),
      h("span", { class: "offer-go" }, icon("arrow")),
    );
  const verify = offer("identify", "card", texts.identity.offer, texts.identity.offerNote);
  const pay = offer("find", "bankCard", texts.pay.offer, texts.pay.offerNote, { seeking: "bill" });
  const element = h(
    "section",
    { class: "start" },
    drum(),
    h("div", { class: "greeting" }, h("h1", { tabindex: "-1", text: texts.welcome }), h("p", { class: "lead", text: texts.invitation })),
    h("div", { class: "offers" }, offer("find", "search", texts.lookUp, texts.lookUpNote), pay, verify),
    h(
      "div",
      { class: "how" },
      h("p", { class: "how-note", text: texts.stepsNote }),
      h(
        "ol",
        { class: "how-steps" },
        texts.steps.map((step, index) => h("li", {}, icon(["qr", "document", "printer"][index]), h("span", { text: step }))),
      ),
    ),
  );
  const refresh = () => {
    verify.hidden = !app.device("chipReader");
    pay.hidden = !app.device("paymentTerminal");
  };
  refresh();
  return { element, refresh };
}
