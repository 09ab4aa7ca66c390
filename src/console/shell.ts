import type { App, Section } from "./app.js";
import { button, h, say } from "./dom.js";

export interface Shell {
  readonly elements: readonly HTMLElement[];
  refresh(): void;
  focus(): void;
}

/** What stands around the sections: whose station this is, whether it serves, the way to each part, and out. */
export function shell(app: App, sections: readonly Section[], onSignOut: () => void): Shell {
  const { t } = app;
  const name = h("h1", { class: "station-name", text: t`Station`, tabindex: -1 });
  const pill = h("p", { class: "pill", role: "status" });
  const ribbon = h("p", { class: "ribbon", text: "BẢN THỬ · DEMO", hidden: true });
  const banner = h("p", {
    class: "banner",
    role: "alert",
    hidden: true,
    text: t`The connection to the agent is lost; what is shown is from before. The page tries again by itself.`,
  });
  const header = h(
    "header",
    { class: "masthead" },
    h("img", { class: "emblem", src: "emblem.svg", alt: "" }),
    h("div", { class: "names" }, name, h("p", { class: "place", text: t`Technicians’ console` })),
    ribbon,
    pill,
    button(t`Sign out`, onSignOut, { class: "button plain" }),
  );
  const badges = sections.map(() => h("span", { class: "badge", hidden: true }));
  const links = sections.map(({ id, title }, index) => h("a", { href: `#${id}` }, title, badges[index]));
  const nav = h("nav", { class: "nav", "aria-label": t`Parts of this page` }, ...links);
  const main = h(
    "main",
    { id: "content" },
    ...sections.map(({ id, title, element }) =>
      h("section", { id, "aria-labelledby": `${id}-title`, tabindex: -1 }, h("h2", { id: `${id}-title`, text: title }), element),
    ),
  );
  return {
    elements: [h("a", { class: "skip", href: "#content", text: t`To the content` }), h("div", { class: "top" }, header, nav, banner), main],
    refresh() {
      const { dashboard, connected } = app;
      banner.hidden = connected;
      sections.forEach(({ waiting }, index) => {
        const [badge, count] = [badges[index], waiting?.() ?? 0];
        if (!badge) return;
        badge.hidden = count === 0;
        say(badge, String(count));
      });
      const state = !connected ? "lost" : !dashboard ? "unknown" : dashboard.maintenance ? "maintenance" : "service";
      pill.dataset.state = state;
      say(pill, { lost: t`no connection`, unknown: t`asking …`, maintenance: t`out of service`, service: t`in service` }[state]);
      if (!dashboard) return;
      say(name, dashboard.name);
      document.title = `${dashboard.name} – stationd console`;
      ribbon.hidden = dashboard.mode === "production";
      say(ribbon, dashboard.mode === "demo" ? "BẢN THỬ · DEMO" : "TEST MODE");
    },
    focus: () => name.focus(),
  };
}
