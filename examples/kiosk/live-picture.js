/** What the camera sees, drawn as it comes. No picture is kept: each is painted over the last one. */
import { h } from "./dom.js";

const SHOWN_PER_SECOND = 15;
/** Pictures stop when the camera is lost, and come back by themselves. */
const STILL_MS = 3_500;

/**
 * @param signal ends it, and lets the camera go
 * @param words `{ label, waiting, lost, error(StationError) }`
 */
export function livePicture({ client }, signal, words, { mirrored = false } = {}) {
  const canvas = h("canvas", { class: mirrored ? "mirrored" : "", role: "img", "aria-label": words.label });
  const note = h("p", { class: "live-note", role: "status", text: words.waiting });
  const element = h("div", { class: "live" }, canvas, note);
  const pen = canvas.getContext("2d");
  let drawing = false;
  let still;

  const say = (text) => {
    if (note.textContent !== text) note.textContent = text;
    element.classList.toggle("dim", text !== "");
  };
  const watch = () => {
    clearTimeout(still);
    still = setTimeout(() => say(words.lost), STILL_MS);
  };
  const draw = async (jpeg) => {
    if (drawing || signal.aborted) return;
    drawing = true;
    try {
      const bitmap = await createImageBitmap(jpeg);
      if (!signal.aborted) {
        if (canvas.width !== bitmap.width) Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
        pen.drawImage(bitmap, 0, 0);
        element.dataset.pictures = String(Number(element.dataset.pictures ?? 0) + 1);
        say("");
        watch();
      }
      bitmap.close();
    } catch {
      // A picture that is none: the next one comes.
    } finally {
      drawing = false;
    }
  };

  signal.addEventListener(
    "abort",
    () => {
      clearTimeout(still);
      Object.assign(canvas, { width: 0, height: 0 });
    },
    { once: true },
  );
  const failed = (error) => {
    if (signal.aborted) return;
    clearTimeout(still);
    element.dataset.failed = error.kind;
    say(words.error(error));
  };
  watch();
  client?.preview({ maxFps: SHOWN_PER_SECOND }, draw, { signal }).catch(failed);
  return element;
}

/** Whether the picture in `frame` was refused, and would be granted now. */
export const mayReturn = (frame, { view, device }) =>
  frame.querySelector(".live[data-failed]") !== null && view.connection === "open" && device("camera")?.state === "ready";
