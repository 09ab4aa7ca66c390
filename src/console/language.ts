import { english, type Translate, translator } from "../languages/translate.js";

export type Language = "en" | "vi";

/** What the browser is set to, as far as this page speaks it. */
export const browserLanguage = (): Language => (navigator.language.toLowerCase().startsWith("vi") ? "vi" : "en");

/** Errors, hints and findings come in English from the agent: the catalogue of the commands knows them. Loaded where it is spoken. */
export async function speak(language: Language): Promise<Translate> {
  if (language === "en") return english;
  const [{ vietnamese }, { pageInVietnamese }] = await Promise.all([import("../languages/vi/index.js"), import("./vietnamese.js")]);
  return translator({ templates: { ...vietnamese.templates, ...pageInVietnamese }, texts: vietnamese.texts });
}
