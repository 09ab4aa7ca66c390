import { h, icon } from "../dom.js";
import { CODE_PATTERN, CODE_PREFIX, dossierOf } from "../dossiers.js";

/** How long after a scanner that could not be enabled the next attempt comes, unless its state changes first. */
const RETRY_MS = 2_000;
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
  const key = (label, name, action, className = "") =>
    h("button", { type: "button", class: `key ${className}`, "aria-label": name, on: { click: action } }, label);

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
      h(
        "div",
        { class: "keypad", role: "group", "aria-label": texts.keypad },
        ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((digit) => key(digit, digit, () => press(digit))),
        key(icon("backspace"), texts.backspace, () => {
          if (input.value.length > CODE_PREFIX.length) input.value = input.value.slice(0, -1);
        }),
        key("0", "0", () => press("0")),
        h("button", { type: "submit", class: "key go" }, icon("search"), h("span", { text: texts.find })),
      ),
    ),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "button", on: { click: () => app.go("start") } }, icon("back"), texts.back),
    ),
  );

  let wake = () => {};
  const readCodes = async () => {
    while (!signal.aborted) {
      try {
        for await (const code of app.client.barcodeScanner.scans({ signal })) scanned(code);
      } catch {
        // Absent, busy or out of service: the state line says so, and the codes come once that has changed.
        await new Promise((resolve) => {
          wake = resolve;
          setTimeout(resolve, RETRY_MS);
        });
      }
    }
  };

  const refresh = () => {
    const state = app.view.connection === "open" ? app.device("barcodeScanner")?.state : undefined;
    const able = state === "ready" || state === "busy";
    element.classList.toggle("scanner-ready", able);
    const text = able ? texts.scanReady : texts.scanAbsent;
    if (scanState.textContent !== text) scanState.textContent = text;
    if (able) wake();
  };
  refresh();
  if (app.client) void readCodes();
  return { element, refresh };
}
