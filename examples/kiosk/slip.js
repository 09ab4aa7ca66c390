import { formatDate, formatVnd } from "./texts.js";

const two = (number) => String(number).padStart(2, "0");

/** `13:05 ngày 23/11/2026` */
export function instantText(at) {
  const time = new Date(at);
  return `${two(time.getHours())}:${two(time.getMinutes())} ngày ${two(time.getDate())}/${two(time.getMonth() + 1)}/${time.getFullYear()}`;
}

/**
 * The slip as the printer's blocks. The same dossier and instant always give the same blocks, so that a page that was
 * reloaded in mid-print can ask again under the same key. Official paper is Vietnamese in either language of the page.
 */
export function slipOf(dossier, at) {
  const ready = dossier.done === dossier.steps.length - 1;
  const field = (label, text, bold = false) => ({
    type: "columns",
    columns: [
      { text: label, weight: 5 },
      { text, weight: 8, align: "right", bold },
    ],
  });
  return {
    title: `Phiếu hẹn ${dossier.code}`,
    blocks: [
      { type: "text", text: "TRUNG TÂM PHỤC VỤ\nHÀNH CHÍNH CÔNG", align: "center", bold: true },
      { type: "text", text: "Trạm Công dân số", align: "center" },
      { type: "rule", line: "double" },
      { type: "text", text: "PHIẾU HẸN", align: "center", bold: true, size: 2 },
      { type: "text", text: "TRẢ KẾT QUẢ HỒ SƠ", align: "center", bold: true },
      { type: "feed", lines: 1 },
      { type: "text", text: dossier.code, align: "center", size: 2, bold: true },
      { type: "qr", data: dossier.code, moduleDots: 8, correction: "M", align: "center" },
      { type: "rule", line: "dashed" },
      { type: "text", text: "Thủ tục", underline: true },
      { type: "text", text: dossier.procedure.vi, bold: true },
      { type: "feed", lines: 1 },
      field("Người nộp", dossier.applicant, true),
      field("Cơ quan", dossier.office.vi),
      field("Ngày nhận", formatDate(dossier.submitted, "vi")),
      field("Lệ phí", dossier.feeVnd === 0 ? "Miễn phí" : `${formatVnd(dossier.feeVnd)}${dossier.feePaid ? " (đã nộp)" : ""}`),
      { type: "feed", lines: 1 },
      { type: "text", text: ready ? " ĐÃ CÓ KẾT QUẢ – MỜI ĐẾN NHẬN " : " HẸN TRẢ KẾT QUẢ ", align: "center", bold: true, invert: true },
      { type: "text", text: formatDate(dossier.due, "vi"), align: "center", size: 2, bold: true },
      { type: "text", text: "Sáng 7:30–11:30 · Chiều 13:30–17:00", align: "center" },
      { type: "rule", line: "dashed" },
      {
        type: "table",
        columns: [
          { header: "Bước", weight: 7 },
          { header: "Ngày", weight: 4, align: "right" },
        ],
        rows: dossier.steps.map(({ title, date }, index) => [
          title.vi,
          date ? formatDate(date, "vi") : index === dossier.done ? "đang làm" : "–",
        ]),
      },
      { type: "rule", line: "dashed" },
      { type: "text", text: "Khi đến nhận, xin mang theo:", bold: true },
      { type: "text", text: dossier.bring.vi.map((thing) => `•  ${thing}`).join("\n") },
      { type: "rule", line: "solid" },
      { type: "text", text: "Cảm ơn Ông/Bà.\nRất hân hạnh được phục vụ!", align: "center", bold: true },
      { type: "text", text: `In lúc ${instantText(at)}`, align: "center" },
      { type: "feed", lines: 2 },
      { type: "cut", mode: "partial" },
    ],
  };
}
