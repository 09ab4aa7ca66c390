import { payableOf } from "./bills.js";
import { instantText } from "./slip.js";
import { formatVnd } from "./texts.js";

/** What one says at the counter: short enough to be read aloud. */
export const shortName = ({ job }) => job.slice(0, 8).toUpperCase();

/** `NAPAS •••• 0018` */
export const cardText = ({ cardName, cardLastFour } = {}) =>
  [cardName?.replaceAll("_", " "), cardLastFour && `•••• ${cardLastFour}`].filter(Boolean).join(" ");

/** `1123T101502`, the terminal's own time, as people write it. */
function terminalTime(approvedAt) {
  const [, month, day, hour, minute] = /^(\d\d)(\d\d)T(\d\d)(\d\d)/.exec(approvedAt ?? "") ?? [];
  return month && `${hour}:${minute} ngày ${day}/${month}`;
}

/**
 * The slip of a payment that has ended `approved` or under `manual_review`. It follows from the job alone, so that a page
 * that was loaded again asks for the very same paper. Official paper is Vietnamese in either language of the page.
 */
export function receiptSlipOf(job) {
  const { receipt = {} } = job;
  const payable = payableOf(job.reference);
  const paid = job.state === "approved";
  const byTransfer = job.transfers !== undefined;
  const field = (label, text, bold = false) =>
    text
      ? [
          {
            type: "columns",
            columns: [
              { text: label, weight: 5 },
              { text, weight: 8, align: "right", bold },
            ],
          },
        ]
      : [];
  return {
    title: `${paid ? "Biên lai" : "Phiếu kiểm tra"} ${job.reference}`,
    blocks: [
      { type: "text", text: "TRUNG TÂM PHỤC VỤ\nHÀNH CHÍNH CÔNG", align: "center", bold: true },
      { type: "text", text: "Trạm Công dân số", align: "center" },
      { type: "rule", line: "double" },
      { type: "text", text: paid ? "BIÊN LAI" : "PHIẾU KIỂM TRA", align: "center", bold: true, size: 2 },
      { type: "text", text: paid ? "THANH TOÁN" : "CẦN NHÂN VIÊN KIỂM TRA", align: "center", bold: true },
      { type: "feed", lines: 1 },
      { type: "text", text: formatVnd(job.amountVnd), align: "center", size: 2, bold: true },
      {
        type: "text",
        text: paid ? " ĐÃ THANH TOÁN " : " VUI LÒNG KHÔNG THANH TOÁN LẠI ",
        align: "center",
        bold: true,
        invert: true,
      },
      { type: "rule", line: "dashed" },
      { type: "text", text: payable?.title.vi ?? job.reference, bold: true },
      ...field("Mã", job.reference),
      ...field("Khách hàng", payable?.payer),
      ...field("Đơn vị thu", payable?.issuer.vi),
      ...field("Kỳ", payable?.period?.vi),
      { type: "rule", line: "dashed" },
      ...field("Cách trả", byTransfer ? "Chuyển khoản VietQR" : cardText(receipt), true),
      ...(job.transfers ?? []).flatMap(({ transactionId }) => field("Mã giao dịch", transactionId)),
      ...field("Số biên lai", receipt.receiptNumber),
      ...field("Số truy vết", receipt.traceNumber),
      ...field("Máy thẻ", receipt.terminalId),
      ...field("Thời gian", terminalTime(receipt.approvedAt) ?? instantText(job.createdAt)),
      ...field("Mã tại trạm", shortName(job), true),
      { type: "rule", line: "solid" },
      {
        type: "text",
        text: paid
          ? "Cảm ơn Ông/Bà.\nXin giữ biên lai để đối chiếu."
          : "Xin giữ phiếu này. Nhân viên đã được báo\nvà sẽ kiểm tra. Mời đến quầy số 1.",
        align: "center",
        bold: true,
      },
      { type: "feed", lines: 2 },
      { type: "cut", mode: "partial" },
    ],
  };
}
