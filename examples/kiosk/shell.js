/** What surrounds every screen: masthead, ribbon, notices, the state of the devices. */
import { h, icon } from "./dom.js";

const CHIPS = [
  ["scanner", "barcodeScanner", "qr"],
  ["reader", "chipReader", "card"],
  ["terminal", "paymentTerminal", "bankCard"],
  ["printer", "printer", "printer"],
];

export function dressShell(app) {
  const masthead = document.getElementById("masthead");
  const notices = document.getElementById("notices");
  const foot = document.getElementById("foot");
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
        // Not every station has a card reader or a terminal.
        CHIPS.filter(([name, deviceClass]) => (name !== "reader" && name !== "terminal") || app.device(deviceClass)).map(
          ([name, deviceClass, picture]) => {
            const device = app.device(deviceClass);
            const state = view.connection === "open" ? (device?.state ?? "unknown") : "unknown";
            const low = state === "ready" && device?.warnings?.includes("paper_near_end");
            return h(
              "li",
              { class: "chip", "data-state": low ? "low" : state, "data-device": name },
              icon(picture),
              h("span", { class: "dot", "aria-hidden": "true" }),
              h("span", {}, h("b", { text: texts[name] ?? texts.pay[name] }), ` ${low ? texts.nearEnd : texts.states[state]}`),
            );
          },
        ),
      ),
      h("p", { class: "demo-note", text: texts.demoNote }),
    );
  };

  const dress = () => {
    const { texts } = app;
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
