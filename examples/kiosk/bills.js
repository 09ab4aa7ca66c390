/** What can be paid: invented bills of invented people, and the fees of dossiers and journeys. */
import { dossierOf } from "./dossiers.js";
import { feeOf } from "./journeys.js";

const KINDS = {
  DIEN: {
    title: { vi: "Tiền điện", en: "Electricity" },
    issuer: { vi: "Công ty Điện lực (giả lập)", en: "Power company (invented)" },
    period: { vi: "Kỳ tháng 10/2026", en: "October 2026" },
    from: 180_000,
  },
  NUOC: {
    title: { vi: "Tiền nước", en: "Water" },
    issuer: { vi: "Công ty Cấp nước (giả lập)", en: "Water company (invented)" },
    period: { vi: "Kỳ tháng 10/2026", en: "October 2026" },
    from: 60_000,
  },
  HOCPHI: {
    title: { vi: "Học phí", en: "School fees" },
    issuer: { vi: "Trường THCS (giả lập)", en: "Secondary school (invented)" },
    period: { vi: "Tháng 11/2026", en: "November 2026" },
    from: 300_000,
  },
};
/** Nobody's: picked by the last digit. */
const PEOPLE = [
  "Lê Thị Thử",
  "Phạm Văn Giả",
  "Hoàng Thị Mẫu",
  "Vũ Quốc Đĩnh",
  "Đặng Thuỳ Ngọc",
  "Bùi Minh Thử",
  "Đỗ Thị Hường",
  "Ngô Văn Mẫu",
  "Dương Ánh Tuyết",
  "Lý Hoài Giả",
];

export const BILL_KINDS = Object.entries(KINDS).map(([kind, { title }]) => ({ prefix: `HD-${kind}-2026-`, title }));
const BILL_PATTERN = /^HD-(DIEN|NUOC|HOCPHI)-2026-(\d{6})$/;

/**
 * What this code stands for, to be paid: `{ code, title, payer, issuer, period, amountVnd, description }`; undefined for
 * any other code and for dossiers without a fee. Every bill number is somebody's, so that a demo never runs out of bills.
 */
export function payableOf(code) {
  const [, kind, digits] = BILL_PATTERN.exec(code) ?? [];
  if (kind) {
    const { from, ...words } = KINDS[kind];
    const number = Number(digits);
    const payer = PEOPLE[number % PEOPLE.length];
    return { code, ...words, payer, amountVnd: from + 1_000 * ((number * 7) % 331), description: `${words.title.vi} ${digits}` };
  }
  const fee = feeOf(code);
  if (fee) return fee;
  const dossier = dossierOf(code);
  if (!dossier || dossier.feeVnd === 0 || dossier.feePaid) return undefined;
  return {
    code,
    title: { vi: `Lệ phí: ${dossier.procedure.vi}`, en: `Fee: ${dossier.procedure.en}` },
    payer: dossier.applicant,
    issuer: dossier.office,
    period: undefined,
    amountVnd: dossier.feeVnd,
    description: `Lệ phí hồ sơ ${code}`,
  };
}

/** What the panel can hold before the simulated scanner. */
export const SAMPLE_BILLS = [
  { label: "Tiền điện", note: "HD-DIEN-2026-000123", text: "HD-DIEN-2026-000123" },
  { label: "Tiền nước", note: "HD-NUOC-2026-000456", text: "HD-NUOC-2026-000456" },
  { label: "Học phí", note: "HD-HOCPHI-2026-000789", text: "HD-HOCPHI-2026-000789" },
];
