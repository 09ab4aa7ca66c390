import { masked, personOf } from "./card-person.js";
import { headline, verdictLines } from "./card-verdicts.js";
import { instantText } from "./slip.js";
import { textsIn } from "./texts.js";

/**
 * The slip of a verified card. The ID number is masked: paper is left lying about, and the last six digits open the chip.
 * Official paper is Vietnamese in either language of the page.
 */
export function identitySlipOf(identity, at) {
  const { reading } = identity;
  const { identity: words } = textsIn("vi");
  const person = personOf(reading);
  const lines = verdictLines(identity);
  const head = headline(lines);
  const field = (label, text, bold = false) => ({
    type: "columns",
    columns: [
      { text: label, weight: 5 },
      { text, weight: 8, align: "right", bold },
    ],
  });
  return {
    title: "Phiếu xác minh danh tính",
    blocks: [
      { type: "text", text: "TRUNG TÂM PHỤC VỤ\nHÀNH CHÍNH CÔNG", align: "center", bold: true },
      { type: "text", text: "Trạm Công dân số", align: "center" },
      { type: "rule", line: "double" },
      { type: "text", text: "PHIẾU XÁC MINH\nDANH TÍNH", align: "center", bold: true, size: 2 },
      { type: "feed", lines: 1 },
      field("Họ và tên", person.name ?? words.notOnChip, true),
      field("Số căn cước", person.idNumber ? masked(person.idNumber) : words.notOnChip, true),
      field("Đọc thẻ lúc", instantText(reading.at)),
      { type: "rule", line: "dashed" },
      { type: "text", text: ` ${words.heads[head][0].toLocaleUpperCase("vi")} `, align: "center", bold: true, invert: true },
      { type: "feed", lines: 1 },
      {
        type: "table",
        columns: [{ weight: 11 }, { weight: 4, align: "right" }],
        rows: lines.map(({ name, state }) => [words.verdicts[name][state], words.states[state].toLocaleUpperCase("vi")]),
      },
      { type: "rule", line: "dashed" },
      ...(head === "good" ? [] : [{ type: "text", text: words.heads[head][1], align: "center", bold: true }]),
      { type: "text", text: "Phiếu này ghi lại kết quả đọc chip,\nkhông thay thế giấy tờ tùy thân.", align: "center" },
      { type: "rule", line: "solid" },
      { type: "text", text: `In lúc ${instantText(at)}`, align: "center" },
      { type: "feed", lines: 2 },
      { type: "cut", mode: "partial" },
    ],
  };
}
