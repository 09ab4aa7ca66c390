import { describe, expect, it } from "vitest";
import { languageOf, speak } from "./language.js";
import { english, type Translate, translator } from "./translate.js";
import { vietnamese } from "./vi/index.js";

describe("the language", () => {
  it.each([
    [[], {}, "en"],
    [[], { LANG: "vi_VN.UTF-8" }, "vi"],
    [[], { LANG: "vi" }, "vi"],
    [[], { LANG: "vi_VN.UTF-8", LC_MESSAGES: "en_US.UTF-8" }, "en"],
    [[], { LANG: "en_US.UTF-8", LC_MESSAGES: "vi_VN" }, "vi"],
    [[], { LC_ALL: "C", LC_MESSAGES: "vi_VN", LANG: "vi_VN" }, "en"],
    [[], { LC_ALL: "POSIX", LANG: "vi_VN" }, "en"],
    [[], { LC_ALL: "", LC_MESSAGES: "", LANG: "vi_VN" }, "vi"],
    [[], { LANG: "fr_FR.UTF-8" }, "en"],
    [[], { LANG: "constructor" }, "en"],
    [[], { LC_ALL: "en_US.UTF-8", STATIOND_LANG: "vi" }, "vi"],
    [[], { STATIOND_LANG: "xx", LANG: "vi_VN" }, "en"],
    [["--lang", "vi", "devices"], { LC_ALL: "C" }, "vi"],
    [["devices", "--lang=vi"], {}, "vi"],
    [["devices", "--lang", "en"], { STATIOND_LANG: "vi" }, "en"],
    [["devices", "--lang", "en", "--lang", "vi"], {}, "vi"],
    [["print", "--", "--lang", "vi"], {}, "en"],
    [["devices", "--lang"], { LANG: "vi" }, "vi"],
  ] as const)("of %j with %j is %s", (args, env, language) => expect(languageOf(args, env)).toBe(language));

  it("of the code looks nothing up", async () => expect(await speak("en")).toBe(english));
});

const catalogue = {
  templates: { "{0} at {1}": "{0} tại {1}" },
  texts: {
    "Close the cover": "Đóng nắp",
    "{0} is missing": "thiếu {0}",
    "Install {0}": "Cài {0}",
    "Install {0} on {1}": "Trên {1}, cài {0}",
    "expected {0}, got {1}": "cần {0!}, nhưng là {1!}",
    "a number{0}": "một số{0!}",
    "from {0} to {1}": "từ {0} đến {1}",
    "{0}{1} and {2}, {3}, {4}": "{4}{3}{2}{1}{0}",
  },
};
const t: Translate = translator(catalogue);

describe("a translation", () => {
  it("of a template is found by its words, with the white space around it", () => {
    expect(t`  Close the cover\n`).toBe("  Đóng nắp\n");
    expect(t`${"printer"} at ${3}`).toBe("printer tại 3");
    expect(t`nobody knows ${"this"}`).toBe("nobody knows this");
    expect(english`  ${1} at ${2}\n`).toBe("  1 at 2\n");
  });

  it("of a text is found by what it looks like", () => {
    expect(t("Close the cover")).toBe("Đóng nắp");
    expect(t("Install ffmpeg")).toBe("Cài ffmpeg");
    expect(t("\tInstall ffmpeg on kiosk on Monday\n")).toBe("\tTrên kiosk on Monday, cài ffmpeg\n");
    expect(t("/etc/x is missing")).toBe("thiếu /etc/x");
    expect(t("expected a number from 1 to 5, got Close the cover")).toBe("cần một số từ 1 đến 5, nhưng là Đóng nắp");
  });

  it("of a text is found between who says it and a code", () => {
    expect(t("pcsc ACS 1: Close the cover (0x1f)")).toBe("pcsc ACS 1: Đóng nắp (0x1f)");
    expect(t("receipt: Install ffmpeg")).toBe("receipt: Cài ffmpeg");
    expect(t("Close the cover (now)")).toBe("Đóng nắp (now)");
    expect(t("a: b: Close the cover")).toBe("a: b: Close the cover");
  });

  it("of what is not known is the text itself", () => {
    for (const text of [
      "",
      " ",
      "Close the door",
      "Install ",
      " is missing",
      "Close the cover!",
      "printer at 3",
      "__proto__",
      "constructor",
    ]) {
      expect(t(text)).toBe(text);
    }
  });

  it("takes a value for a value, whatever it looks like", () => {
    expect(t("Install {1} on {0}")).toBe("Trên {0}, cài {1}");
    expect(t`${"{1}"} at ${"{0!}"}`).toBe("{1} tại {0!}");
    expect(t("Close the cover is missing")).toBe("thiếu Close the cover");
    expect(t("Install $& on $1")).toBe("Trên $1, cài $&");
  });

  it("of hostile texts ends, and leaves what is too long as it is", () => {
    const long = `${"Install on on on ".repeat(5_000)} is missing`;
    expect(t(long)).toBe(long);
    const endless = `Install ${"x".repeat(500)}`;
    expect(t(endless)).toBe(endless);
    const nested = "expected ".repeat(200) + ", got ".repeat(30);
    expect(t(nested)).toContain("got");
    const vietnameseWords = translator(vietnamese);
    for (const text of [", ".repeat(900), "and , and ".repeat(190), ": ".repeat(990), "expected , got ".repeat(130)]) {
      expect(typeof vietnameseWords(text)).toBe("string");
    }
  });
});
