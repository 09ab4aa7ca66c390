/** Third step: who the chip says this is, and what could be proved about it. */
import { lastDigits, masked, personOf } from "../card-person.js";
import { headline, verdictLines } from "../card-verdicts.js";
import { h, icon } from "../dom.js";
import { hasNext, nextStep } from "../journey.js";
import { formatDate } from "../texts.js";

const PICTURES = { good: "check", unknown: "unknown", wrong: "cross" };
const CAN_PRINT = new Set(["ready", "busy", "attention"]);

export function showIdentity(app) {
  const { texts, view } = app;
  const { identity: words } = texts;
  const { identity, language } = view;
  const person = personOf(identity.reading);
  const lines = verdictLines(identity);
  const head = headline(lines);
  const [heading, sentence] = words.heads[head];

  const date = (value) => (value === "unlimited" ? words.unlimited : value && formatDate(value, language));
  const fact = (label, value, className) => h("div", { class: className }, h("dt", { text: label }), h("dd", {}, value ?? words.notOnChip));

  let revealed = false;
  const number = h("span", { id: "number", class: "number" });
  const reveal = h("button", {
    type: "button",
    class: "button reveal",
    "aria-controls": "number",
    on: {
      click() {
        revealed = !revealed;
        showNumber();
      },
    },
  });
  const showNumber = () => {
    const { idNumber } = person;
    number.replaceChildren(
      revealed ? h("b", { text: idNumber.replaceAll(/(\d{3})(?=\d)/g, "$1 ") }) : h("b", { "aria-hidden": "true", text: masked(idNumber) }),
      revealed ? "" : h("span", { class: "for-ears", text: words.lastDigits(lastDigits(idNumber)) }),
    );
    reveal.setAttribute("aria-pressed", String(revealed));
    reveal.replaceChildren(icon(revealed ? "hide" : "eye"), revealed ? words.hide : words.reveal);
  };
  if (person.idNumber) showNumber();

  const verdict = ({ name, state }) =>
    h(
      "li",
      { "data-verdict": name, "data-state": state },
      h("span", { class: "mark", "aria-hidden": "true" }, icon(PICTURES[state])),
      h("span", { class: "says", text: words.verdicts[name][state] }),
      h("b", { class: "tag", text: words.states[state] }),
    );
  const away = h("p", { class: "away", role: "status" });
  const onJourney = hasNext(view);
  const [meant, picture, go] = onJourney
    ? [texts.journeys.next, "arrow", () => nextStep(app)]
    : [words.print, "printer", () => app.startPrint({ kind: "identity" })];
  const on = h("button", { type: "button", class: "button primary", on: { click: go } }, icon(picture), meant);

  const element = h(
    "section",
    { class: "identity", "data-head": head },
    h(
      "div",
      { class: "head" },
      h("span", { class: "mark", "aria-hidden": "true" }, icon(PICTURES[head])),
      h("div", {}, h("h1", { tabindex: "-1", text: heading }), h("p", { class: "lead", text: sentence })),
    ),
    h(
      "div",
      { class: "sheet person" },
      h("h2", { text: words.person }),
      h(
        "div",
        { class: "who" },
        identity.portrait
          ? h("img", { class: "portrait", src: identity.portrait, alt: words.portrait })
          : h("p", { class: "portrait none" }, icon("staff"), h("span", { text: words.noPortrait })),
        h(
          "dl",
          { class: "facts" },
          fact(words.name, person.name, "wide name"),
          fact(words.idNumber, person.idNumber ? [number, reveal] : undefined, "wide id-number"),
          fact(words.birthDate, date(person.birthDate)),
          fact(words.sex, words.sexes[person.sex]),
          fact(words.expiryDate, date(person.expiryDate)),
          fact(words.residence, person.residence, "wide"),
        ),
      ),
    ),
    h("div", { class: "progress checks" }, h("h2", { text: words.checks }), h("ul", { class: "verdicts" }, lines.map(verdict))),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "button", on: { click: () => app.finish() } }, icon("home"), texts.finish),
      away,
      on,
    ),
  );

  const refresh = () => {
    // What a check speaks against is for a person to look at.
    const able = onJourney ? head !== "wrong" : view.connection === "open" && CAN_PRINT.has(app.device("printer")?.state);
    on.disabled = !able;
    const text = able ? "" : onJourney ? texts.journeys.wrongCard : texts.printerAway;
    if (away.textContent !== text) away.textContent = text;
  };
  refresh();
  return { element, refresh };
}
