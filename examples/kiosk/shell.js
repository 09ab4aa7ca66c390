/** What surrounds every screen: masthead, ribbon, notices, the state of the devices. */
import { h, icon } from "./dom.js";
import { placeIn, rowOf } from "./journey.js";

const CHIPS = [
  ["scanner", "barcodeScanner", "qr"],
  ["reader", "chipReader", "card"],
  ["documents", "documentScanner", "scan"],
  ["camera", "camera", "camera"],
  ["terminal", "paymentTerminal", "bankCard"],
  ["printer", "printer", "printer"],
];
/** Every station has these; of the others those that are there are shown. */
const ALWAYS = new Set(["scanner", "printer"]);

export function dressShell(app) {
  const masthead = document.getElementById("masthead");
  const notices = document.getElementById("notices");
  const foot = document.getElementById("foot");
  const journey = document.getElementById("journey");
  const skip = document.getElementById("skip");

  const languageButton = (language, label) =>
    h("button", {
      type: "button",
      class: "language",
      lang: language,
      "data-language": language,
      "aria-pressed": String(app.view.language === language),
      text: label,
      on: { click: () => app.setLanguage(language) },
    });

  const notice = (kind, text) => h("p", { class: `notice ${kind}` }, icon(kind === "busy" ? "plug" : "warn"), h("span", { text }));

  const refresh = () => {
    const { view, texts } = app;
    document.documentElement.classList.toggle("is-demo", view.mode !== undefined && view.mode !== "production");
    const current =
      view.connection === "refused"
        ? ["bad", texts.refused]
        : view.connection !== "open"
          ? ["busy", texts.connecting]
          : view.maintenance
            ? ["bad", texts.maintenance]
            : undefined;
    const text = current?.[1] ?? "";
    if (notices.textContent !== text) notices.replaceChildren(...(current ? [notice(...current)] : []));

    foot.replaceChildren(
      h(
        "ul",
        { class: "chips", "aria-label": texts.devices },
        CHIPS.filter(([name, deviceClass]) => ALWAYS.has(name) || app.device(deviceClass)).map(([name, deviceClass, picture]) => {
          const device = app.device(deviceClass);
          const state = view.connection === "open" ? (device?.state ?? "unknown") : "unknown";
          const low = state === "ready" && device?.warnings?.includes("paper_near_end");
          return h(
            "li",
            { class: "chip", "data-state": low ? "low" : state, "data-device": name },
            icon(picture),
            h("span", { class: "dot", "aria-hidden": "true" }),
            h(
              "span",
              {},
              h("b", { text: texts[name] ?? texts.pay[name] ?? texts.journeys.chips[name] }),
              ` ${low ? texts.nearEnd : texts.states[state]}`,
            ),
          );
        }),
      ),
      h("p", { class: "demo-note", text: texts.demoNote }),
    );
  };

  /** How far the citizen is. */
  const showPlace = () => {
    const { view, texts } = app;
    const { journeys: words } = texts;
    const place = placeIn(view);
    if (!place) return journey.replaceChildren();
    const { index, steps } = place;
    const phase = (at) => (at < index ? "done" : at === index ? "current" : "waiting");
    journey.replaceChildren(
      h(
        "p",
        { class: "journey-title" },
        icon(rowOf(view.journey).picture),
        h("b", { text: rowOf(view.journey).title[view.language] }),
        h("span", { text: words.position(index + 1, steps.length) }),
      ),
      h(
        "ol",
        { class: "journey-steps", "aria-label": words.bar },
        steps.map((step, at) =>
          h(
            "li",
            { "data-phase": phase(at), "aria-current": at === index && "step" },
            h("span", { class: "knot", "aria-hidden": "true" }, at < index ? icon("check") : String(at + 1)),
            h("span", { text: words.steps[step] }),
            h("span", { class: "for-ears", text: `, ${texts.identity.phases[phase(at)]}` }),
          ),
        ),
      ),
    );
  };

  const dress = () => {
    const { texts } = app;
    showPlace();
    skip.textContent = texts.skip;
    masthead.replaceChildren(
      h("img", { src: "emblem.svg", alt: "", class: "emblem" }),
      h("div", { class: "names" }, h("p", { class: "station-name", text: texts.station }), h("p", { class: "place", text: texts.place })),
      h("p", { class: "ribbon", text: app.view.language === "vi" ? "BẢN THỬ · DEMO" : "DEMO · BẢN THỬ" }),
      h(
        "div",
        { class: "languages", role: "group", "aria-label": texts.language },
        languageButton("vi", "Tiếng Việt"),
        languageButton("en", "English"),
      ),
    );
    refresh();
  };
  return { dress, refresh };
}
