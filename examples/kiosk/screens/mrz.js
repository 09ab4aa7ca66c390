/** Between the steps, for a chip that does not open with the card's number alone: two dates that are printed on the card. */
import { newIdentity } from "../card-reading.js";
import { h, icon } from "../dom.js";
import { keypad } from "../keypad.js";
import { formatDate } from "../texts.js";

/** How the MRZ writes a card that never expires. */
const NEVER = "991231";

/** `15/03/1985` as the MRZ's `850315`; undefined where it is no day. */
function mrzDate(text) {
  const [, day, month, year] = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(text) ?? [];
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return date.getUTCDate() === Number(day) ? `${year.slice(2)}${month}${day}` : undefined;
}

const withSlashes = (digits) => [digits.slice(0, 2), digits.slice(2, 4), digits.slice(4, 8)].filter(Boolean).join("/");

export function showMrz(app) {
  const { texts, view } = app;
  const { identity: words } = texts;
  const { given, known } = view.identity;
  const { idNumber, birthDate } = known;
  const answer = h("p", { class: "answer", role: "alert" });
  const dateInput = (id) =>
    h("input", {
      id,
      name: id,
      inputmode: "numeric",
      autocomplete: "off",
      maxlength: "10",
      "aria-describedby": "date-example",
      on: {
        focus: (event) => choose(event.target),
        input: (event) => type(event.target, event.target.value),
      },
    });
  /** Where the keypad's digits go. */
  const choose = (input) => {
    current = input;
    for (const each of [birth, expiry]) each.classList.toggle("current", each === current);
  };
  const type = (input, text) => {
    input.value = withSlashes(text.replaceAll(/\D/g, "").slice(0, 8));
  };
  const birth = dateInput("birth");
  const expiry = dateInput("expiry");
  const never = h("input", {
    id: "never",
    type: "checkbox",
    on: {
      change() {
        expiry.disabled = never.checked;
      },
    },
  });
  if (birthDate) birth.value = formatDate(birthDate, "vi");
  let current;
  choose(birthDate ? expiry : birth);

  const submit = (event) => {
    event.preventDefault();
    const dates = { birthDate: mrzDate(birth.value), expiryDate: never.checked ? NEVER : mrzDate(expiry.value) };
    if (dates.birthDate && dates.expiryDate) {
      // The document number of a citizen's card is the end of the ID number.
      app.identify(newIdentity(given, { mrz: { documentNumber: idNumber.slice(-9), ...dates } }, known));
      return;
    }
    answer.replaceChildren(icon("warn"), h("span", { text: words.notADate }));
    answer.classList.add("shown");
    (dates.birthDate ? expiry : birth).focus();
  };

  const element = h(
    "section",
    { class: "find card-key" },
    h(
      "div",
      { class: "scan" },
      h("h1", { tabindex: "-1", text: words.mrzTitle }),
      h("p", { class: "lead", text: words.mrzNote }),
      h("div", { class: "viewfinder", "aria-hidden": "true" }, icon("card")),
      answer,
    ),
    h(
      "form",
      { class: "typing", on: { submit } },
      h("label", { for: "birth", text: words.birthLabel }),
      birth,
      h("label", { for: "expiry", text: words.expiryLabel }),
      expiry,
      h("label", { class: "choice", for: "never" }, never, words.neverExpires),
      h("p", { id: "date-example", class: "example", text: words.dateExample }),
      keypad({
        texts,
        label: [icon("arrow"), h("span", { text: words.go })],
        press(digit) {
          type(current, current.value + digit);
          if (current === birth && birth.value.length === 10) choose(expiry);
        },
        erase: () => type(current, current.value.replace(/\d\/?$/, "")),
      }),
    ),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "button", on: { click: () => app.finish() } }, icon("home"), texts.finish),
    ),
  );
  return { element, refresh() {} };
}
