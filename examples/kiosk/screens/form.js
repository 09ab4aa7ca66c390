/** The details that go with it: those of the card as they are, the others as the citizen has them. */
import { masked, personOf } from "../card-person.js";
import { h } from "../dom.js";
import { nextStep, rowOf } from "../journey.js";
import { keypad } from "../keypad.js";
import { letterBoard } from "../letter-board.js";
import { button, stepActions } from "../step-actions.js";
import { formatDate } from "../texts.js";

export function showForm(app) {
  const { texts, view } = app;
  const { journeys: words, identity: cardWords } = texts;
  const { language, journey } = view;
  const { values } = journey;
  const row = rowOf(journey);
  const person = view.identity?.reading ? personOf(view.identity.reading) : undefined;

  const shown = {
    name: person?.name,
    idNumber: person?.idNumber && masked(person.idNumber),
    birthDate: person?.birthDate && formatDate(person.birthDate, language),
    sex: cardWords.sexes[person?.sex],
  };
  const fact = (name) => shown[name] && h("div", {}, h("dt", { text: cardWords[name] }), h("dd", { text: shown[name] }));

  const fields = row.fields.map((field) => {
    if (field.from) values[field.name] ??= person?.[field.from] ?? "";
    return FIELDS[field.kind](app, field, values);
  });

  const submit = (event) => {
    event.preventDefault();
    const wrong = fields.filter((field) => !field.check());
    if (wrong.length > 0) wrong[0].focus();
    else nextStep(app);
  };
  const element = h(
    "form",
    { class: "step form", novalidate: true, on: { submit } },
    h("h1", { tabindex: "-1", text: person ? words.formTitle : words.formTitleAsk }),
    person && h("p", { class: "lead", text: words.formNote }),
    person && h("div", { class: "sheet" }, h("h2", { text: words.fromChip }), h("dl", { class: "facts" }, row.card.map(fact))),
    h(
      "div",
      { class: "fields" },
      fields.map((field) => field.element),
    ),
    stepActions(
      app,
      button(words.next, "arrow", () => {}, true, { type: "submit" }),
    ),
  );
  return { element: h("section", { class: "step-frame" }, element), refresh() {} };
}

const labelOf = (app, { name, label, optional }) => [
  label?.[app.view.language] ?? app.texts.journeys.fields[name],
  optional && h("small", { text: ` ${app.texts.journeys.optional}` }),
];

/** Wrong, in words beside the field. */
function complaint(id, input) {
  const element = h("p", { id, class: "complaint", role: "alert" });
  return {
    element,
    say(text) {
      element.textContent = text;
      for (const each of [input()].flat()) each.setAttribute("aria-invalid", String(text !== ""));
      return text === "";
    },
  };
}

function textField(app, field, values) {
  const { texts } = app;
  const { journeys: words } = texts;
  const id = `field-${field.name}`;
  const wrong = complaint(`${id}-wrong`, () => input);
  const changed = () => {
    values[field.name] = input.value;
    wrong.say("");
  };
  const input = h("textarea", {
    id,
    rows: "2",
    maxlength: "200",
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": `${id}-wrong`,
    on: { input: changed },
  });
  input.value = values[field.name] ?? "";
  const board = letterBoard({ texts, input, changed });
  return {
    element: h(
      "div",
      { class: "field lettered" },
      h("div", { class: "field-head" }, h("label", { for: id }, labelOf(app, field)), board.opener),
      input,
      wrong.element,
      board.element,
    ),
    check: () => wrong.say(field.optional || input.value.trim() ? "" : words.missing),
    focus: () => input.focus(),
  };
}

function digitsField(app, field, values) {
  const { texts } = app;
  const { journeys: words } = texts;
  const id = `field-${field.name}`;
  const count = h("p", { id: `${id}-count`, class: "example", role: "status" });
  const wrong = complaint(`${id}-wrong`, () => input);
  const type = (text) => {
    input.value = text.replaceAll(/\D/g, "").slice(0, field.digits);
    values[field.name] = input.value;
    count.textContent = words.counted(input.value.length, field.digits);
    wrong.say("");
  };
  const input = h("input", {
    id,
    inputmode: "numeric",
    autocomplete: "off",
    maxlength: String(field.digits),
    "aria-describedby": `${id}-count ${id}-wrong`,
    on: { input: () => type(input.value) },
  });
  type(values[field.name] ?? "");
  const pad = keypad({
    texts,
    label: h("span", { text: words.next }),
    press: (digit) => type(input.value + digit),
    erase: () => type(input.value.slice(0, -1)),
  });
  return {
    element: h(
      "div",
      { class: "field digits" },
      h("div", {}, h("label", { for: id }, labelOf(app, field)), input, count, wrong.element),
      pad,
    ),
    check: () => wrong.say((field.optional && !input.value) || field.pattern.test(input.value) ? "" : words.notAPhone),
    focus: () => input.focus(),
  };
}

function choiceField(app, field, values) {
  const id = `field-${field.name}`;
  const wrong = complaint(`${id}-wrong`, () => radios);
  const radios = field.options.map((_, index) =>
    h("input", {
      type: "radio",
      name: field.name,
      checked: values[field.name] === index,
      "aria-describedby": `${id}-wrong`,
      on: {
        change() {
          values[field.name] = index;
          wrong.say("");
        },
      },
    }),
  );
  const option = (text, index) => h("label", { class: "option" }, radios[index], h("span", { text: text[app.view.language] }));
  return {
    element: h(
      "fieldset",
      { class: "field" },
      h("legend", {}, labelOf(app, field)),
      h("div", { class: "options" }, field.options.map(option)),
      wrong.element,
    ),
    check: () => wrong.say(values[field.name] === undefined ? app.texts.journeys.choose : ""),
    focus: () => radios[0].focus(),
  };
}

const FIELDS = { text: textField, digits: digitsField, choice: choiceField };
