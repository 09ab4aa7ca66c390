/** The row of buttons below each step: away, back, on. */
import { h, icon } from "./dom.js";
import { formerStep, hasFormer } from "./journey.js";

export const button = (text, picture, action, primary = false, more = {}) =>
  h(
    "button",
    { type: "button", class: primary ? "button primary" : "button", ...more, on: { click: action } },
    icon(picture),
    h("span", { text }),
  );

/** `on`: the buttons that lead on; the last of them is the one that is meant. */
export const stepActions = (app, ...on) =>
  h(
    "div",
    { class: "actions step-actions" },
    button(app.texts.finish, "home", () => app.finish()),
    hasFormer(app.view) && button(app.texts.journeys.back, "back", () => formerStep(app)),
    h("span", { class: "room" }),
    on,
  );

/** What went wrong, and what to do: `[title, sentence]`. */
export function trouble() {
  const element = h("div", { class: "trouble", role: "alert" });
  return {
    element,
    say(words, extra = "") {
      element.replaceChildren(
        ...(words
          ? [icon("warn"), h("div", {}, h("strong", { text: words[0] }), h("p", { text: [words[1], extra].filter(Boolean).join(" ") }))]
          : []),
      );
      if (words) element.scrollIntoView({ block: "nearest" });
    },
  };
}
