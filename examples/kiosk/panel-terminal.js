/** The side panel's payment terminal: the hand with the card, and what the bank has booked. */
import { h } from "./dom.js";
import { deviceSection } from "./panel-parts.js";
import { formatVnd } from "./texts.js";

const TERMINAL_BUTTONS = [
  () => ["Đưa thẻ", "present", { card: "napas" }],
  () => ["Đúng PIN, duyệt", "approve"],
  () => ["Sai PIN", "wrongPin"],
  () => ["Bị từ chối", "decline", { code: 0x05 }],
  () => ["Rút thẻ", "removeCard"],
  () => ["Khách bấm phím đỏ", "cancelByCustomer"],
  (state) => (state.plugged === false ? ["Cắm cáp máy thẻ", "plug"] : ["Rút cáp máy thẻ", "unplug"]),
  () => ["Khởi động lại", "reboot"],
  () => ["Thẻ Visa", "present", { card: "visa" }],
];

/** 04 FF codes, as the terminal's own display has them. */
const DISPLAY = {
  "01": "NHẬP MÃ PIN",
  "04": "ĐANG GỌI NGÂN HÀNG",
  "05": "TỰ HOÀN TÁC",
  "0A": "MỜI ĐƯA THẺ",
  "0B": "MỜI RÚT THẺ",
  15: "SAI MÃ PIN",
  "1C": "ĐÃ DUYỆT",
  "1D": "BỊ TỪ CHỐI",
};

function describeTerminal({ plugged, on, procedure, lastStatus, cardInside, autoReversalPending }) {
  const words = [
    !on ? "Đang khởi động" : plugged ? "Đang cắm" : "Đã rút cáp",
    procedure === "0601" ? (DISPLAY[lastStatus] ?? "ĐANG THANH TOÁN") : procedure ? "đang làm việc" : "rảnh",
    cardInside && "có thẻ",
    autoReversalPending && "đang tự hoàn tác",
  ];
  return words.filter(Boolean).join(" · ");
}

const BOOKED = { sale: "Bán", reversal: "Hoàn tiền", "auto-reversal": "Tự hoàn" };

/** The bank's truth: what stands here was charged, whatever any screen says. */
function ledgerTable({ ledger = [], netVnd }) {
  if (ledger.length === 0) return h("p", { class: "panel-empty", text: "Ngân hàng chưa ghi gì." });
  const row = ({ kind, receipt, amountVnd, hostApproved, net }) =>
    h(
      "tr",
      { "data-net": String(net) },
      h("td", { text: hostApproved ? BOOKED[kind] : "Từ chối" }),
      h("td", { text: String(receipt).padStart(4, "0") }),
      h("td", { text: hostApproved ? `${net < 0 ? "−" : ""}${formatVnd(Math.abs(net))}` : `(${formatVnd(amountVnd)})` }),
    );
  return h(
    "table",
    { class: "panel-ledger" },
    h("caption", { text: "Sổ của ngân hàng" }),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["Loại", "Biên lai", "Tiền"].map((text) => h("th", { scope: "col", text })),
      ),
    ),
    h("tbody", {}, [...ledger].reverse().map(row)),
    h("tfoot", {}, h("tr", {}, h("th", { scope: "row", colspan: "2", text: "Đã thu" }), h("td", { text: formatVnd(netVnd) }))),
  );
}

export function terminalSection(act) {
  const ledger = h("div", { "data-panel": "ledger" });
  const device = deviceSection(
    {
      simulator: "terminal",
      name: "terminal",
      picture: "bankCard",
      title: "Máy thẻ giả lập",
      buttons: TERMINAL_BUTTONS,
      describe: describeTerminal,
    },
    act,
  );
  device.element.append(ledger);
  return {
    ...device,
    draw(state) {
      device.draw(state);
      ledger.replaceChildren(ledgerTable(state));
    },
  };
}
