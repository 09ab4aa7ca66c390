/** First step: the code on the card, or the number that is printed on it. Either opens the chip. */
import { newIdentity } from "../card-reading.js";
import { h, icon } from "../dom.js";
import { keypad } from "../keypad.js";
import { readCodes } from "../scanning.js";

const DIGITS = 12;

export function showIdentify(app, signal) {
  const { texts } = app;
  const { identity: words } = texts;
  const scanState = h("p", { class: "scan-state", role: "status" });
  const readerState = h("p", { class: "away", role: "status" });
  const answer = h("p", { class: "answer", role: "alert" });
  const count = h("p", { id: "number-count", class: "example", role: "status" });
  const input = h("input", {
    id: "id-number",
    name: "id-number",
    inputmode: "numeric",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: String(DIGITS),
    "aria-describedby": "number-count",
    on: { input: () => typed(input.value) },
  });

  const say = (text) => {
    answer.replaceChildren(icon("warn"), h("span", { text }));
    answer.classList.add("shown");
  };
  const typed = (text) => {
    input.value = text.replaceAll(/\D/g, "").slice(0, DIGITS);
    count.textContent = words.typed(input.value.length);
  };
  const scanned = ({ text, parsed }) => {
    if (parsed.kind === "citizenCard") app.identify(newIdentity("code", { qr: text }, parsed));
    else say(words.notACard);
  };

  const element = h(
    "section",
    { class: "find card-key" },
    h(
      "div",
      { class: "scan" },
      h("h1", { tabindex: "-1", text: words.scanTitle }),
      h("p", { class: "lead", text: words.scanNote }),
      h("div", { class: "viewfinder", "aria-hidden": "true" }, icon("card"), h("span", { class: "beam" })),
      scanState,
      answer,
    ),
    h(
      "form",
      {
        class: "typing",
        on: {
          submit(event) {
            event.preventDefault();
            const idNumber = input.value;
            if (idNumber.length === DIGITS) app.identify(newIdentity("number", { idNumber }, { idNumber }));
            else {
              say(words.notANumber);
              input.focus();
            }
          },
        },
      },
      h("h2", { text: words.typeTitle }),
      h("label", { for: "id-number", text: words.numberLabel }),
      input,
      count,
      keypad({
        texts,
        label: [icon("arrow"), h("span", { text: words.go })],
        press: (digit) => typed(input.value + digit),
        erase: () => typed(input.value.slice(0, -1)),
      }),
    ),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "button", on: { click: () => app.go("start") } }, icon("back"), texts.back),
      readerState,
    ),
  );
  typed("");

  const wake = app.client ? readCodes(app.client, signal, scanned) : () => {};
  const refresh = () => {
    const open = app.view.connection === "open";
    const scanner = open ? app.device("barcodeScanner")?.state : undefined;
    const able = scanner === "ready" || scanner === "busy";
    element.classList.toggle("scanner-ready", able);
    const text = able ? words.scanReady : words.scanAbsent;
    if (scanState.textContent !== text) scanState.textContent = text;
    const reader = app.device("chipReader")?.state;
    const away = open && reader !== "ready" && reader !== "busy" ? words.readerAway : "";
    if (readerState.textContent !== away) readerState.textContent = away;
    if (able) wake();
  };
  refresh();
  return { element, refresh };
}
