import { h, icon } from "../dom.js";
import { drum } from "../drum.js";

export function showStart(app) {
  const { texts } = app;
  const element = h(
    "section",
    { class: "start" },
    drum(),
    h("div", { class: "greeting" }, h("h1", { tabindex: "-1", text: texts.welcome }), h("p", { class: "lead", text: texts.invitation })),
    h(
      "button",
      { type: "button", class: "offer", on: { click: () => app.go("find") } },
      h("span", { class: "offer-picture" }, icon("search")),
      h("span", { class: "offer-text" }, h("strong", { text: texts.lookUp }), h("span", { text: texts.lookUpNote })),
      h("span", { class: "offer-go" }, icon("arrow")),
    ),
    h(
      "div",
      { class: "how" },
      h("p", { class: "how-note", text: texts.stepsNote }),
      h(
        "ol",
        { class: "how-steps" },
        texts.steps.map((step, index) => h("li", {}, icon(["qr", "clock", "printer"][index]), h("span", { text: step }))),
      ),
    ),
  );
  return { element, refresh() {} };
}
