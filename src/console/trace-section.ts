import type { App, Section } from "./app.js";
import { deviceChoice } from "./device-choice.js";
import { button, h, say } from "./dom.js";
import { kindOf, told } from "./words.js";

/** One asking of the agent; it is asked again until somebody stops. */
const TURN_MS = 600_000;
const MOST_LINES = 500;

/** What passes between the agent and a device, live, as `stationd trace` shows it: the drivers leave out whatever is of a person. */
export function traceSection(app: App): Section {
  const { t } = app;
  const choice = deviceChoice(app, t`Device`);
  const lines = h("div", { class: "lines", role: "log", "aria-label": t`What passes`, "aria-live": "off", tabindex: 0 });
  const note = h("p", {
    class: "soft",
    role: "status",
    text: t`→ to the device, ← from it. Texts, codes, cards and pictures are not in it.`,
  });
  const toggle = button(t`Start`, () => (running ? running.abort() : void trace()), { class: "button primary", disabled: true });
  const clear = button(t`Clear`, () => lines.replaceChildren(), { class: "button" });
  let running: AbortController | undefined;

  const add = (stage: string, words: string): void => {
    const atEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 24;
    const time = new Date(app.now()).toTimeString().slice(0, 8);
    lines.append(
      h(
        "div",
        { class: "row", "data-from": stage },
        h("time", { text: time }),
        h("span", {
          class: "from",
          text: stage === "agent" ? "→" : "←",
          "aria-label": stage === "agent" ? t`to the device` : t`from it`,
          role: "img",
        }),
        h("span", { text: words }),
      ),
    );
    while (lines.childElementCount > MOST_LINES) lines.firstElementChild?.remove();
    if (atEnd) lines.scrollTop = lines.scrollHeight;
  };

  const trace = async (): Promise<void> => {
    const device = choice.chosen();
    if (!device) return;
    const mine = new AbortController();
    running = mine;
    refresh();
    say(note, t`Showing ${device} …`);
    const onProgress = ({ stage, message = "" }: { stage: string; message?: string }): void => add(stage, message);
    try {
      while (!mine.signal.aborted) {
        const client = app.link.client();
        const { leftOut } = await client.call("devices.trace", { device, forMs: TURN_MS }, { signal: mine.signal, onProgress });
        if (leftOut > 0) say(note, t`${leftOut} exchanges came too fast to be shown.`);
      }
    } catch (error) {
      say(note, kindOf(error) === "canceled" ? t`Stopped.` : told(error, t));
    } finally {
      running = undefined;
      refresh();
    }
  };

  const refresh = (): void => {
    choice.refresh();
    say(toggle, running ? t`Stop` : t`Start`);
    toggle.disabled = !running && (!app.connected || choice.chosen() === undefined);
  };
  return {
    id: "trace",
    title: t`Trace`,
    element: h("div", { class: "card" }, h("div", { class: "actions" }, choice.element, toggle, clear), note, lines),
    refresh,
  };
}
