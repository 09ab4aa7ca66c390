/** The side panel's chip reader: the hand with the card. */
import { h } from "./dom.js";
import { SCANNER } from "./panel-codes.js";
import { deviceSection } from "./panel-parts.js";
import { SAMPLE_CARDS } from "./sample-cards.js";

/** Faults stay until the cards are as new again. */
const BUTTONS = [
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

export const readerSection = (act) =>
  deviceSection(
    {
      simulator: "id-reader",
      name: "card",
      picture: "card",
      title: "Đầu đọc thẻ giả lập",
      buttons: BUTTONS,
      describe: ({ cardPresent, card, apdus }) =>
        cardPresent ? `${card.replace("card", "Thẻ")} trên đầu đọc · ${apdus} APDU` : "Không có thẻ",
    },
    act,
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
  );
