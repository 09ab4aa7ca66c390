import type { DeviceClass } from "../protocol/devices.js";
import type { App } from "./app.js";
import { h } from "./dom.js";

export interface DeviceChoice {
  readonly element: HTMLElement;
  /** Undefined: this station has none. */
  chosen(): string | undefined;
  refresh(): void;
}

/** Which device, of those that there are now; the choice stays when others come and go. */
export function deviceChoice(app: App, label: string, only?: DeviceClass): DeviceChoice {
  const select = h("select", {});
  let shown = "";
  return {
    element: h("label", { class: "field" }, label, select),
    chosen: () => select.value || undefined,
    refresh() {
      const devices = app.dashboard?.devices.map(({ snapshot }) => snapshot) ?? [];
      const ids = devices.filter((device) => only === undefined || device.class === only).map(({ id }) => id);
      if (ids.join() === shown) return;
      shown = ids.join();
      const before = select.value;
      select.replaceChildren(...ids.map((id) => h("option", { value: id, text: id })));
      if (ids.includes(before)) select.value = before;
    },
  };
}
