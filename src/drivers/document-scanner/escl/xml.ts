import { DOMParser, type Element as DomElement } from "@xmldom/xmldom";
import { DeviceError } from "../../../kernel/errors.js";

/** An element of eSCL or of the PWG model. Its name is without a prefix: every maker has prefixes of his own. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Its own text, without that of its children. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** Real ones stay below 50 kB and a thousand `<`. */
const MOST_BYTES = 256 * 1024;
/** The parser's time grows with the square of elements side by side, and of attributes: a tenth of a second at worst. */
const MOST_MARKS = 4_000;
const MOST_ATTRIBUTES = 1_000;
const MOST_DEPTH = 32;

/** Of each several versions are about; makers also mix up which element is in which. */
const NAMESPACES = ["http://schemas.hp.com/imaging/escl/", "http://www.pwg.org/schemas/"];
const ELEMENT = 1;
const TEXT = 3;
const CDATA = 4;

/**
 * The document, whose outermost element must be `root`. Elements of other namespaces are left out.
 * @throws DeviceError `device_fault` on whatever is no such document, or too much of one; what it says is in no message
 */
export function readXml(bytes: Uint8Array, root: string): XmlElement {
  const text = new TextDecoder().decode(bytes.subarray(0, MOST_BYTES + 1));
  if (bytes.length > MOST_BYTES || !isModest(text)) throw unreadable(root, "is more than a scanner has to say");
  // Entities are the way to make much of little: no scanner needs any.
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw unreadable(root, "brings a document type of its own");
  const top = parse(text);
  const element = top && convert(top, 0);
  if (element?.name !== root) throw unreadable(root, "is not what eSCL says");
  return element;
}

/** Whether the parser can be let loose on it. */
function isModest(text: string): boolean {
  if (text.split("<").length > MOST_MARKS || text.split("=").length > MOST_ATTRIBUTES) return false;
  let depth = 0;
  for (const [tag] of text.matchAll(/<[^!?<>][^<>]*>/g)) {
    if (tag.startsWith("</")) depth -= 1;
    else if (!tag.endsWith("/>")) depth += 1;
    if (depth > MOST_DEPTH) return false;
  }
  return true;
}

function parse(text: string): DomElement | undefined {
  const onError = (_level: string, message: string): never => {
    throw new RangeError(message);
  };
  try {
    return new DOMParser({ onError, locator: false }).parseFromString(text.trimStart(), "text/xml").documentElement ?? undefined;
  } catch {
    return undefined;
  }
}

function convert(element: DomElement, depth: number): XmlElement | undefined {
  const namespace = element.namespaceURI ?? "";
  if (depth > MOST_DEPTH || !NAMESPACES.some((known) => namespace.startsWith(known))) return undefined;
  const attributes = new Map<string, string>();
  for (const { localName, value } of element.attributes) if (localName) attributes.set(localName, value);
  const children: XmlElement[] = [];
  let text = "";
  for (let child = element.firstChild; child; child = child.nextSibling) {
    if (child.nodeType === TEXT || child.nodeType === CDATA) text += child.nodeValue ?? "";
    const converted = child.nodeType === ELEMENT ? convert(child as DomElement, depth + 1) : undefined;
    if (converted) children.push(converted);
  }
  return { name: element.localName ?? "", attributes, text: text.trim(), children };
}

function unreadable(root: string, why: string): DeviceError {
  return new DeviceError("device_fault", {
    message: `the scanner's ${root} ${why}`,
    hint: "Check in link that this is the address of the scanner and of its eSCL (AirScan, Mopria) service",
  });
}

export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((candidate) => candidate.name === name);
}

/** All elements of these names, at any depth, in their order. */
export function descendants(element: XmlElement | undefined, ...names: readonly string[]): XmlElement[] {
  return (element?.children ?? []).flatMap((inner) => [...(names.includes(inner.name) ? [inner] : []), ...descendants(inner, ...names)]);
}

/** A whole number from 1 to `most`; undefined where there is none. */
export function count(element: XmlElement | undefined, name: string, most = 1_000_000): number | undefined {
  const { text } = child(element, name) ?? { text: "" };
  const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= most ? value : undefined;
}

/** One line for people, without what could upset a terminal. */
export function line(element: XmlElement | undefined, name: string): string | undefined {
  const text = child(element, name)
    ?.text.replaceAll(/[\p{C}\s]+/gu, " ")
    .trim();
  return text ? text.slice(0, 120) : undefined;
}
