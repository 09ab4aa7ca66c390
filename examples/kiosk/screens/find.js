import { h, icon } from "../dom.js";
import { CODE_PATTERN, CODE_PREFIX, dossierOf } from "../dossiers.js";
import { keypad } from "../keypad.js";
import { readCodes } from "../scanning.js";

const CODE_LENGTH = CODE_PREFIX.length + 6;

export function showFind(app, signal) {
  const { texts } = app;
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
    value: CODE_PREFIX,
  });

  const say = (text) => {
    answer.replaceChildren(icon("warn"), h("span", { text }));
    answer.classList.add("shown");
  };

  const look = (typed) => {
    const code = typed.trim().toUpperCase();
    const dossier = dossierOf(code);
    if (dossier) app.go("dossier", { dossier });
    else say(CODE_PATTERN.test(code) ? texts.notFound(code) : texts.notACode);
  };

  const scanned = ({ text, parsed }) => {
    if (parsed.kind === "citizenCard") say(texts.cardCode);
    else if (parsed.kind === "vietqr") say(texts.paymentCode);
    else look(text);
  };

  const press = (digit) => {
    if (input.value.length < CODE_LENGTH) input.value += digit;
  };

  const element = h(
    "section",
    { class: "find" },
    h(
      "div",
      { class: "scan" },
      h("h1", { tabindex: "-1", text: texts.findTitle }),
      h("p", { class: "lead", text: texts.findNote }),
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
      h("h2", { text: texts.typeTitle }),
      h("label", { for: "code", text: texts.codeLabel }),
      input,
      h("p", { id: "code-example", class: "example", text: texts.codeExample }),
      keypad({
        texts,
        label: [icon("search"), h("span", { text: texts.find })],
        press,
        erase() {
          if (input.value.length > CODE_PREFIX.length) input.value = input.value.slice(0, -1);
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
