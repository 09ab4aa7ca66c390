/** The side panel's barcode scanner: what is held before it. */
import { SAMPLE_BILLS } from "./bills.js";
import { h } from "./dom.js";
import { SAMPLE_CODES } from "./dossiers.js";
import { deviceButtons, section } from "./panel-parts.js";

export const SCANNER = "scanner";

const BUTTONS = [({ attached }) => (attached === false ? ["Cắm cáp", "plug"] : ["Rút cáp", "unplug"])];

export function codesSection(act) {
  const state = h("p", { class: "panel-state" });
  const pressed = deviceButtons(SCANNER, BUTTONS, act);
  return {
    simulator: SCANNER,
    element: section(
      "scanner",
      "qr",
      "Quét mã này",
      h(
        "div",
        { class: "panel-buttons codes" },
        [...SAMPLE_CODES, ...SAMPLE_BILLS].map(({ label, note, text }) =>
          h(
            "button",
            { type: "button", "data-code": label, title: note, on: { click: () => act(SCANNER, "scan", { text }) } },
            h("b", { text: label.replace("HS-2026-", "HS ") }),
            h("small", { text: note }),
          ),
        ),
      ),
      h("div", { class: "panel-cable" }, pressed.element, state),
    ),
    draw(now) {
      pressed.draw(now);
      state.textContent = now.attached === false ? "Đã rút cáp" : "Đang cắm";
    },
  };
}
