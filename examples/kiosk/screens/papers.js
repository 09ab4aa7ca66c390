/** The papers: scanned, looked at, scanned again where one is bad, and put in order. */
import { citizenMessage } from "/stationd/client/index.js";
import { h, icon } from "../dom.js";
import { nextStep, rowOf } from "../journey.js";
import { movePaper, removePaper, scanPapers } from "../paper-scanning.js";
import { button, stepActions, trouble } from "../step-actions.js";

const CAN_SCAN = new Set(["ready", "busy", "attention"]);

export function showPapers(app, signal) {
  const { texts, view } = app;
  const { journeys: words } = texts;
  const { journey, language } = view;
  const { papers } = journey;
  const wrong = trouble();
  const state = h("p", { class: "step-state", role: "status" });
  const bar = h(
    "div",
    { class: "bar", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": words.scanning },
    h("i"),
  );
  const list = h("ol", { class: "papers", "aria-label": words.papersLabel });
  const scanButton = button(words.scan, "scan", () => scan());
  const stopButton = button(words.stop, "cross", () => journey.scan?.enough());
  const on = button(words.next, "arrow", () => nextStep(app), true);

  const scan = async (replace) => {
    wrong.say();
    const gone = () => view.journey !== journey;
    const failed = await scanPapers(app.client, journey, () => !gone() && app.refresh(), replace);
    if (gone() || signal.aborted || !failed) return;
    const { kind, error, kept } = failed;
    const sentence =
      kind === "nothing_seen"
        ? words.nothingSeen
        : (words.scanErrors[kind] ?? [words.otherScanError, error ? citizenMessage(error, language) : ""]);
    wrong.say(
      sentence,
      kept ? (papers.length > 0 && error === undefined && kind !== "nothing_seen" ? words.brokenOff : "") : words.lostPages,
    );
  };

  const small = (text, picture, name, action, key) =>
    h(
      "button",
      { type: "button", class: "small", "aria-label": name, "data-key": key, on: { click: action } },
      icon(picture),
      h("span", { text }),
    );
  const page = (picture, index) => {
    const number = index + 1;
    const move = (by) => () => {
      const to = movePaper(papers, papers.indexOf(picture), by);
      draw();
      state.textContent = words.moved(number, to + 1);
      const again = list.children[to].querySelector(`[data-key="${by < 0 ? "up" : "down"}"]`);
      (again.disabled ? list.children[to].querySelector("button:enabled") : again).focus();
    };
    const up = small(words.before, "back", words.earlier(number), move(-1), "up");
    const down = small(words.after, "arrow", words.later(number), move(1), "down");
    up.disabled = index === 0;
    down.disabled = index === papers.length - 1;
    const remove = () => {
      removePaper(papers, papers.indexOf(picture));
      draw();
      state.textContent = words.removed(number);
      (list.children[Math.min(index, papers.length - 1)]?.querySelector("button:enabled") ?? scanButton).focus();
    };
    return h(
      "li",
      { class: journey.scan?.replace === picture ? "paper retaking" : "paper" },
      h(
        "div",
        { class: "sheet-picture" },
        h("img", { src: picture.url, alt: words.page(number) }),
        h("b", { "aria-hidden": "true", text: String(number) }),
      ),
      h(
        "div",
        { class: "paper-buttons" },
        up,
        down,
        small(words.retake, "again", words.retakePage(number), () => scan(picture), "again"),
        small(words.remove, "cross", words.removePage(number), remove, "remove"),
      ),
    );
  };

  let drawn;
  /** The list is made anew only where another page came or went, so that the focus stays where it is. */
  const draw = () => {
    const now = JSON.stringify([papers.map(({ url }) => url), journey.scan !== undefined]);
    if (now !== drawn) {
      drawn = now;
      list.replaceChildren(...papers.map(page));
      if (journey.scan) for (const each of list.querySelectorAll("button")) each.disabled = true;
    }
    list.hidden = papers.length === 0;
    element.classList.toggle("some", papers.length > 0);
    return papers.length;
  };

  const tell = () => {
    const { scan: now } = journey;
    if (!now) return papers.length === 0 ? words.noPages : words.pages(papers.length);
    if (now.stage === "assembling") return words.assembling;
    if (now.stage === "stopping") return words.stopping;
    return now.replace && papers.includes(now.replace) ? words.retaking(papers.indexOf(now.replace) + 1) : words.scanning;
  };

  const element = h(
    "section",
    { class: "step papers-step" },
    h("h1", { tabindex: "-1", text: words.papersTitle }),
    h(
      "div",
      { class: "sheet bring" },
      h("h2", { text: words.bring }),
      h(
        "ul",
        {},
        rowOf(journey).papers.map((paper) => h("li", {}, icon("document"), h("span", { text: paper[language] }))),
      ),
    ),
    h("p", { class: "lead", text: words.papersNote }),
    wrong.element,
    h("div", { class: "scan-row" }, scanButton, stopButton, h("div", { class: "scan-state-row" }, state, bar)),
    list,
    stepActions(app, on),
  );

  let told;
  const refresh = () => {
    if (view.journey !== journey) return;
    const scanning = journey.scan !== undefined;
    const count = draw();
    const focused = document.activeElement;
    const able = view.connection === "open" && CAN_SCAN.has(app.device("documentScanner")?.state);
    scanButton.hidden = scanning;
    stopButton.hidden = !scanning;
    scanButton.disabled = !able;
    scanButton.classList.toggle("primary", count === 0);
    scanButton.lastChild.textContent = count === 0 ? words.scan : words.scanMore;
    on.disabled = scanning || count === 0;
    on.classList.toggle("primary", count > 0);
    if (focused === scanButton && scanning) stopButton.focus();
    if (focused === stopButton && !scanning) (on.disabled ? scanButton : on).focus();
    const text = able || scanning ? tell() : words.scanErrors.device_absent[0];
    if (text !== told) state.textContent = text;
    told = text;
    const { fraction } = journey.scan ?? {};
    bar.hidden = !scanning;
    bar.classList.toggle("unmeasured", fraction === undefined);
    bar.firstChild.style.width = fraction === undefined ? "" : `${Math.round(100 * fraction)}%`;
    if (fraction === undefined) bar.removeAttribute("aria-valuenow");
    else bar.setAttribute("aria-valuenow", String(Math.round(100 * fraction)));
  };
  refresh();
  return { element, refresh };
}
