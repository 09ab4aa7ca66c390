import { h, icon } from "../dom.js";
import { drum } from "../drum.js";
import { possible } from "../journey.js";
import { JOURNEYS } from "../journeys.js";

export function showStart(app) {
  const { texts, view } = app;
  const offer = (className, picture, title, note, action) =>
    h(
      "button",
      { type: "button", class: `offer ${className}`, on: { click: action } },
      h("span", { class: "offer-picture" }, icon(picture)),
      h("span", { class: "offer-text" }, h("strong", { text: title }), h("span", { text: note })),
    );
  const find = offer("", "search", texts.lookUp, texts.lookUpNote, () => app.go("find", { seeking: "dossier" }));
  const verify = offer("", "card", texts.identity.offer, texts.identity.offerNote, () => app.go("identify"));
  const tiles = JOURNEYS.map((row) => ({
    row,
    tile: offer("tile", row.picture, row.title[view.language], row.note[view.language], () => app.begin(row.id)),
  }));
  const element = h(
    "section",
    { class: "start" },
    drum(),
    h("div", { class: "greeting" }, h("h1", { tabindex: "-1", text: texts.welcome }), h("p", { class: "lead", text: texts.invitation })),
    h(
      "div",
      { class: "offers tiles" },
      tiles.map(({ tile }) => tile),
    ),
    h("div", { class: "offers others" }, find, verify),
  );
  const refresh = () => {
    verify.hidden = !app.device("chipReader");
    for (const { row, tile } of tiles) tile.hidden = !possible(app, row);
  };
  refresh();
  return { element, refresh };
}
