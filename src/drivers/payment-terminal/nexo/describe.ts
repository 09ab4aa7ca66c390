import type { Describe } from "../../../contracts/driver.js";
import { z } from "../../../kernel/schema.js";
import { CATEGORIES } from "./messages.js";

/** Outside the seal, where anybody could have written it: words of our own list are repeated, nothing else. */
const Header = z.object({
  MessageHeader: z.object({
    MessageCategory: z.enum([...CATEGORIES, "Display", "Event"]),
    MessageType: z.enum(["Request", "Response", "Notification"]),
  }),
});
const Outer = z.union([z.object({ SaleToPOIRequest: Header }), z.object({ SaleToPOIResponse: Header })]);
/** Longer ones are not read to be described. */
const MOST_BYTES = 1024 * 1024;

function sealed(bytes: Uint8Array): string {
  const parsed = Outer.safeParse(bytes.length > MOST_BYTES ? undefined : json(bytes));
  if (!parsed.success) return `${bytes.length} bytes`;
  const { MessageHeader: header } = "SaleToPOIRequest" in parsed.data ? parsed.data.SaleToPOIRequest : parsed.data.SaleToPOIResponse;
  return `${header.MessageCategory} ${header.MessageType}, sealed, ${bytes.length} bytes`;
}

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

export function describe(): Describe {
  return ({ what, bytes }) => {
    if (what.startsWith("notice ")) return [`notice: ${sealed(bytes)}`];
    const [, number = "", verb = ""] = /^#(\d{1,9}) (\w{1,10})/.exec(what) ?? [];
    if (verb === "failed") return [`${number}: no answer`];
    return [`${number}: ${verb} ${sealed(bytes)}`];
  };
}
