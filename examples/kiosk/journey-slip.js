import { masked, personOf } from "./card-person.js";
import { answersOf, rowOf } from "./journey.js";
import { instantText } from "./slip.js";
import { formatVnd, textsIn } from "./texts.js";

/** A telephone number on paper that is left lying about. */
const hidden = (text) => text.replace(/^\d+(?=\d{3}$)/, (digits) => "•".repeat(digits.length));

/** The slip of a journey. Numbers are masked, and official paper is Vietnamese in either language of the page. */
export function journeySlipOf(view, at) {
  const { journey, identity } = view;
  const texts = textsIn("vi");
  const { journeys: words } = texts;
  const row = rowOf(journey);
  const person = identity?.reading ? personOf(identity.reading) : {};
  const field = ([label, text]) => ({
    type: "columns",
    columns: [
      { text: label, weight: 5 },
      { text, weight: 8, align: "right", bold: true },
    ],
  });
  const facts = [
    person.name && [words.name, person.name],
    person.idNumber && [words.idNumber, masked(person.idNumber)],
    ...answersOf(view, texts, "vi").map(([label, value]) => [label, hidden(value)]),
    journey.papers.length > 0 && [words.papersLabel, words.papersCount(journey.papers.length)],
    journey.photo && [words.photoLabel, words.photoTaken],
    journey.payment && [words.feeLabel, words.feePaid(formatVnd(journey.payment.amountVnd))],
  ];
  return {
    title: `${row.slip} ${journey.code}`,
    blocks: [
      { type: "text", text: "TRUNG TÂM PHỤC VỤ\nHÀNH CHÍNH CÔNG", align: "center", bold: true },
      { type: "text", text: "Trạm Công dân số", align: "center" },
      { type: "rule", line: "double" },
      { type: "text", text: row.slip, align: "center", bold: true, size: 2 },
      { type: "feed", lines: 1 },
      { type: "text", text: journey.code, align: "center", bold: true },
      { type: "qr", data: journey.code, moduleDots: 8, correction: "M", align: "center" },
      { type: "rule", line: "dashed" },
      { type: "text", text: `${row.title.vi}: ${row.note.vi}`, bold: true },
      ...facts.filter(Boolean).map(field),
      { type: "rule", line: "dashed" },
      { type: "text", text: row.next.vi, align: "center" },
      { type: "rule", line: "solid" },
      { type: "text", text: `In lúc ${instantText(at)}`, align: "center" },
      { type: "feed", lines: 2 },
      { type: "cut", mode: "partial" },
    ],
  };
}
