import { BILL_KINDS, payableOf } from "../bills.js";
import { h, icon } from "../dom.js";
import { CODE_PATTERN, CODE_PREFIX, dossierOf } from "../dossiers.js";
import { keypad } from "../keypad.js";
import { readCodes } from "../scanning.js";

const DIGITS = 6;

/** A dossier's code or a bill's: scanned, either is found; what can be typed is what was come for. */
export function showFind(app, signal) {
  const { texts, view } = app;
  const ofBill = view.seeking === "bill";
  const words = ofBill ? texts.pay : texts;
  let prefix = ofBill ? BILL_KINDS[0].prefix : CODE_PREFIX;
  const scanState = h("p", { class: "scan-state", role: "status" });
  const answer = h("p", { class: "answer", role: "alert" });
  const input = h("input", {
    id: "code",
    name: "code",
    autocomplete: "off",
    autocapitalize: "characters",
    spellcheck: "false",
    maxlength: "32",
    "aria-describedby": "code-example",
    value: prefix,
  });

  const say = (text) => {
    answer.replaceChildren(icon("warn"), h("span", { text }));
    answer.classList.add("shown");
  };

  const look = (typed) => {
    const code = typed.trim().toUpperCase();
    const dossier = dossierOf(code);
    const payable = payableOf(code);
    if (dossier) app.go("dossier", { dossier });
    else if (payable) app.go("bill", { payable });
    else if (CODE_PATTERN.test(code)) say(texts.notFound(code));
    else say(code.startsWith("HD-") ? texts.pay.notFound(code) : words.notACode);
  };

  const scanned = ({ text, parsed }) => {
    if (parsed.kind === "citizenCard") say(texts.cardCode);
    else if (parsed.kind === "vietqr") say(texts.paymentCode);
    else look(text);
  };

  const press = (digit) => {
    if (input.value.length < prefix.length + DIGITS) input.value += digit;
  };
  const kind = (of, index) =>
    h(
      "label",
      { class: "kind" },
      h("input", {
        type: "radio",
        name: "kind",
        value: of.prefix,
        checked: index === 0,
        on: {
          change() {
            prefix = of.prefix;
            input.value = prefix;
          },
        },
      }),
      h("span", { text: of.title[view.language] }),
    );

  const element = h(
    "section",
    { class: "find" },
    h(
      "div",
      { class: "scan" },
      h("h1", { tabindex: "-1", text: words.findTitle }),
      h("p", { class: "lead", text: words.findNote }),
      h("div", { class: "viewfinder", "aria-hidden": "true" }, icon("qr"), h("span", { class: "beam" })),
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
            look(input.value);
          },
        },
      },
      h("h2", { text: words.typeTitle }),
      ofBill && h("div", { class: "kinds", role: "radiogroup", "aria-label": words.kinds }, BILL_KINDS.map(kind)),
      h("label", { for: "code", text: words.codeLabel }),
      input,
      h("p", { id: "code-example", class: "example", text: words.codeExample }),
      keypad({
        texts,
        label: [icon("search"), h("span", { text: texts.find })],
        press,
        erase() {
          if (input.value.length > prefix.length) input.value = input.value.slice(0, -1);
        },
      }),
    ),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "button", on: { click: () => app.go("start") } }, icon("back"), texts.back),
    ),
  );

  const wake = app.client ? readCodes(app.client, signal, scanned) : () => {};

  const refresh = () => {
    const state = app.view.connection === "open" ? app.device("barcodeScanner")?.state : undefined;
    const able = state === "ready" || state === "busy";
    element.classList.toggle("scanner-ready", able);
    const text = able ? texts.scanReady : texts.scanAbsent;
    if (scanState.textContent !== text) scanState.textContent = text;
    if (able) wake();
  };
  refresh();
  return { element, refresh };
}
