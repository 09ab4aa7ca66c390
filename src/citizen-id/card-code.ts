import { isoDate } from "./dates.js";
import { idNumberFits, readIdNumber, type Sex } from "./id-number.js";

/** What the QR code on a citizen's ID card says. Dates are ISO 8601, texts NFC. */
export interface CitizenCard {
  /** 12 digits. */
  readonly idNumber: string;
  /** 9 digits. */
  readonly oldIdNumber?: string;
  readonly name: string;
  readonly birthDate: string;
  readonly sex: Sex;
  readonly address: string;
  readonly issueDate?: string;
  /** The number agrees with birth year and sex. */
  readonly idNumberFits: boolean;
  /** Fields after the seventh, as they are: the card of 2024 has more, and their order is not published. */
  readonly extra: string[];
}

const LIMIT_CHARACTERS = 1_024;

/** `ddMMyyyy` of a real day as `yyyy-MM-dd`. */
function dateOf(digits: string): string | undefined {
  return isoDate(digits.slice(4), digits.slice(2, 4), digits.slice(0, 2));
}

/** Text of a person: something is there, no control character, and nothing that did not decode. */
function isText(text: string): boolean {
  return text.trim() !== "" && !/[\p{Cc}\u{fffd}]/u.test(text);
}

const SEXES: Readonly<Record<string, Sex>> = { Nam: "male", Nữ: "female" };

/**
 * Reads `id|old 9-digit ID|name|ddMMyyyy|Nam or Nữ|address|ddMMyyyy of issue`, where the seventh field may be missing
 * and more may follow. Undefined where the text is no card code: every field that is read is checked.
 */
export function parseCardCode(text: string): CitizenCard | undefined {
  if (text.length > LIMIT_CHARACTERS) return undefined;
  // Cards were written with composed and with decomposed letters; only one form compares equal.
  const [idNumber = "", oldIdNumber = "", name = "", born = "", sexWord = "", address = "", issued = ""] = text.normalize("NFC").split("|");
  const birthDate = dateOf(born);
  const issueDate = dateOf(issued);
  const sex = Object.hasOwn(SEXES, sexWord) ? SEXES[sexWord] : undefined;
  if (!readIdNumber(idNumber) || !birthDate || !sex || !isText(name) || !isText(address)) return undefined;
  if (oldIdNumber !== "" && !/^\d{9}$/.test(oldIdNumber)) return undefined;
  if (issued !== "" && !issueDate) return undefined;
  return {
    idNumber,
    ...(oldIdNumber === "" ? {} : { oldIdNumber }),
    name,
    birthDate,
    sex,
    address,
    ...(issueDate ? { issueDate } : {}),
    idNumberFits: idNumberFits(idNumber, birthDate, sex),
    extra: text.split("|").slice(7),
  };
}
