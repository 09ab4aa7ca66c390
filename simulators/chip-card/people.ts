import { z } from "../../src/kernel/schema.js";

const date = z.iso.date();

/** What is printed on a citizen's card and stored in its chip. All the people here are invented. */
export const Person = z.strictObject({
  /** 12 digits: province, century and sex, year of birth, six more. */
  id: z.string().regex(/^\d{12}$/),
  /** The former number of 9 digits. */
  oldId: z
    .string()
    .regex(/^\d{9}$/)
    .optional(),
  name: z.string().min(1).max(100),
  born: date,
  sex: z.enum(["male", "female"]),
  nationality: z.string().max(60).default("Việt Nam"),
  ethnicity: z.string().max(60).default("Kinh"),
  religion: z.string().max(60).default("Không"),
  origin: z.string().max(200),
  residence: z.string().max(200),
  marks: z.string().max(200),
  issued: date,
  /** Absent: the card never expires. */
  expires: date.optional(),
  father: z.string().max(100).optional(),
  mother: z.string().max(100).optional(),
  spouse: z.string().max(100).optional(),
});
export type Person = z.output<typeof Person>;

export const PEOPLE: readonly Person[] = [
  Person.parse({
    id: "001190412345",
    oldId: "012987654",
    name: "Nguyễn Thị Thử Nghiệm",
    born: "1990-05-17",
    sex: "female",
    origin: "Xã Mẫu Một, Huyện Ví Dụ, Hà Nội",
    residence: "Số 12, Phố Thử, Phường Mẫu, Hà Nội",
    marks: "Nốt ruồi C: 1cm dưới sau mắt trái",
    issued: "2021-06-01",
    expires: "2030-05-17",
    father: "Nguyễn Văn Mẫu",
    mother: "Trần Thị Ví Dụ",
    spouse: "Lê Văn Thử",
  }),
  Person.parse({
    id: "079205098765",
    name: "Đặng Quốc Mẫu",
    born: "2005-11-30",
    sex: "male",
    religion: "Phật giáo",
    origin: "Xã Ví Dụ, Đồng Tháp",
    residence: "Căn hộ 3.14, Đường Thử Nghiệm, Thành phố Hồ Chí Minh",
    marks: "Sẹo chấm C: 2cm trên trước đầu lông mày phải",
    issued: "2022-01-15",
    expires: "2030-11-30",
    father: "Đặng Văn Ví",
    mother: "Phạm Thị Dụ",
  }),
  Person.parse({
    id: "048048000321",
    oldId: "200123456",
    name: "Trần Văn Vô Hạn",
    born: "1948-02-03",
    sex: "male",
    origin: "Phường Mẫu, Đà Nẵng",
    residence: "Thôn Ví Dụ, Xã Thử, Đà Nẵng",
    marks: "Nốt ruồi C: 3cm trên sau cánh mũi trái",
    issued: "2021-09-09",
    father: "Trần Văn Xưa",
    mother: "Hồ Thị Cũ",
    spouse: "Võ Thị Mẫu",
  }),
  Person.parse({
    id: "066312007007",
    name: "H’Thử Niê Kdăm Rất Dài Để Cắt Bớt Ở Dòng Ba",
    born: "2012-08-08",
    sex: "female",
    ethnicity: "Ê Đê",
    religion: "Tin Lành",
    origin: "Buôn Ví Dụ, Đắk Lắk",
    residence: "Buôn Mẫu, Đắk Lắk",
    marks: "Không",
    issued: "2024-08-01",
    expires: "2026-08-08",
    mother: "H’Mẫu Niê Kdăm",
  }),
];

const dayMonthYear = (iso: string, separator: string): string => iso.split("-").reverse().join(separator);

/** The text of the QR code that is printed on the card: 6 fields without the date of issue, 10 as on cards since 2024. */
export function qrText(person: Person, fields: 6 | 7 | 10): string {
  const seven = [
    person.id,
    person.oldId ?? "",
    person.name,
    dayMonthYear(person.born, ""),
    person.sex === "male" ? "Nam" : "Nữ",
    person.residence,
    dayMonthYear(person.issued, ""),
  ];
  const more = [person.father ?? "", person.mother ?? "", person.expires ? dayMonthYear(person.expires, "") : ""];
  return [...seven, ...more].slice(0, fields).join("|");
}

export const slashed = (iso: string): string => dayMonthYear(iso, "/");
/** The card's access number: the last six digits of its number. */
export const canOf = ({ id }: Person): string => id.slice(-6);
