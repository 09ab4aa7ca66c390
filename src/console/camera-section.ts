import { judgePicture } from "../technician/judge.js";
import type { App, Section } from "./app.js";
import { deviceChoice } from "./device-choice.js";
import { button, h, paint, say, wipe } from "./dom.js";
import { told } from "./words.js";

const SHOWN_PER_SECOND = 10;

/** What the camera sees, in maintenance mode. Pictures are painted over each other and kept nowhere. */
export function cameraSection(app: App): Section {
  const { t } = app;
  const onlyOutOfService = t`Out of service only: no citizen is seen from here.`;
  const choice = deviceChoice(app, t`Camera`, "camera");
  const canvas = h("canvas", { class: "picture", role: "img", "aria-label": t`What the camera sees`, hidden: true });
  const note = h("p", { class: "soft", role: "status" });
  const one = button(t`Take a picture`, () => void look(takeOne), { class: "button primary", disabled: true });
  const live = button(t`Live picture`, () => (looking ? looking.abort() : void look(showLive)), { class: "button", disabled: true });
  let looking: AbortController | undefined;
  let was = false;

  const nothing = (text: string): void => {
    wipe(canvas);
    canvas.hidden = true;
    delete canvas.dataset.pictures;
    say(note, text);
  };
  const draw = async (picture: Blob, signal: AbortSignal): Promise<void> => {
    await paint(canvas, picture);
    if (signal.aborted) return wipe(canvas);
    canvas.hidden = false;
    canvas.dataset.pictures = String(Number(canvas.dataset.pictures ?? 0) + 1);
  };

  const takeOne = async (device: string, signal: AbortSignal): Promise<void> => {
    const client = app.link.client();
    const { image, widthPx, heightPx, quality } = await client.call("camera.snapshot", { device }, { signal });
    await draw(client.blob(image), signal);
    say(note, [t`${widthPx} × ${heightPx} pixels.`, ...judgePicture(quality).notes.map((note) => t(note))].join(" "));
  };
  const showLive = async (device: string, signal: AbortSignal): Promise<void> => {
    let painting = false;
    const onFrame = async (jpeg: Blob): Promise<void> => {
      if (painting || signal.aborted) return;
      painting = true;
      // A picture that is none: the next one comes.
      await draw(jpeg, signal).catch(() => {});
      if (!signal.aborted) say(note, t`Live, and kept nowhere.`);
      painting = false;
    };
    await app.link.client().preview({ device, maxFps: SHOWN_PER_SECOND, maxWidthPx: 960 }, (jpeg) => void onFrame(jpeg), { signal });
  };

  const look = async (how: (device: string, signal: AbortSignal) => Promise<void>): Promise<void> => {
    const device = choice.chosen();
    if (!device) return;
    const mine = new AbortController();
    looking = mine;
    nothing(t`Looking …`);
    refresh();
    try {
      await how(device, mine.signal);
      if (how === showLive) nothing("");
    } catch (error) {
      nothing(mine.signal.aborted ? "" : told(error, t));
    } finally {
      if (looking === mine) looking = undefined;
      refresh();
    }
  };

  const refresh = (): void => {
    choice.refresh();
    const may = app.connected && app.dashboard?.maintenance === true;
    if (was !== may) {
      was = may;
      looking?.abort();
      nothing(may ? "" : onlyOutOfService);
    } else if (!may) say(note, onlyOutOfService);
    one.disabled = !may || looking !== undefined || choice.chosen() === undefined;
    live.disabled = !may || (one.disabled && looking === undefined);
    say(live, looking ? t`Stop` : t`Live picture`);
  };
  return {
    id: "camera",
    title: t`Camera`,
    element: h("div", { class: "card" }, h("div", { class: "actions" }, choice.element, one, live), note, canvas),
    refresh,
  };
}
