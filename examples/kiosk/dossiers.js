/** Invented dossiers of invented people: the demo asks no other system. */
const steps = (office, dates) =>
  [
    { vi: "Tiếp nhận hồ sơ", en: "Dossier received" },
    { vi: "Thẩm định", en: "Examination" },
    { vi: "Phê duyệt kết quả", en: "Approval" },
    { vi: "Trả kết quả", en: "Result handed out" },
  ].map((title, index) => ({ title, date: dates[index], where: index === 0 || index === 3 ? DESK : office }));

const DESK = { vi: "Bộ phận Một cửa", en: "One-stop desk" };
const LAND = { vi: "Chi nhánh Văn phòng Đăng ký đất đai", en: "Land Registration Branch" };
const JUSTICE = { vi: "Phòng Tư pháp – Hộ tịch", en: "Civil Status Office" };
const BUSINESS = { vi: "Phòng Kinh tế", en: "Economic Office" };

const DOSSIERS = [
  {
    code: "HS-2026-000123",
    procedure: { vi: "Cấp đổi Giấy chứng nhận quyền sử dụng đất", en: "Exchange of a land use right certificate" },
    applicant: "Nguyễn Thị Ánh Tuyết",
    office: LAND,
    submitted: "2026-11-02",
    due: "2026-11-30",
    feeVnd: 100_000,
    feePaid: true,
    done: 2,
    steps: steps(LAND, ["2026-11-02", "2026-11-12"]),
    bring: {
      vi: ["Giấy biên nhận", "Giấy chứng nhận cũ (bản chính)", "Căn cước"],
      en: ["Receipt", "Old certificate (original)", "ID card"],
    },
  },
  {
    code: "HS-2026-000457",
    procedure: { vi: "Đăng ký khai sinh", en: "Birth registration" },
    applicant: "Trần Quốc Đĩnh",
    office: JUSTICE,
    submitted: "2026-11-18",
    due: "2026-11-23",
    feeVnd: 0,
    done: 3,
    steps: steps(JUSTICE, ["2026-11-18", "2026-11-19", "2026-11-20"]),
    bring: { vi: ["Giấy biên nhận", "Căn cước"], en: ["Receipt", "ID card"] },
  },
  {
    code: "HS-2026-000789",
    procedure: { vi: "Đăng ký thành lập hộ kinh doanh", en: "Registration of a household business" },
    applicant: "Lý Thuỷ Ngọc Hường",
    office: BUSINESS,
    submitted: "2026-11-20",
    due: "2026-11-27",
    feeVnd: 100_000,
    done: 1,
    steps: steps(BUSINESS, ["2026-11-20"]),
    bring: { vi: ["Giấy biên nhận", "Căn cước", "Hợp đồng thuê địa điểm"], en: ["Receipt", "ID card", "Lease of the premises"] },
  },
];

export const CODE_PREFIX = "HS-2026-";
export const CODE_PATTERN = /^HS-\d{4}-\d{6}$/;

export const dossierOf = (code) => DOSSIERS.find((dossier) => dossier.code === code);

/** What the panel can hold before the simulated scanner. */
export const SAMPLE_CODES = [
  ...DOSSIERS.map(({ code, procedure }) => ({ label: code, note: procedure.vi, text: code })),
  {
    label: "Thẻ căn cước",
    note: "người không có thật",
    text: "001190000017|012345678|Nguyễn Thị Thử Nghiệm|15081990|Nữ|Số 1 Phố Không Có Thật, Hà Nội|01062021",
  },
  {
    label: "VietQR",
    note: "mã thanh toán",
    text: "00020101021238530010A0000007270123000697041601092576788590208QRIBFTTA5303704540410005802VN62150811Chuyen tien6304BBB8",
  },
  { label: "Mã lạ", note: "không phải hồ sơ", text: "https://example.org/khong-phai-ho-so" },
];
