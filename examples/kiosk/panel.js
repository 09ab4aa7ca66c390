/**
 * The side panel: hands for the simulated devices. It has a connection of its own, in the simulator's role, and knows
 * nothing of the page beside it: what happens there happens because a device changed.
 */
import { connectStation } from "/stationd/client/index.js";
import { SAMPLE_BILLS } from "./bills.js";
import { h, icon } from "./dom.js";
import { SAMPLE_CODES } from "./dossiers.js";
import { bankApp } from "./panel-bank.js";
import { describeTerminal, ledgerTable, TERMINAL, TERMINAL_BUTTONS } from "./panel-terminal.js";
import { SAMPLE_CARDS } from "./sample-cards.js";

const PRINTER = "receipt";
const SCANNER = "scanner";
const READER = "id-reader";

/** Serves once, so every connection asks for its own. */
async function simulatorToken() {
  const answer = await fetch("/simulator-token", { method: "POST" });
  return (await answer.json()).token;
}

/** Buttons of the printer: what they do depends on how it stands. */
const PRINTER_BUTTONS = [
  (state) => (state.paper === "out" ? ["Lắp giấy mới", "refill"] : ["Lấy hết giấy", "paperOut"]),
  (state) =>
    state.paper === "near_end" ? ["Hết báo sắp cạn", "paperNearEnd", { on: false }] : ["Giấy sắp cạn", "paperNearEnd", { on: true }],
  () => ["Hết giấy giữa chừng", "paperLeft", { rows: 300 }],
  (state) => (state.cover === "open" ? ["Đóng nắp", "closeCover"] : ["Mở nắp", "openCover"]),
  (state) => (state.cutter === "jam" ? ["Gỡ kẹt dao cắt", "clearJam"] : ["Kẹt dao cắt", "jamCutter"]),
  (state) => (state.attached === false ? ["Cắm cáp", "plug"] : ["Rút cáp", "unplug"]),
  () => ["Tắt rồi bật máy", "powerCycle"],
  () => ["Xé phiếu", "tear"],
];
const SCANNER_BUTTONS = [PRINTER_BUTTONS[5]];
/** Faults stay until the cards are as new again. */
const READER_BUTTONS = [
  ...SAMPLE_CARDS.map(({ person }) => (state) => [
    `${state.cardPresent ? "Tráo thẻ" : "Đặt thẻ"} ${person}`,
    state.cardPresent ? "swap" : "insert",
    { person },
  ]),
  () => ["Nhấc thẻ ra", "lift"],
  () => ["Nhấc giữa chừng", "liftAtApdu", { n: 9 }],
  () => ["Thẻ chậm", "card", { delayMs: 900 }],
  () => ["Chip sao chép", "card", { cloned: true }],
  () => ["Dữ liệu bị sửa", "card", { wrongHash: "dg13" }],
  () => ["Người ký lạ", "card", { signer: "foreign" }],
  () => ["Cần thêm MRZ", "card", { pace: [], bac: true }],
  () => ["Bỏ mọi lỗi", "reset"],
];

