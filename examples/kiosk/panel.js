/**
 * The side panel: hands for the simulated devices. It has a connection of its own, in the simulator's role, and knows
 * nothing of the page beside it: what happens there happens because a device changed.
 */
import { connectStation } from "/stationd/client/index.js";
import { h, icon } from "./dom.js";
import { bankApp } from "./panel-bank.js";
import { codesSection } from "./panel-codes.js";
import { cameraSection, documentsSection } from "./panel-eyes.js";
import { paperSection, printerSection } from "./panel-printer.js";
import { readerSection } from "./panel-reader.js";
import { terminalSection } from "./panel-terminal.js";

/** Serves once, so every connection asks for its own. */
async function simulatorToken() {
  const answer = await fetch("/simulator-token", { method: "POST" });
  return (await answer.json()).token;
}

export async function openPanel({ url }) {
  const panel = document.getElementById("panel");
  const status = h("p", { class: "panel-status", role: "status" });
  let client;

  async function act(simulator, action, params) {
    try {
      return await client.call("simulators.act", { simulator, action, ...(params && { params }) });
    } catch (error) {
      status.textContent = `${error.message}. ${error.hint}`;
      return undefined;
    }
  }

  const codes = codesSection(act);
  const reader = readerSection(act);
  const documents = documentsSection(act);
  const camera = cameraSection(act);
  const terminal = terminalSection(act);
  const printer = printerSection(act);
  const paper = paperSection(act, (image) => client.blob(image));
  const sections = [codes, reader, documents, camera, terminal, printer, paper];
  const body = h(
    "div",
    { class: "panel-body", id: "panel-body" },
    h(
      "div",
      { class: "panel-columns" },
      [codes, reader, documents, camera, terminal].map(({ element }) => element),
      bankApp(),
      printer.element,
      paper.element,
    ),
  );
  const toggle = h("button", {
    type: "button",
    class: "panel-toggle",
    "aria-controls": "panel-body",
    on: { click: () => fold(!panel.classList.contains("folded")) },
  });

  function fold(folded) {
    panel.classList.toggle("folded", folded);
    body.hidden = folded;
    toggle.setAttribute("aria-expanded", String(!folded));
    toggle.setAttribute("aria-label", folded ? "Mở bảng điều khiển giả lập" : "Thu gọn bảng điều khiển giả lập");
    toggle.replaceChildren(icon(folded ? "back" : "arrow"), h("span", { text: folded ? "Giả lập" : "Thu gọn" }));
  }

  panel.setAttribute("aria-label", "Bảng điều khiển thiết bị giả lập");
  panel.lang = "vi";
  panel.append(
    h(
      "div",
      { class: "panel-head" },
      h("div", {}, h("h2", { text: "Bàn tay giả lập" }), h("p", { text: "Simulator controls: công dân không thấy phần này" })),
      toggle,
    ),
    status,
    body,
  );
  fold(false);
  panel.hidden = false;

  client = await connectStation({
    url,
    client: { name: "simulator-panel", version: "1.0.0" },
    token: simulatorToken,
    allowSimulated: true,
    onState(state) {
      status.textContent = state === "open" ? "" : "Đang kết nối với các thiết bị giả lập…";
      body.inert = state !== "open";
    },
  });
  await client.subscribe(["simulators"], ({ kind, state, data }) => {
    for (const { simulator, state: now } of kind === "state" ? state : [data]) {
      for (const section of sections) if (section.simulator === simulator) section.draw(now);
    }
  });
}
