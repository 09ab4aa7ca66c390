import { h, icon } from "../dom.js";

const SHOWN_MS = 6_000;
/** A card that nobody takes is a matter for the staff; the next person must not find the page waiting for it. */
const CARD_MS = 60_000;

export function showFarewell(app, signal) {
  const { texts, view } = app;
  const { identity: words } = texts;
  const medal = h("div", { class: "medal", "aria-hidden": "true" });
  const title = h("h1", { tabindex: "-1" });
  const lead = h("p", { class: "lead" });
  const reminder = h("p", { class: "note", role: "alert" });
  const element = h(
    "section",
    { class: "printing" },
    h("div", { class: "outcome" }, medal, title, lead, reminder),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "button primary", on: { click: () => app.go("start") } }, icon("home"), texts.start),
    ),
  );

  // A card that is laid down from now on is the next person's.
  if (view.cardPresent) view.left.add("card");
  let timer;
  let shown;
  const refresh = () => {
    const { left } = view;
    const lies = left.has("card") && view.cardPresent;
    const now = [lies, ...left].join();
    if (now === shown) return;
    shown = now;
    element.dataset.outcome = lies ? "attention" : "printed";
    medal.replaceChildren(icon(lies ? "card" : "check"));
    title.textContent = lies ? words.takeCard : texts.farewell;
    lead.textContent = lies ? words.takeCardNote : texts.farewellNote;
    reminder.textContent = [
      !lies && left.has("card") && words.cardTaken,
      left.has("paper") && texts.leftPaper,
      left.has("documents") && texts.journeys.leftDocuments,
    ]
      .filter(Boolean)
      .join(" ");
    clearTimeout(timer);
    timer = setTimeout(() => app.go("start"), lies ? CARD_MS : SHOWN_MS);
  };
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  refresh();
  return { element, refresh };
}
