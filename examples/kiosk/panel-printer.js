/** The side panel's printer, and the paper that came out of it. */
import { h } from "./dom.js";
import { deviceSection } from "./panel-parts.js";

const PRINTER = "receipt";

const BUTTONS = [
  ({ paper }) => (paper === "out" ? ["Lắp giấy mới", "refill"] : ["Lấy hết giấy", "paperOut"]),
  ({ paper }) =>
    paper === "near_end" ? ["Hết báo sắp cạn", "paperNearEnd", { on: false }] : ["Giấy sắp cạn", "paperNearEnd", { on: true }],
  () => ["Hết giấy giữa chừng", "paperLeft", { rows: 300 }],
  ({ cover }) => (cover === "open" ? ["Đóng nắp", "closeCover"] : ["Mở nắp", "openCover"]),
  ({ cutter }) => (cutter === "jam" ? ["Gỡ kẹt dao cắt", "clearJam"] : ["Kẹt dao cắt", "jamCutter"]),
  ({ attached }) => (attached === false ? ["Cắm cáp", "plug"] : ["Rút cáp", "unplug"]),
  () => ["Tắt rồi bật máy", "powerCycle"],
  () => ["Xé phiếu", "tear"],
];

const describe = ({ attached, cover, paper, cutter, receipts }) =>
  [
    attached === false ? "Đã rút cáp" : "Đang cắm",
    cover === "open" ? "nắp mở" : "nắp đóng",
    paper === "out" ? "hết giấy" : paper === "near_end" ? "giấy sắp cạn" : "đủ giấy",
    cutter === "jam" && "kẹt dao cắt",
    typeof receipts === "number" && `${receipts} phiếu đã cắt`,
  ]
    .filter(Boolean)
    .join(" · ");

export const printerSection = (act) =>
  deviceSection({ simulator: PRINTER, name: "printer", picture: "printer", title: "Máy in giả lập", buttons: BUTTONS, describe }, act);

/** @param blobOf the bytes that an answer names */
export function paperSection(act, blobOf) {
  const paper = h("img", { class: "panel-paper", alt: "Giấy đã in ra từ máy in giả lập", hidden: true });
  const none = h("p", { class: "panel-empty", text: "Chưa có gì được in." });
  const slot = h(
    "section",
    { class: "panel-slot", "aria-labelledby": "panel-paper", tabindex: "0" },
    h("h3", { id: "panel-paper", text: "Giấy ra" }),
    none,
    paper,
  );
  let wanted;
  let drawn;
  let drawing = false;

  return {
    simulator: PRINTER,
    element: slot,
    /** One picture at a time, and always the last one in the end. */
    async draw({ revision }) {
      wanted = revision;
      if (drawing) return;
      drawing = true;
      while (drawn !== wanted) {
        drawn = wanted;
        const image = (await act(PRINTER, "paper"))?.image;
        if (!image) continue;
        URL.revokeObjectURL(paper.src);
        paper.src = URL.createObjectURL(blobOf(image));
        paper.hidden = false;
        none.hidden = true;
        await paper.decode().catch(() => {});
        paper.dataset.revision = String(drawn);
        slot.scrollTop = slot.scrollHeight;
      }
      drawing = false;
    },
  };
}
