/** The last look before it is filed: everything at once, then the slip. */
import { masked, personOf } from "../card-person.js";
import { h } from "../dom.js";
import { answersOf, rowOf } from "../journey.js";
import { button, stepActions } from "../step-actions.js";
import { formatVnd } from "../texts.js";

const CAN_PRINT = new Set(["ready", "busy", "attention"]);

export function showReview(app) {
  const { texts, view } = app;
  const { journeys: words } = texts;
  const { journey, language } = view;
  const row = rowOf(journey);
  const person = view.identity?.reading ? personOf(view.identity.reading) : undefined;
  const away = h("p", { class: "away", role: "status" });
  const submit = button(words.submit, "printer", () => app.startPrint({ kind: "journey", code: journey.code }), true);
  const fact = ([label, value]) => h("div", {}, h("dt", { text: label }), h("dd", { text: value }));

  const element = h(
    "section",
    { class: "step review-step" },
    h("h1", { tabindex: "-1", text: words.reviewTitle }),
    h("p", { class: "lead", text: words.reviewNote }),
    h(
      "div",
      { class: "sheet" },
      h("h2", { text: row.title[language] }),
      h(
        "dl",
        { class: "facts" },
        [
          person?.name && [words.name, person.name],
          person?.idNumber && [words.idNumber, masked(person.idNumber)],
          ...answersOf(view, texts, language),
          journey.payment && [words.feeLabel, words.feePaid(formatVnd(journey.payment.amountVnd))],
        ]
          .filter(Boolean)
          .map(fact),
      ),
    ),
    h(
      "div",
      { class: "enclosed" },
      journey.papers.length > 0 &&
        h(
          "div",
          { class: "sheet" },
          h("h2", { text: words.papersCount(journey.papers.length) }),
          h(
            "ol",
            { class: "thumbs" },
            journey.papers.map(({ url }, index) => h("li", {}, h("img", { src: url, alt: words.page(index + 1) }))),
          ),
        ),
      journey.photo &&
        h(
          "div",
          { class: "sheet" },
          h("h2", { text: words.photoLabel }),
          h("img", { class: "thumb", src: journey.photo.url, alt: words.taken }),
        ),
    ),
    away,
    stepActions(app, submit),
  );

  const refresh = () => {
    const able = view.connection === "open" && CAN_PRINT.has(app.device("printer")?.state);
    submit.disabled = !able;
    const text = able ? "" : texts.printerAway;
    if (away.textContent !== text) away.textContent = text;
  };
  refresh();
  return { element, refresh };
}
