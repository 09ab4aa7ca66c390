import { citizenMessage } from "/stationd/client/index.js";
import { h, icon } from "../dom.js";

/**
 * What the citizen is told, from what is known: the job's own word first, else the stage, and what the printer or the
 * connection says of itself while it is waited for.
 */
function situation({ view, device }) {
  const { job, error, stage } = view.print;
  if (error) return { kind: UNDECIDED.has(error.kind) ? "unknown" : "notStarted", reason: error };
  if (job?.final) return { kind: job.state === "not_started" ? "notStarted" : job.state, reason: job.reason };
  if (view.connection !== "open") return { kind: "printing", stage: "lost" };
  const printer = device("printer");
  if (printer?.state === "attention") return { kind: "attention", stage: "waiting_for_person", reason: printer.reason };
  if (job?.state === "unknown" || printer?.state === "absent") return { kind: "attention", stage: "reconnecting", reason: printer?.reason };
  return { kind: "printing", stage };
}

/** Errors after which nobody here can say what became of the slip; all others mean that it was not accepted. */
const UNDECIDED = new Set(["connection_lost", "internal", "job_not_found", "unauthorized", "protocol_mismatch"]);

const PICTURES = {
  printing: "printer",
  attention: "staff",
  printed: "check",
  sent: "check",
  unknown: "unknown",
  failed: "warn",
  notStarted: "warn",
};

export function showPrint(app) {
  const { texts, view } = app;
  const { what, again } = view.print;
  const { identity: words } = texts;
  const ofDossier = what.kind === "dossier";
  const [title, back, screen] = {
    dossier: [texts.printing, texts.toDossier, "dossier"],
    journey: [texts.journeys.printing, texts.journeys.toReview, "review"],
    identity: [words.printing, words.toResult, "identity"],
  }[what.kind];
  // A page that was reloaded knows the job, and nothing of the person any more.
  const known = ofDossier || (what.kind === "journey" ? view.journey?.code === what.code : view.identity?.reading !== undefined);
  const body = h("div", { class: "outcome", role: "status", "aria-live": "polite" });
  const actions = h("div", { class: "actions" });
  const element = h("section", { class: "printing" }, body, actions);
  let shown = "";

  const button = (text, picture, action, primary = false) =>
    h("button", { type: "button", class: primary ? "button primary" : "button", on: { click: action } }, icon(picture), text);
  const finish = (primary) => button(texts.finish, "home", () => app.finish(), primary);
  const goBack = () => known && button(back, "document", () => app.go(screen, { print: undefined }));
  const print = (text, marked, primary = false) => known && button(text, "printer", () => app.startPrint(what, marked), primary);
  const reprint = (primary) => print(texts.reprint, true, primary);

  const refresh = () => {
    if (!view.print) return;
    const { kind, stage, reason } = situation(app);
    const because = reason ? citizenMessage(reason, view.language) : "";
    const now = `${kind} ${stage ?? ""} ${because}`;
    if (now === shown) return;
    const moved = !shown.startsWith(`${kind} `);
    shown = now;
    element.dataset.outcome = kind;

    const lines = {
      printing: [title, texts.stages[stage] ?? texts.stages.sending],
      attention: [because || texts.stages[stage], texts.keepWaiting, texts.callStaff],
      printed: [texts.printed, texts.printedNote],
      sent: [texts.sent, texts.sentNote],
      unknown: [texts.unknown, texts.unknownNote],
      failed: [texts.failed, because, texts.reprintNote],
      notStarted: [texts.notStarted, because],
    }[kind];
    const [heading, ...notes] = lines;
    body.replaceChildren(
      kind === "printing"
        ? h(
            "div",
            { class: "machine", "aria-hidden": "true" },
            h("div", { class: "slot" }),
            h("div", { class: "paper-out" }, h("i"), h("i"), h("i"), h("i")),
          )
        : h("div", { class: "medal", "aria-hidden": "true" }, icon(PICTURES[kind])),
      h("h1", { tabindex: "-1", text: heading }),
      ...notes.filter(Boolean).map((note, index) => h("p", { class: index === 0 ? "lead" : "note", text: note })),
      ...(what.code === undefined ? [] : [h("p", { class: "code" }, `${texts.dossier} `, h("b", { text: what.code }))]),
    );
    actions.replaceChildren(
      ...{
        printing: [],
        // Whoever cannot wait may go: the slip comes out all the same once somebody has helped.
        attention: [finish(false)],
        printed: [reprint(), goBack(), finish(true)],
        sent: [reprint(), goBack(), finish(true)],
        unknown: [reprint(), button(texts.gotIt, "check", () => app.finish(), true)],
        failed: [finish(false), goBack(), reprint(true)],
        notStarted: [finish(false), goBack(), print(texts.tryAgain, again, true)],
      }[kind].filter(Boolean),
    );
    if (kind === "printed" || kind === "sent" || kind === "unknown")
      actions.append(h("p", { class: "reprint-note", text: texts.reprintNote }));
    if (moved && element.isConnected && kind !== "attention") body.querySelector("h1").focus({ preventScroll: true });
  };
  refresh();
  return { element, refresh };
}
