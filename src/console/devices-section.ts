import type { Translate } from "../languages/translate.js";
import type { DeviceSnapshot } from "../protocol/devices.js";
import type { WatchedDevice } from "../technician/dashboard.js";
import type { App, Section } from "./app.js";
import { arrange, button, h, say } from "./dom.js";
import { tryDevice } from "./trial-panel.js";
import { age, told } from "./words.js";

const classWords = (t: Translate): Readonly<Record<DeviceSnapshot["class"], string>> => ({
  chipReader: t`chip card reader`,
  printer: t`receipt printer`,
  barcodeScanner: t`code scanner`,
  documentScanner: t`document scanner`,
  paymentTerminal: t`payment`,
  camera: t`camera`,
});

const IN_TROUBLE: ReadonlySet<DeviceSnapshot["state"]> = new Set<DeviceSnapshot["state"]>(["absent", "attention", "faulted"]);

interface Card {
  readonly element: HTMLElement;
  show(watched: WatchedDevice, now: number, connected: boolean): void;
}

/** Every device as it is now: live by events, with what a person should do about it. */
export function devicesSection(app: App): Section {
  const { t } = app;
  const cards = new Map<string, Card>();
  const list = h("ul", { class: "cards" });
  const none = h("p", { class: "soft", text: t`This station has no devices.` });
  const element = h("div", {}, list, none);

  return {
    id: "devices",
    title: t`Devices`,
    element,
    waiting: () => app.dashboard?.devices.filter(({ snapshot: { state } }) => IN_TROUBLE.has(state)).length ?? 0,
    refresh() {
      const devices = app.dashboard?.devices ?? [];
      none.hidden = app.dashboard === undefined || devices.length > 0;
      arrange(
        list,
        devices.map((watched) => {
          const { snapshot } = watched;
          let card = cards.get(snapshot.id);
          if (!card) {
            card = deviceCard(snapshot, t, () => {
              const known = app.dashboard?.devices.find((one) => one.snapshot.id === snapshot.id)?.snapshot ?? snapshot;
              void tryDevice(app, known);
            });
            cards.set(snapshot.id, card);
          }
          card.show(watched, app.now(), app.connected);
          return card.element;
        }),
      );
    },
  };
}

function deviceCard({ id, class: deviceClass }: DeviceSnapshot, t: Translate, onTest: () => void): Card {
  const state = h("span", { class: "state" });
  const since = h("span", { class: "soft" });
  const name = h("p", { class: "soft" });
  const doing = h("p", { class: "doing" });
  const reason = h("p", { class: "reason" });
  const earlier = h("p", { class: "soft earlier" });
  const test = button(t`Test`, onTest, { class: "button small", "aria-label": t`Test ${id}` });
  const element = h(
    "li",
    { class: "card device", "data-device": id },
    h("div", { class: "card-head" }, h("h3", { text: id }), test),
    name,
    h("p", { class: "state-line" }, state, since),
    doing,
    reason,
    earlier,
  );
  const line = (paragraph: HTMLElement, text: string): void => {
    say(paragraph, text);
    paragraph.hidden = text === "";
  };

  return {
    element,
    show({ snapshot, lastError, perMinute }, now, connected) {
      const { state: is, identity, driver, queue, claim, warnings = [], simulated } = snapshot;
      element.dataset.state = is;
      say(state, t(is));
      say(since, t`for ${age(now - snapshot.since, t)}`);
      const model = [identity?.vendor, identity?.model].filter(Boolean).join(" ");
      say(name, [classWords(t)[deviceClass], driver, model, simulated ? t`simulated` : ""].filter(Boolean).join(" · "));
      const rate = perMinute ? t`${perMinute.toFixed(perMinute < 10 ? 1 : 0)} a minute` : "";
      const busy = [
        queue.running ?? "",
        queue.length > 0 ? t`${queue.length} waiting` : "",
        claim ? t`claimed by ${claim.client}` : "",
        rate,
      ];
      line(doing, busy.filter(Boolean).join(" · "));
      line(
        reason,
        [snapshot.reason ? told(snapshot.reason, t) : "", ...warnings.map((word) => `${t(word.replaceAll("_", " "))}.`)].join(" ").trim(),
      );
      const past = snapshot.reason === undefined ? lastError : undefined;
      line(earlier, past ? t`${age(now - past.at, t)} ago: ${told(past, t)}` : "");
      test.disabled = !connected || is === "disabled";
    },
  };
}
