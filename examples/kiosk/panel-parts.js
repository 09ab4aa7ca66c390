/** What the sections of the side panel are made of. */
import { h, icon } from "./dom.js";

/** Buttons are only exchanged when one reads differently, so that the focus of a keyboard stays where it is. */
function place(where, next) {
  const reads = (elements) => elements.map((element) => element.textContent).join("|");
  if (reads([...where.children]) === reads(next)) return;
  const index = [...where.children].indexOf(document.activeElement);
  where.replaceChildren(...next);
  next[index]?.focus();
}

/**
 * Buttons of one simulator: what they do depends on how it stands. `makers`: `(state) => [label, action, params]`.
 * `draw(state)` is told of each change.
 */
export function deviceButtons(simulator, makers, act) {
  const element = h("div", { class: "panel-buttons" });
  return {
    element,
    draw(state) {
      place(
        element,
        makers.map((maker) => {
          const [label, action, params] = maker(state);
          return h("button", { type: "button", "data-action": action, text: label, on: { click: () => act(simulator, action, params) } });
        }),
      );
    },
  };
}

export const section = (name, picture, title, ...children) =>
  h(
    "section",
    { class: `panel-${name}`, "aria-labelledby": `panel-${name}` },
    h("h3", { id: `panel-${name}` }, icon(picture), title),
    ...children,
  );

/** A section of one simulator that has buttons and a line of words. */
export function deviceSection({ simulator, name, picture, title, buttons, describe }, act, ...children) {
  const state = h("p", { class: "panel-state", "data-panel": name });
  const pressed = deviceButtons(simulator, buttons, act);
  return {
    simulator,
    element: section(name, picture, title, state, ...children, pressed.element),
    draw(now) {
      pressed.draw(now);
      state.textContent = describe(now);
    },
  };
}
