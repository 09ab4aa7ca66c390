import { h, icon } from "../dom.js";

const SHOWN_MS = 6_000;

export function showFarewell(app, signal) {
  const { texts } = app;
  const reminder = h("p", { class: "note", role: "alert" });
  const element = h(
    "section",
    { class: "printing", "data-outcome": "printed" },
    h(
      "div",
      { class: "outcome" },
      h("div", { class: "medal", "aria-hidden": "true" }, icon("check")),
      h("h1", { tabindex: "-1", text: texts.farewell }),
      h("p", { class: "lead", text: texts.farewellNote }),
      reminder,
    ),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "button primary", on: { click: () => app.go("start") } }, icon("home"), texts.start),
    ),
  );
  const timer = setTimeout(() => app.go("start"), SHOWN_MS);
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  return {
    element,
    refresh(leftPaper) {
      if (leftPaper) reminder.textContent = texts.leftPaper;
    },
  };
}
