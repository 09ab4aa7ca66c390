/** The side panel's telephone: it sees the screen, and its banking app transfers. */
import { h, icon } from "./dom.js";
import { formatVnd } from "./texts.js";

/** A camera before the screen: the code that is shown now. */
const codeOnScreen = () => document.querySelector("#stage img[data-payload]")?.dataset.payload;

export function bankApp() {
  const state = h("p", { class: "panel-state", role: "status", text: "Ứng dụng ngân hàng trên điện thoại giả lập" });
  const ledger = h("div", { "data-panel": "transfers" });
  /** A code that was scanned stays in the app: money can come twice, or too late. */
  let scanned;

  async function transfer(amountVnd) {
    scanned = codeOnScreen() ?? scanned;
    if (!scanned) {
      state.textContent = "Trên màn hình không có mã VietQR.";
      return;
    }
    const body = JSON.stringify({ payload: scanned, ...(amountVnd && { amountVnd }) });
    const answer = await fetch("/bank/transfers", { method: "POST", body }).catch(() => undefined);
    if (!answer?.ok) {
      state.textContent = "Không chuyển được tiền.";
      return;
    }
    const { transfers } = await answer.json();
    state.textContent = `Đã chuyển ${formatVnd(transfers[0].amountVnd)}`;
    ledger.replaceChildren(transfersTable(transfers));
  }
  const button = (text, name, action) => h("button", { type: "button", "data-action": name, text, on: { click: action } });

  return h(
    "section",
    { class: "panel-bank", "aria-labelledby": "panel-bank" },
    h("h3", { id: "panel-bank" }, icon("qr"), "Điện thoại quét VietQR"),
    state,
    h(
      "div",
      { class: "panel-buttons" },
      button("Quét và chuyển đủ", "transfer", () => transfer()),
      button("Chuyển thiếu", "transfer-less", () => transfer(10_000)),
      button("Chuyển lần nữa", "transfer-again", () => transfer()),
    ),
    ledger,
  );
}

const transfersTable = (transfers) =>
  h(
    "table",
    { class: "panel-ledger" },
    h("caption", { text: "Tiền vào tài khoản" }),
    h(
      "tbody",
      {},
      transfers.map(({ transactionId, amountVnd }) =>
        h("tr", {}, h("td", { text: `…${transactionId.slice(-9)}` }), h("td", { text: formatVnd(amountVnd) })),
      ),
    ),
  );
