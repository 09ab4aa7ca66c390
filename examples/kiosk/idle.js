/** Nobody's dossier stays on the screen: asks after a while, then ends the session. */
import { h } from "./dom.js";
import { hasSlip } from "./paying.js";

const QUIET_S = 90;
const ANSWER_S = 20;
/** Who talks to a doctor touches nothing. */
const TALK_S = 600;

export function watchIdle(app) {
  let quiet = 0;
  let dialog;

  const close = () => {
    quiet = 0;
    dialog?.close();
    dialog?.remove();
    dialog = undefined;
  };

  const ask = () => {
    const { texts } = app;
    dialog = h(
      "dialog",
      { class: "ask", "aria-labelledby": "ask-title", on: { cancel: close } },
      h("h2", { id: "ask-title", text: texts.stillThere }),
      h("p", { role: "timer", text: texts.stillThereNote(ANSWER_S) }),
      h("button", { class: "button primary", type: "button", text: texts.stillHere, on: { click: close } }),
    );
    document.getElementById("station").append(dialog);
    dialog.showModal();
  };

  setInterval(() => {
    // A slip that is coming out is waited for, one that waits for a person is not; and at the start there is nothing to end.
    const { print, payment } = app.view;
    const printing = print && !print.error && !print.job?.final && app.device("printer")?.state !== "attention";
    // A payment is never thrown away: the citizen may be typing a PIN, and the terminal is not asked to hurry.
    const paying =
      payment && !payment.error && (!payment.job?.final || (hasSlip(payment) && payment.slip?.job === undefined && !payment.slip?.error));
    const scanning = app.view.journey?.scan !== undefined;
    const quietFor = app.view.screen === "doctor" ? TALK_S : QUIET_S;
    if (scanning || app.view.screen === "start" || app.view.screen === "farewell" || printing || paying) return close();
    quiet += 1;
    if (quiet >= quietFor && !dialog) ask();
    if (dialog) dialog.querySelector("p").textContent = app.texts.stillThereNote(quietFor + ANSWER_S - quiet);
    if (quiet >= quietFor + ANSWER_S) {
      close();
      void app.finish();
    }
  }, 1_000);
  for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, () => dialog || close());
}
