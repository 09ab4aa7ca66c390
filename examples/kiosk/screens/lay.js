/** Second step: the card lies on the reader. Shows how far the reading is, or in the citizen's words why it did not work. */
import { citizenMessage } from "/stationd/client/index.js";
import { h, icon } from "../dom.js";

const STAGES = ["waiting", "access", "reading", "authenticating"];

export function showLay(app) {
  const { texts, view } = app;
  const { identity: words } = texts;
  const { identity } = view;
  const title = h("h1", { tabindex: "-1" });
  const lead = h("p", { class: "lead" });
  const note = h("p", { class: "note", role: "alert" });
  const stages = h("ol", { class: "stages", "aria-label": words.stagesLabel });
  const bar = h("div", { class: "bar", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, h("i"));
  const picture = h("div", { "aria-hidden": "true" });
  const body = h("div", { class: "outcome" }, picture, title, lead, note, stages, bar);
  const actions = h("div", { class: "actions" });
  const element = h("section", { class: "printing lay" }, body, actions);
  let shown = "";

  const button = (text, image, action, primary = false) =>
    h("button", { type: "button", class: primary ? "button primary" : "button", on: { click: action } }, icon(image), text);
  const again = () => button(words.again, "card", () => app.identify(identity), true);
  const otherCode = (primary) => button(words.otherCode, "qr", () => app.go("identify"), primary);
  const finish = () => button(texts.finish, "home", () => app.finish());

  const layPicture = (phase) =>
    picture.replaceChildren(h("div", { class: "reader", "data-phase": phase }, h("i", { class: "plate" }), h("i", { class: "id-card" })));

  const showError = (error) => {
    const [heading, sentence] = words.errors[error.kind] ?? [words.otherError, citizenMessage(error, view.language)];
    title.textContent = heading;
    lead.textContent = sentence;
    picture.replaceChildren(h("div", { class: "medal" }, icon(error.kind === "timeout" ? "clock" : "warn")));
    actions.replaceChildren(finish(), ...(error.kind === "access_denied" ? [otherCode(true)] : [otherCode(false), again()]));
    title.focus({ preventScroll: true });
  };

  const showStage = ({ stage, lifted }) => {
    const waiting = stage === "waiting";
    title.textContent = waiting ? words.layTitle : words.readTitle;
    lead.textContent = waiting ? words.layNote : words.readNote;
    note.textContent = lifted ? words.lifted : "";
    layPicture(waiting ? "waiting" : "reading");
    const now = STAGES.indexOf(stage);
    stages.replaceChildren(
      ...STAGES.map((name, index) => {
        const phase = index < now ? "done" : index === now ? "current" : "waiting";
        return h(
          "li",
          { "data-phase": phase, "aria-current": phase === "current" && "step" },
          h("span", { class: "knot", "aria-hidden": "true" }, phase === "done" ? icon("check") : String(index + 1)),
          h("span", { text: words.stages[name] }),
          h("span", { class: "for-ears", text: `, ${words.phases[phase]}` }),
        );
      }),
    );
    actions.replaceChildren(button(words.cancel, "back", () => app.finish()));
  };

  const refresh = () => {
    const { stage, fraction, lifted, error } = identity;
    const now = error ? `error ${error.kind}` : `${stage} ${lifted}`;
    if (now !== shown) {
      shown = now;
      element.dataset.outcome = error ? (error.kind === "timeout" ? "attention" : "failed") : "reading";
      stages.hidden = Boolean(error);
      if (error) note.textContent = "";
      if (error) showError(error);
      else showStage(identity);
    }
    bar.hidden = Boolean(error) || stage === "waiting";
    const percent = Math.round(100 * (fraction ?? 0));
    bar.setAttribute("aria-label", words.stages[stage] ?? "");
    if (fraction === undefined) bar.removeAttribute("aria-valuenow");
    else bar.setAttribute("aria-valuenow", String(percent));
    bar.classList.toggle("unmeasured", fraction === undefined);
    bar.firstChild.style.width = fraction === undefined ? "" : `${percent}%`;
  };
  refresh();
  return { element, refresh };
}
