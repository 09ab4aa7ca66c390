import type { StationErrorKind } from "../client/index.js";
import type { Translate } from "../languages/translate.js";
import type { DeviceSnapshot } from "../protocol/devices.js";
import { TEST_CODE } from "../technician/test-page.js";
import type { App } from "./app.js";
import { opened } from "./dialogs.js";
import { button, h, paint, say, wipe } from "./dom.js";
import { TRIALS } from "./trials.js";
import { kindOf, told, whyInService } from "./words.js";

/** What says nothing of the device. */
const untried = (t: Translate): Readonly<Partial<Record<StationErrorKind, string>>> => ({
  canceled: t`It was not tried to its end`,
  timeout: t`Nothing came in time`,
  unsupported: t`It cannot be tried`,
  connection_lost: t`The connection was lost meanwhile`,
});

/** Tries one device in a dialog: asks for maintenance where it is missing, shows each step, and says what was found. */
export async function tryDevice(app: App, device: DeviceSnapshot): Promise<void> {
  const { t } = app;
  const stopped = new AbortController();
  let running = false;
  const step = h("p", { class: "step", role: "status" });
  const shown = h("div", { class: "shown" });
  const findings = h("div", { class: "findings", role: "status" });
  const actions = h("div", { class: "actions" });
  const canvas = h("canvas", { class: "picture", role: "img" });
  const dialog = h(
    "dialog",
    { class: "dialog wide", "aria-labelledby": "trial-title" },
    h("h2", { id: "trial-title", text: t`Test ${device.id}` }),
    step,
    shown,
    findings,
    actions,
  );
  // What is under way ends first: paper comes out whole, and money goes back.
  dialog.addEventListener("keydown", (event) => {
    if (!running || event.key !== "Escape") return;
    event.preventDefault();
    stopped.abort();
  });
  const stay = (event: BeforeUnloadEvent): void => event.preventDefault();

  const close = button(t`Close`, () => dialog.close(), { class: "button" });
  const stop = button(
    t`Stop`,
    () => {
      stopped.abort();
      say(step, t`Stopping …`);
    },
    { class: "button" },
  );
  const offer = (...buttons: readonly HTMLButtonElement[]): void => {
    actions.replaceChildren(...buttons);
    buttons.at(-1)?.focus();
  };
  const ask = (question: string, yes: string, no: string): Promise<boolean> =>
    new Promise((resolve) => {
      say(step, question);
      const answer = (value: boolean) => () => {
        say(step, "");
        offer(stop);
        resolve(value);
      };
      offer(button(no, answer(false), { class: "button" }), button(yes, answer(true), { class: "button primary" }));
      stopped.signal.addEventListener("abort", answer(false), { once: true });
    });

  const run = async (): Promise<void> => {
    running = true;
    window.addEventListener("beforeunload", stay);
    offer(stop);
    say(step, "");
    try {
      const { works, notes } = await TRIALS[device.class]({
        app,
        client: app.link.client(),
        device,
        signal: stopped.signal,
        say: (text) => say(step, text),
        ask,
        show: async (picture, label) => {
          canvas.setAttribute("aria-label", label);
          await paint(canvas, picture);
          shown.replaceChildren(canvas);
        },
        showCode: () => shown.replaceChildren(h("img", { class: "code", src: "test-code.svg", alt: t`QR code: ${TEST_CODE}` })),
      });
      conclude(works ? "good" : "bad", works ? t`It works` : t`It does not work as it should`, notes);
    } catch (error) {
      const words = untried(t)[kindOf(error)];
      conclude(words ? "neutral" : "bad", words ?? t`It does not work`, [told(error, t)]);
    } finally {
      running = false;
      window.removeEventListener("beforeunload", stay);
      say(step, "");
      offer(close);
    }
  };
  const conclude = (verdict: string, words: string, notes: readonly string[]): void => {
    findings.dataset.verdict = verdict;
    const simulated = device.simulated ? ` (${t`simulated`})` : "";
    findings.replaceChildren(h("h3", { text: words + simulated }), h("ul", {}, ...notes.map((note) => h("li", { text: t(note) }))));
  };

  const begin = async (): Promise<void> => {
    if (app.dashboard?.maintenance) return await run();
    say(step, t`Tests run out of service, so that no citizen is in between. The page for citizens then says “out of service”.`);
    const takeOut = button(
      t`Take the station out of service`,
      async () => {
        takeOut.disabled = true;
        try {
          await app.setMaintenance(true);
          await run();
        } catch (error) {
          findings.dataset.verdict = "bad";
          findings.replaceChildren(h("p", { text: whyInService(error, t) }));
          takeOut.disabled = false;
        }
      },
      { class: "button primary" },
    );
    offer(close, takeOut);
  };

  const closed = opened(dialog);
  void begin();
  await closed;
  stopped.abort();
  wipe(canvas);
}