export async function openPanel({ url }) {
  const panel = document.getElementById("panel");
  const status = h("p", { class: "panel-status", role: "status" });
  const printerButtons = h("div", { class: "panel-buttons" });
  const scannerButtons = h("div", { class: "panel-buttons" });
  const printerState = h("p", { class: "panel-state" });
  const scannerState = h("p", { class: "panel-state" });
  const readerButtons = h("div", { class: "panel-buttons" });
  const readerState = h("p", { class: "panel-state", "data-panel": "card" });
  const terminalButtons = h("div", { class: "panel-buttons" });
  const terminalState = h("p", { class: "panel-state", "data-panel": "terminal" });
  const ledger = h("div", { "data-panel": "ledger" });
  const paper = h("img", { class: "panel-paper", alt: "Giấy đã in ra từ máy in giả lập", hidden: true });
  const noPaper = h("p", { class: "panel-empty", text: "Chưa có gì được in." });
  const body = h(
    "div",
    { class: "panel-body", id: "panel-body" },
    h(
      "section",
      { "aria-labelledby": "panel-scanner" },
      h("h3", { id: "panel-scanner" }, icon("qr"), "Quét mã này"),
      h(
        "div",
        { class: "panel-buttons codes" },
        [...SAMPLE_CODES, ...SAMPLE_BILLS].map(({ label, note, text }) =>
          h(
            "button",
            { type: "button", "data-code": label, title: note, on: { click: () => act(SCANNER, "scan", { text }) } },
            h("b", { text: label.replace("HS-2026-", "HS … ") }),
            h("small", { text: note }),
          ),
        ),
      ),
      h("div", { class: "panel-cable" }, scannerButtons, scannerState),
    ),
    h(
      "section",
      { "aria-labelledby": "panel-reader" },
      h("h3", { id: "panel-reader" }, icon("card"), "Đầu đọc thẻ giả lập"),
      readerState,
      h(
        "div",
        { class: "panel-buttons" },
        SAMPLE_CARDS.map(({ person, text }) =>
          h("button", {
            type: "button",
            title: "mã QR của thẻ này, cho máy quét",
            text: `Quét mã ${person}`,
            on: { click: () => act(SCANNER, "scan", { text }) },
          }),
        ),
      ),
      readerButtons,
    ),
    h(
      "section",
      { class: "panel-terminal", "aria-labelledby": "panel-terminal" },
      h("h3", { id: "panel-terminal" }, icon("bankCard"), "Máy thẻ giả lập"),
      terminalState,
      terminalButtons,
      ledger,
    ),
    bankApp(),
    h(
      "section",
      { "aria-labelledby": "panel-printer" },
      h("h3", { id: "panel-printer" }, icon("printer"), "Máy in giả lập"),
      printerState,
      printerButtons,
    ),
    h(
      "section",
      { class: "panel-slot", "aria-labelledby": "panel-paper" },
      h("h3", { id: "panel-paper", text: "Giấy ra" }),
      noPaper,
      paper,
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

  const simulators = new Map();
  let drawnRevision;
  let drawing = false;

  const client = await connectStation({
    url,
    client: { name: "simulator-panel", version: "1.0.0" },
    token: simulatorToken,
    allowSimulated: true,
    onState(state) {
      status.textContent = state === "open" ? "" : "Đang kết nối với các thiết bị giả lập…";
      body.inert = state !== "open";
    },
  });

  async function act(simulator, action, params) {
    try {
      return await client.call("simulators.act", { simulator, action, ...(params && { params }) });
    } catch (error) {
      status.textContent = `${error.message}. ${error.hint}`;
      return undefined;
    }
  }

  const buttons = (simulator, makers) => {
    const { state } = simulators.get(simulator);
    return makers.map((maker) => {
      const [label, action, params] = maker(state);
      return h("button", { type: "button", "data-action": action, text: label, on: { click: () => act(simulator, action, params) } });
    });
  };

  /** Buttons are only exchanged when one reads differently, so that the focus of a keyboard stays where it is. */
  const place = (where, next) => {
    const reads = (elements) => elements.map((element) => element.textContent).join("|");
    if (reads([...where.children]) === reads(next)) return;
    const index = [...where.children].indexOf(document.activeElement);
    where.replaceChildren(...next);
    next[index]?.focus();
  };

  /** One picture at a time, and always the last one in the end. */
  async function drawPaper() {
    if (drawing) return;
    drawing = true;
    while (drawnRevision !== simulators.get(PRINTER)?.state.revision) {
      drawnRevision = simulators.get(PRINTER)?.state.revision;
      const image = (await act(PRINTER, "paper"))?.image;
      if (!image) continue;
      URL.revokeObjectURL(paper.src);
      paper.src = URL.createObjectURL(client.blob(image));
      paper.hidden = false;
      noPaper.hidden = true;
      await paper.decode().catch(() => {});
      paper.dataset.revision = String(drawnRevision);
      paper.parentElement.scrollTop = paper.parentElement.scrollHeight;
    }
    drawing = false;
  }

  const refresh = () => {
    const printer = simulators.get(PRINTER);
    const scanner = simulators.get(SCANNER);
    const reader = simulators.get(READER);
    if (printer) {
      place(printerButtons, buttons(PRINTER, PRINTER_BUTTONS));
      printerState.textContent = describePrinter(printer.state);
      void drawPaper();
    }
    if (reader) {
      place(readerButtons, buttons(READER, READER_BUTTONS));
      readerState.textContent = describeReader(reader.state);
    }
    const terminal = simulators.get(TERMINAL);
    if (terminal) {
      place(terminalButtons, buttons(TERMINAL, TERMINAL_BUTTONS));
      terminalState.textContent = describeTerminal(terminal.state);
      ledger.replaceChildren(ledgerTable(terminal.state));
    }
    if (scanner) {
      place(scannerButtons, buttons(SCANNER, SCANNER_BUTTONS));
      scannerState.textContent = scanner.state.attached === false ? "Đã rút cáp" : "Đang cắm";
    }
  };

  await client.subscribe(["simulators"], ({ kind, state, data }) => {
    for (const simulator of kind === "state" ? state : [data]) simulators.set(simulator.simulator, simulator);
    refresh();
  });
}

function describeReader({ cardPresent, card, apdus }) {
  return cardPresent ? `${card.replace("card", "Thẻ")} trên đầu đọc · ${apdus} APDU` : "Không có thẻ";
}

function describePrinter(state) {
  const words = [
    state.attached === false ? "Đã rút cáp" : "Đang cắm",
    state.cover === "open" ? "nắp mở" : "nắp đóng",
    state.paper === "out" ? "hết giấy" : state.paper === "near_end" ? "giấy sắp cạn" : "đủ giấy",
    state.cutter === "jam" && "kẹt dao cắt",
    typeof state.receipts === "number" && `${state.receipts} phiếu đã cắt`,
  ];
  return words.filter(Boolean).join(" · ");
}
