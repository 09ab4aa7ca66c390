/** The citizen before an invented doctor: their own camera, live, and a drawing where the doctor would be. Nothing is sent anywhere. */
import { citizenMessage } from "/stationd/client/index.js";
import { h, icon } from "../dom.js";
import { nextStep } from "../journey.js";
import { livePicture, mayReturn } from "../live-picture.js";
import { button, stepActions } from "../step-actions.js";

export function showDoctor(app, signal) {
  const { texts, view } = app;
  const { journeys: words } = texts;
  const { journey } = view;
  const frame = h("div", { class: "frame" });
  const toggle = h("button", { type: "button", class: "button", on: { click: () => show(!looking) } });
  let looking;

  const show = (visible) => {
    looking?.abort();
    looking = visible ? new AbortController() : undefined;
    journey.hidden = !visible;
    frame.replaceChildren(
      looking
        ? livePicture(
            app,
            AbortSignal.any([signal, looking.signal]),
            {
              label: words.live,
              waiting: words.waitingForPicture,
              lost: words.pictureLost,
              error: (error) => words.cameraErrors[error.kind]?.[0] ?? citizenMessage(error, view.language),
            },
            { mirrored: true },
          )
        : h("p", { class: "none" }, icon("hide"), h("span", { text: words.hidden })),
    );
    toggle.replaceChildren(icon(visible ? "hide" : "eye"), h("span", { text: visible ? words.hideMe : words.showMe }));
  };

  const element = h(
    "section",
    { class: "step doctor-step" },
    h("h1", { tabindex: "-1", text: words.doctorTitle }),
    h(
      "div",
      { class: "call" },
      h(
        "figure",
        { class: "doctor" },
        h("div", { class: "frame", "aria-hidden": "true" }, icon("staff"), h("span", { class: "coat" }, icon("heart"))),
        h("figcaption", {}, h("b", { text: words.doctorName }), ` ${words.doctorRole}`),
      ),
      h("figure", { class: "self" }, frame, h("figcaption", { text: words.you })),
    ),
    h("div", { class: "below-call" }, h("p", { class: "shown-only" }, icon("eye"), h("span", { text: words.doctorNote })), toggle),
    stepActions(
      app,
      button(words.visited, "check", () => nextStep(app), true),
    ),
  );
  show(!journey.hidden);
  const refresh = () => {
    if (mayReturn(frame, app)) show(true);
  };
  return { element, refresh };
}
