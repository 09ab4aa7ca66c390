import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareIdNumber, comparePrinted } from "./compare.js";
import type { CardDetailsRecord } from "./dg13.js";
import { isTransliterated } from "./names.js";
import type { VietnameseMrz } from "./vietnamese-mrz.js";

/** An invented person. */
const MRZ: VietnameseMrz = {
  text: "",
  documentNumber: "190000001",
  issuingState: "VNM",
  nationality: "VNM",
  name: "NGUYEN THI MAU",
  nameMayBeCut: false,
  birthDate: "1990-02-01",
  sex: "female",
  expiryDate: "2030-02-01",
  idNumber: "001190000001",
  checkDigits: true,
};
const DETAILS: CardDetailsRecord = {
  idNumber: "001190000001",
  name: "Nguyễn Thị Mẫu",
  birthDate: "1990-02-01",
  sex: "female",
  expiryDate: "2030-02-01",
  unknown: [],
};

describe("the scanned code against the chip", () => {
  it("is compared with DG13, else with the MRZ, else not", () => {
    expect(compareIdNumber("001190000001", DETAILS, undefined)).toBe("same");
    expect(compareIdNumber("001190000002", DETAILS, undefined)).toBe("different");
    expect(compareIdNumber("001190000001", undefined, MRZ)).toBe("same");
    expect(compareIdNumber("001190000002", undefined, MRZ)).toBe("different");
    expect(compareIdNumber("001190000002", { idNumber: "001190000002" }, MRZ)).toBe("same");
    expect(compareIdNumber(undefined, DETAILS, MRZ)).toBe("not_compared");
    expect(compareIdNumber("001190000001", undefined, undefined)).toBe("not_compared");
    expect(compareIdNumber("001190000001", undefined, {})).toBe("not_compared");
  });
});

describe("the MRZ against the printed details", () => {
  it("is the same where all that both say is", () => {
    const { idNumber: _, ...withoutNumber } = MRZ;
    expect(comparePrinted(MRZ, DETAILS)).toBe("same");
    expect(comparePrinted(withoutNumber, DETAILS)).toBe("same");
    expect(comparePrinted({ ...MRZ, birthDate: "1990" }, DETAILS)).toBe("same");
    expect(comparePrinted({ ...MRZ, sex: "unspecified" }, DETAILS)).toBe("same");
    expect(comparePrinted({ ...MRZ, expiryDate: "unlimited" }, { ...DETAILS, expiryDate: "unlimited" })).toBe("same");
    expect(comparePrinted(MRZ, { idNumber: "001190000001", name: "NGUYỄN THỊ MẪU", unknown: [] })).toBe("same");
  });
  it.each([
    ["number", { idNumber: "001190000002" }],
    ["birth date", { birthDate: "1990-02-02" }],
    ["sex", { sex: "male" }],
    ["expiry", { expiryDate: "unlimited" }],
    ["name", { name: "Nguyễn Thị Mận" }],
  ] as const)("is different in its %s alone", (_, change) => {
    expect(comparePrinted(MRZ, { ...DETAILS, ...change })).toBe("different");
    expect(comparePrinted({ ...MRZ, birthDate: "1991" }, DETAILS)).toBe("different");
  });
  it("is not compared where one is missing", () => {
    expect(comparePrinted(undefined, DETAILS)).toBe("not_compared");
    expect(comparePrinted(MRZ, undefined)).toBe("not_compared");
  });
});

describe("a transliterated name", () => {
  it.each([
    ["Đỗ Đình Đường", "DO DINH DUONG"],
    ["ĐỖ ĐÌNH ĐƯỜNG".normalize("NFD"), "DO DINH DUONG"],
    ["Ưng Hoàng Ỷ", "UNG HOANG Y"],
    ["H'Mẫu Niê-Kđăm", "H MAU NIE KDAM"],
    ["H’Mẫu Niê Kđăm", "HMAU NIE KDAM"],
    ["  Lê  Văn Mẫu ", "LE VAN MAU"],
  ])("of %s is %s", (printed, mrz) => {
    expect(isTransliterated(printed, mrz, false)).toBe(true);
  });
  it("of every letter is without its marks", () => {
    const vowels = { A: "AĂÂ", E: "EÊ", I: "I", O: "OÔƠ", U: "UƯ", Y: "Y", D: "Đ" };
    for (const [plain, letters] of Object.entries(vowels)) {
      for (const letter of letters) {
        for (const tone of ["", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"]) {
          const written = (letter + tone).normalize("NFC");
          expect(isTransliterated(`${written}${written.toLowerCase()}`, plain + plain, false), written).toBe(true);
        }
      }
    }
  });
  it("is another one by one letter, and by a missing word", () => {
    expect(isTransliterated("Lê Văn Mẫu", "LE VAN MAN", false)).toBe(false);
    expect(isTransliterated("Lê Văn Mẫu", "LE VAN", false)).toBe(false);
    expect(isTransliterated("Lê Văn", "LE VAN MAU", true)).toBe(false);
    expect(isTransliterated("Lê Văn Mẫu", "", true)).toBe(false);
  });
  it("that fills its line may have lost its end, or its words theirs", () => {
    expect(isTransliterated("Nguyễn Hoàng Phương Mẫu Thượng Uyển", "NGUYEN HOANG PHUONG MAU THUON", true)).toBe(true);
    expect(isTransliterated("Nguyễn Hoàng Phương Mẫu Thượng Uyển", "NGUYEN HOANG PHUONG MAU TH U", true)).toBe(true);
    expect(isTransliterated("Nguyễn Hoàng Phương Mẫu Thượng Uyển", "NGUYEN HOANG PHUONG MAU THUON", false)).toBe(false);
    expect(isTransliterated("Nguyễn Hoàng Phương Mẫu Thượng Uyển", "NGUYEN HOANG PHUONG NAU THUON", true)).toBe(false);
  });
  it("any two texts are compared without a throw; a name is its own, cut anywhere", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), fc.boolean(), (a, b, cut) => {
        expect(isTransliterated(a, b, cut)).toBe(isTransliterated(a.normalize("NFD"), b, cut));
      }),
    );
    const word = fc.string({ unit: fc.constantFrom(..."ABCĐÊƠỰ"), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), fc.nat(30), (words, cut) => {
        const name = words.join(" ");
        expect(isTransliterated(name, name, false)).toBe(true);
        expect(isTransliterated(name, name.slice(0, cut + 1), true)).toBe(true);
      }),
    );
  });
});
