import type { PrintDocument } from "../../src/protocol/printer.js";

/** Every kind of content that goes to the printer in its own way, and Vietnamese text. */
export const tortureReceipt: PrintDocument = {
  blocks: [
    { type: "text", text: "TRẠM CÔNG DÂN SỐ", align: "center", size: 2, bold: true },
    { type: "rule" },
    { type: "columns", columns: [{ text: "Mã hồ sơ" }, { text: "HS-2026-000123", align: "right" }] },
    { type: "columns", columns: [{ text: "Lệ phí" }, { text: "50.000 đ", align: "right" }] },
    { type: "qr", data: "HS-2026-000123", align: "center" },
    { type: "text", text: "Xin cảm ơn quý công dân" },
  ],
};
