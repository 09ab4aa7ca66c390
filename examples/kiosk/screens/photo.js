/** A picture, taken by the citizen: of the face, beside the chip's portrait, or of what happened. Nothing is compared here. */
import { citizenMessage } from "/stationd/client/index.js";
import { h, icon } from "../dom.js";
import { forgetPicture, nextStep, rowOf } from "../journey.js";
import { livePicture, mayReturn } from "../live-picture.js";
import { button, stepActions, trouble } from "../step-actions.js";

const PATIENCE_MS = 5_000;
/** What a picture must be like that an officer is to compare with a portrait. */
const GATES = { minSharpness: 60, minBrightness: 50, maxBrightness: 215, maxDarkShare: 0.5, maxBrightShare: 0.5 };

/** What was wrong with it, as the citizen can help it: light first, for in the dark everything is blurred. */
function lackOf({ details }) {
  const lacks = details?.lacks ?? [];
  if (lacks.includes("minBrightness") || lacks.includes("maxDarkShare")) return "dark";
  if (lacks.includes("maxBrightness") || lacks.includes("maxBrightShare")) return "bright";
  return lacks.includes("minSharpness") ? "blurred" : "other";
}

export function showPhoto(app, signal) {
  const { texts, view } = app;
  const { journeys: words } = texts;
  const { journey, language } = view;
  const ofFace = rowOf(journey).photo === "face";
  const wrong = trouble();
  const lead = h("p", { class: "lead", text: ofFace ? words.faceNote : words.thingNote });
  const frame = h("div", { class: "frame" });
  const caption = h("figcaption", { role: "status" });
  const under = h("div", { class: "photo-again" });
  /** Ends the live picture that is shown. */
  let looking;

  const sentence = (error) =>
    error.kind === "quality_rejected"
      ? words.rejected[lackOf(error)]
      : (words.cameraErrors[error.kind] ?? [words.otherCameraError, citizenMessage(error, language)]);

  const showLive = () => {
    looking?.abort();
    looking = new AbortController();
    frame.replaceChildren(
      livePicture(
        app,
        AbortSignal.any([signal, looking.signal]),
        {
          label: ofFace ? words.live : words.liveThing,
          waiting: words.waitingForPicture,
          lost: words.pictureLost,
          error: (error) => sentence(error)[0],
        },
        { mirrored: ofFace },
      ),
      ...(ofFace ? [h("span", { class: "oval", "aria-hidden": "true" })] : []),
    );
    caption.textContent = ofFace ? words.live : words.liveThing;
    under.replaceChildren();
    lead.hidden = false;
    use.replaceWith(take);
    take.disabled = false;
  };
  const showTaken = () => {
    looking?.abort();
    frame.replaceChildren(h("img", { src: journey.photo.url, alt: words.taken }));
    caption.textContent = words.taken;
    under.replaceChildren(again);
    lead.hidden = true;
    take.replaceWith(use);
  };

  const shoot = async () => {
    wrong.say();
    take.disabled = true;
    caption.textContent = words.taking;
    try {
      const { image } = await app.client.call(
        "camera.snapshot",
        { maxWidthPx: 1280, timeoutMs: PATIENCE_MS, ...(ofFace && { quality: GATES }) },
        { signal },
      );
      if (signal.aborted) return;
      forgetPicture(journey.photo);
      const blob = app.client.blob(image);
      journey.photo = { image: blob, url: URL.createObjectURL(blob) };
      showTaken();
      use.focus();
    } catch (error) {
      if (signal.aborted) return;
      wrong.say(sentence(error));
      caption.textContent = ofFace ? words.live : words.liveThing;
      take.disabled = false;
      take.focus();
    }
  };
  const take = button(words.take, "camera", shoot, true);
  const use = button(words.usePhoto, "check", () => nextStep(app), true);
  const again = button(words.again, "again", () => {
    forgetPicture(journey.photo);
    journey.photo = undefined;
    showLive();
    take.focus();
  });

  const { portrait } = view.identity ?? {};
  const element = h(
    "section",
    { class: ofFace ? "step photo-step face" : "step photo-step" },
    h("h1", { tabindex: "-1", text: ofFace ? words.faceTitle : words.thingTitle }),
    lead,
    wrong.element,
    h(
      "div",
      { class: "pictures" },
      ofFace &&
        h(
          "figure",
          {},
          h(
            "div",
            { class: "frame" },
            portrait
              ? h("img", { src: portrait, alt: words.onChip })
              : h("p", { class: "none" }, icon("staff"), h("span", { text: words.noPortrait })),
          ),
          h("figcaption", { text: words.onChip }),
        ),
      h("figure", {}, frame, caption),
    ),
    ofFace && h("p", { class: "shown-only" }, icon("eye"), h("span", { text: words.shown })),
    under,
    stepActions(app, take),
  );
  if (journey.photo) showTaken();
  else showLive();
  const refresh = () => {
    if (mayReturn(frame, app)) showLive();
  };
  return { element, refresh };
}
