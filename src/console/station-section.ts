import type { Result } from "../protocol/methods.js";
import type { App, Section } from "./app.js";
import { confirmed } from "./dialogs.js";
import { button, h, say } from "./dom.js";
import { age, told, whyInService } from "./words.js";

type Check = Result<"diagnostics.run">["checks"][number];

/** The station as a whole: in service or not, which version, since when; and every device's own check. */
export function stationSection(app: App): Section {
  const { t } = app;
  const service = h("p", { class: "service", role: "status" });
  const problem = h("p", { class: "problem", role: "alert" });
  const toggle = button("", () => void change(), { class: "button primary", disabled: true });
  const facts = h("dl", { class: "facts" });
  const check = button(t`Check all devices`, () => void run(), { class: "button", disabled: true });
  const checks = h("div", { class: "checks" });
  const verdict = h("p", { class: "soft", role: "status", text: t`Each device’s own self-test, without paper or money.` });
  const values = new Map<string, HTMLElement>();
  for (const [name, words] of [
    ["version", t`Version`],
    ["mode", t`Mode`],
    ["age", t`Running for`],
    ["devices", t`Devices`],
  ] as const) {
    const value = h("dd");
    values.set(name, value);
    facts.append(h("div", {}, h("dt", { text: words }), value));
  }
  const put = (name: string, text: string): void => {
    const value = values.get(name);
    if (value) say(value, text);
  };

  const change = async (): Promise<void> => {
    const on = !app.dashboard?.maintenance;
    say(problem, "");
    const question = {
      title: t`Take the station out of service?`,
      text: t`The page for citizens then says “out of service”, until somebody takes the station back.`,
      yes: t`Take it out of service`,
      no: t`Cancel`,
    };
    if (on && !(await confirmed(question))) return;
    try {
      await app.setMaintenance(on);
    } catch (error) {
      say(problem, on ? whyInService(error, t) : told(error, t));
    }
  };

  const row = ({ device, check: what, ok, note, hint }: Check): HTMLElement =>
    h(
      "li",
      { "data-ok": String(ok) },
      h("span", { class: "mark", text: ok ? "✓" : "✗", "aria-label": ok ? t`good` : t`not good`, role: "img" }),
      h(
        "div",
        {},
        h("strong", { text: device }),
        ` ${t(what)}${note ? `: ${t(note)}` : ""}`,
        ok ? null : h("p", { class: "soft", text: t(hint ?? "") }),
      ),
    );
  const run = async (): Promise<void> => {
    check.disabled = true;
    say(verdict, t`Checking …`);
    checks.replaceChildren();
    try {
      const found = await app.link.client().call("diagnostics.run", {});
      const [good, bad] = [true, false].map((wanted) => found.checks.filter(({ ok }) => ok === wanted).map(row)) as [
        HTMLElement[],
        HTMLElement[],
      ];
      const all = found.checks.length;
      say(verdict, bad.length === 0 ? t`All ${all} checks are good.` : t`${bad.length} of ${all} checks are not good.`);
      checks.append(h("ul", {}, ...bad));
      if (good.length > 0) checks.append(h("details", {}, h("summary", { text: t`${good.length} good checks` }), h("ul", {}, ...good)));
    } catch (error) {
      say(verdict, told(error, t));
    } finally {
      check.disabled = !app.connected;
    }
  };

  return {
    id: "station",
    title: t`Station`,
    element: h(
      "div",
      { class: "station-grid" },
      h("div", { class: "card" }, service, facts, h("div", { class: "actions" }, toggle), problem),
      h("div", { class: "card" }, h("div", { class: "card-head" }, h("h3", { text: t`Self-tests` }), check), verdict, checks),
    ),
    refresh() {
      const { dashboard, connected } = app;
      toggle.disabled = !connected;
      check.disabled = !connected;
      if (!dashboard) return;
      const { name, version, mode, maintenance, startedAt, devices } = dashboard;
      // What was said of it before is over.
      if (service.dataset.maintenance !== String(maintenance)) say(problem, "");
      service.dataset.maintenance = String(maintenance);
      say(service, maintenance ? t`${name} is out of service` : t`${name} is in service`);
      say(toggle, maintenance ? t`Back in service` : t`Take out of service …`);
      put("version", `stationd ${version}`);
      put("mode", t(mode));
      put("age", age(app.now() - startedAt, t));
      const good = devices.filter(({ snapshot: { state } }) => state === "ready" || state === "busy").length;
      const counted = devices.filter(({ snapshot: { state } }) => state !== "disabled").length;
      put("devices", t`${good} of ${counted} can work`);
    },
  };
}
