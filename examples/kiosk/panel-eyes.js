/** The side panel's document scanner and camera: paper for the one, light for the other. */
import { deviceSection } from "./panel-parts.js";

const sheet = (number, more = {}) => ({ number, ...more });

const SCANNER_BUTTONS = [
  () => ["Nạp 2 tờ", "loadFeeder", { sheets: [sheet(1, { skewDegrees: 2 }), sheet(2, { skewDegrees: -1 })] }],
  () => ["Nạp 1 tờ trắng", "loadFeeder", { sheets: [sheet(9, { blank: "clean" })] }],
  ({ glass }) => (glass ? ["Lấy giấy khỏi kính", "takeFromGlass"] : ["Đặt giấy lên kính", "layOnGlass", { page: sheet(7) }]),
  ({ jammed }) => (jammed ? ["Gỡ giấy kẹt", "clearJam"] : ["Kẹt giấy", "jam"]),
  () => ["Kẹt ở tờ sau", "inject", { fault: "jam", page: 2 }],
  ({ coverOpen }) => (coverOpen ? ["Đóng cửa máy quét", "closeCover"] : ["Mở cửa máy quét", "openCover"]),
  ({ unplugged }) => (unplugged ? ["Cắm dây máy quét", "plug"] : ["Rút dây máy quét", "unplug"]),
  () => ["Như mới", "reset"],
];

export const documentsSection = (act) =>
  deviceSection(
    {
      simulator: "documents",
      name: "documents",
      picture: "scan",
      title: "Máy quét giấy giả lập",
      buttons: SCANNER_BUTTONS,
      describe: ({ unplugged, sheets, glass, jammed, coverOpen, scanning }) =>
        [
          unplugged && "Đã rút dây",
          `${sheets} tờ trong khay`,
          glass ? "kính có giấy" : "kính trống",
          jammed && "kẹt giấy",
          coverOpen && "cửa mở",
          scanning && "đang quét",
        ]
          .filter(Boolean)
          .join(" · "),
    },
    act,
  );

const CAMERA_BUTTONS = [
  ({ dark }) => (dark ? ["Bật đèn", "dark", { on: false }] : ["Tắt đèn", "dark", { on: true }]),
  ({ blurred }) => (blurred ? ["Lấy nét", "blurred", { on: false }] : ["Mờ ống kính", "blurred", { on: true }]),
  ({ frozen }) => (frozen ? ["Camera chạy tiếp", "freeze", { on: false }] : ["Camera đứng hình", "freeze", { on: true }]),
  ({ unplugged }) => (unplugged ? ["Cắm dây camera", "plug"] : ["Rút dây camera", "unplug"]),
];

export const cameraSection = (act) =>
  deviceSection(
    {
      simulator: "camera",
      name: "camera",
      picture: "camera",
      title: "Camera giả lập",
      buttons: CAMERA_BUTTONS,
      describe: ({ attached, unplugged, dark, blurred, frozen }) =>
        [unplugged ? "Đã rút dây" : attached ? "đang quay" : "đang nghỉ", dark && "tối", blurred && "mờ", frozen && "đứng hình"]
          .filter(Boolean)
          .join(" · "),
    },
    act,
  );
