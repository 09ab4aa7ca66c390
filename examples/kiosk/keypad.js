import { h, icon } from "./dom.js";

/** Digits for fingers. `press(digit)`, `erase()`; `go` submits the form around it. */
export function keypad({ texts, label, press, erase }) {
  const key = (content, name, action) => h("button", { type: "button", class: "key", "aria-label": name, on: { click: action } }, content);
  return h(
    "div",
    { class: "keypad", role: "group", "aria-label": texts.keypad },
    ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((digit) => key(digit, digit, () => press(digit))),
    key(icon("backspace"), texts.backspace, erase),
    key("0", "0", () => press("0")),
    h("button", { type: "submit", class: "key go" }, label),
  );
}
