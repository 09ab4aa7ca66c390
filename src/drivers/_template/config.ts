import { z } from "../../kernel/schema.js";

/** A strict object, so that a misspelt setting is an error. Every setting has a default or is truly needed; units in names. */
export const TemplateConfig = z.strictObject({
  maxCodeBytes: z.int().min(16).max(65_536).default(4_096).describe("a longer code is dropped"),
});
