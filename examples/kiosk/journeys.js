/**
 * What a citizen can do here, one row each: add a row, and it is on the start screen.
 *
 * - `id`: lower-case letters; `picture`: an icon of dom.js; `title`, `note`: of its tile
 * - `steps`: any of `find`, `identify`, `form`, `papers`, `photo`, `doctor`, `pay`, `slip`, in this order
 * - `fields`: of the form; those of the card are shown as they are, the others are asked for
 * - `papers`: what to bring; `photo`: `face`, beside the chip's portrait, or `thing`; `feeVnd`: what `pay` asks for
 * - `slip`: the headline of the paper; `next`: what happens then
 */
const PHONE = { name: "phone", kind: "digits", digits: 10, pattern: /^0\d{9}$/ };
const RESIDENCE = { name: "residence", kind: "text", from: "residence" };
const CARD = ["name", "idNumber", "birthDate", "sex"];
const choice = (name, label, options) => ({ name, kind: "choice", label, options });

export const JOURNEYS = [
  {
    id: "dossier",
    picture: "document",
    title: { vi: "Nộp hồ sơ hành chính", en: "File a dossier" },
    note: { vi: "Đăng ký tạm trú", en: "Registration of temporary residence" },
    steps: ["identify", "form", "papers", "photo", "pay", "slip"],
    card: CARD,
    fields: [RESIDENCE, PHONE],
    papers: [
      { vi: "Tờ khai thay đổi thông tin cư trú", en: "Declaration of change of residence" },
      { vi: "Giấy tờ về chỗ ở hợp pháp", en: "Proof of lawful housing" },
    ],
    photo: "face",
    feeVnd: 15_000,
    slip: "GIẤY TIẾP NHẬN HỒ SƠ",
    next: {
      vi: "Cán bộ xem hồ sơ trong 3 ngày làm việc và nhắn tin cho bạn.",
      en: "An officer looks at it within 3 working days and texts you.",
    },
  },
  {
    id: "bill",
    picture: "bankCard",
    title: { vi: "Thanh toán hóa đơn", en: "Pay a bill" },
    note: { vi: "Tiền điện, tiền nước, học phí", en: "Electricity, water, school fees" },
    steps: ["find", "pay"],
  },
  {
    id: "health",
    picture: "shield",
    title: { vi: "Bảo hiểm y tế", en: "Health insurance" },
    note: { vi: "Gia hạn thẻ hộ gia đình", en: "Renew a household's card" },
    steps: ["identify", "form", "papers", "pay", "slip"],
    card: CARD,
    fields: [
      choice("months", { vi: "Thời hạn", en: "Period" }, [
        { vi: "12 tháng", en: "12 months" },
        { vi: "6 tháng", en: "6 months" },
      ]),
      PHONE,
    ],
    papers: [{ vi: "Thẻ bảo hiểm y tế cũ", en: "Your old insurance card" }],
    feeVnd: 631_800,
    slip: "GIẤY HẸN THẺ BẢO HIỂM Y TẾ",
    next: { vi: "Thẻ mới có hiệu lực khi cơ quan bảo hiểm xác nhận.", en: "The new card is valid once the insurance has confirmed it." },
  },
  {
    id: "doctor",
    picture: "heart",
    title: { vi: "Khám bệnh từ xa", en: "See a doctor" },
    note: { vi: "Nói chuyện với bác sĩ qua màn hình", en: "Talk to a doctor on the screen" },
    steps: ["identify", "form", "doctor", "slip"],
    card: CARD,
    fields: [
      choice("complaint", { vi: "Bạn thấy khó chịu thế nào?", en: "What troubles you?" }, [
        { vi: "Sốt, ho", en: "Fever, cough" },
        { vi: "Đau đầu", en: "Headache" },
        { vi: "Huyết áp", en: "Blood pressure" },
        { vi: "Điều khác", en: "Something else" },
      ]),
      PHONE,
    ],
    slip: "PHIẾU HẸN KHÁM",
    next: { vi: "Mang phiếu này đến trạm y tế nếu bác sĩ dặn.", en: "Take this slip to the health station if the doctor told you so." },
  },
  {
    id: "sim",
    picture: "phone",
    title: { vi: "Xác thực thuê bao SIM", en: "Register a SIM" },
    note: { vi: "Chính chủ số điện thoại của bạn", en: "Make a telephone number yours" },
    steps: ["identify", "form", "photo", "slip"],
    card: CARD,
    fields: [{ ...PHONE, label: { vi: "Số thuê bao cần xác thực", en: "Number to register" } }],
    photo: "face",
    slip: "PHIẾU XÁC THỰC THUÊ BAO",
    next: { vi: "Nhà mạng nhắn tin xác nhận trong 24 giờ.", en: "The operator confirms by text within 24 hours." },
  },
  {
    id: "incident",
    picture: "horn",
    title: { vi: "Phản ánh sự việc", en: "Report an incident" },
    note: { vi: "Kèm ảnh, không cần căn cước", en: "With a picture, no ID card needed" },
    steps: ["form", "photo", "slip"],
    fields: [
      choice("kind", { vi: "Việc gì?", en: "What is it?" }, [
        { vi: "Đường, vỉa hè hỏng", en: "Broken road or pavement" },
        { vi: "Rác, nước thải", en: "Waste, sewage" },
        { vi: "Đèn đường tắt", en: "Street light out" },
        { vi: "Việc khác", en: "Something else" },
      ]),
      choice("place", { vi: "Ở đâu?", en: "Where?" }, [
        { vi: "Phường Mẫu", en: "Mẫu ward" },
        { vi: "Phường Thử", en: "Thử ward" },
        { vi: "Xã Ví Dụ", en: "Ví Dụ commune" },
        { vi: "Nơi khác", en: "Elsewhere" },
      ]),
      { name: "note", kind: "text", optional: true, label: { vi: "Bạn muốn nói thêm gì?", en: "Anything to add?" } },
      { ...PHONE, optional: true },
    ],
    photo: "thing",
    slip: "PHIẾU TIẾP NHẬN PHẢN ÁNH",
    next: { vi: "Kết quả xử lý được công khai theo mã trên phiếu.", en: "What came of it is published under the code on the slip." },
  },
];

const FEE_CODE = /^PHI-([A-Z]+)-2026-\d{6}$/;
/** One visit's code: nothing of the citizen is in it. */
export function newCode(id) {
  const number = crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
  return `PHI-${id.toUpperCase()}-2026-${String(number).padStart(6, "0")}`;
}

/** The fee that this code stands for, as `payableOf` has it; undefined for any other code. */
export function feeOf(code) {
  const [, id] = FEE_CODE.exec(code) ?? [];
  const row = JOURNEYS.find((journey) => journey.feeVnd && journey.id.toUpperCase() === id);
  return (
    row && {
      code,
      title: row.title,
      payer: undefined,
      issuer: { vi: "Trung tâm Phục vụ hành chính công (giả lập)", en: "Public Administration Service Centre (invented)" },
      period: undefined,
      amountVnd: row.feeVnd,
      description: `${row.title.vi} ${code.slice(-6)}`,
    }
  );
}
