import type { App, Section } from "./app.js";
import { deviceChoice } from "./device-choice.js";
import { button, h, paint, say, wipe } from "./dom.js";
import { tryDevice } from "./trial-panel.js";
import { pageFor } from "./trials.js";
import { told } from "./words.js";

/** The test page as it would come out, dot for dot, in maintenance mode. */
export function paperSection(app: App): Section {
  const { t } = app;
  const onlyOutOfService = t`Out of service only, as the printing itself.`;
  const choice = deviceChoice(app, t`Printer`, "printer");
  const canvas = h("canvas", { class: "paper", role: "img", "aria-label": t`The test page as it would come out`, hidden: true });
  const note = h("p", { class: "soft", role: "status" });
  const show = button(t`Show the test page`, () => void preview(), { class: "button primary", disabled: true });
  const print = button(t`Print it …`, () => void test(), { class: "button", disabled: true });
  let drawing: AbortController | undefined;
  let was = false;

  const nothing = (text: string): void => {
    wipe(canvas);
    canvas.hidden = true;
    say(note, text);
  };
  const preview = async (): Promise<void> => {
    const device = choice.chosen();
    if (!device) return;
    const mine = new AbortController();
    drawing = mine;
    nothing(t`Drawing …`);
    refresh();
    try {
      const client = app.link.client();
      const document = await pageFor(client, device, app.now(), mine.signal);
      const { image, widthDots, heightDots } = await client.call("printer.preview", { device, document }, { signal: mine.signal });
      await paint(canvas, client.blob(image));
      if (mine.signal.aborted) return nothing(onlyOutOfService);
      canvas.hidden = false;
      say(note, t`${widthDots} × ${heightDots} dots.`);
    } catch (error) {
      nothing(mine.signal.aborted ? onlyOutOfService : told(error, t));
    } finally {
      drawing = undefined;
      refresh();
    }
  };
  const test = async (): Promise<void> => {
    const found = app.dashboard?.devices.find(({ snapshot }) => snapshot.id === choice.chosen());
    if (found) await tryDevice(app, found.snapshot);
  };

  const refresh = (): void => {
    choice.refresh();
    const may = app.connected && app.dashboard?.maintenance === true;
    if (was !== may) {
      was = may;
      drawing?.abort();
      nothing(may ? "" : onlyOutOfService);
    } else if (!may) say(note, onlyOutOfService);
    const none = choice.chosen() === undefined;
    show.disabled = !may || none || drawing !== undefined;
    print.disabled = !may || none;
  };
  return {
    id: "paper",
    title: t`Paper`,
    element: h("div", { class: "card" }, h("div", { class: "actions" }, choice.element, show, print), note, canvas),
    refresh,
  };
}
