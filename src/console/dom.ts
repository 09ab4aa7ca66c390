type Child = Node | string | null | undefined | false;
type Attribute = string | number | boolean | null | undefined;

export interface Props {
  readonly text?: string;
  readonly on?: { readonly [E in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[E]) => void };
  readonly [attribute: string]: unknown;
}

/** One element. `text` is never parsed as HTML; an attribute that is false, null or undefined is left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { text, on = {}, ...attributes }: Props = {},
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  setAll(element, attributes as Readonly<Record<string, Attribute>>);
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener as EventListener);
  if (text !== undefined) element.textContent = text;
  element.append(...present(children));
  return element;
}

/** The same of a drawing. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAll(element, attributes);
  element.append(...present(children));
  return element;
}

export function button(text: string, onClick: () => void, attributes: Readonly<Record<string, Attribute>> = {}): HTMLButtonElement {
  return h("button", { type: "button", text, on: { click: onClick }, ...attributes });
}

/** Writes only what is another text: a screen reader is not told the same twice, and a selection stays. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** The same elements in the same order are left alone, with focus and what was typed into them. */
export function arrange(parent: Element, children: readonly Element[]): void {
  const same = parent.children.length === children.length && children.every((child, index) => parent.children[index] === child);
  if (!same) parent.replaceChildren(...children);
}

/** Only what is shown; a picture that is wiped is nowhere. */
export async function paint(canvas: HTMLCanvasElement, picture: Blob): Promise<void> {
  const bitmap = await createImageBitmap(picture);
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  bitmap.close();
}

export function wipe(canvas: HTMLCanvasElement): void {
  canvas.width = 0;
  canvas.height = 0;
}

function setAll(element: Element, attributes: Readonly<Record<string, Attribute>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : String(value));
  }
}

const present = (children: readonly (Child | readonly Child[])[]): (Node | string)[] =>
  children.flat().filter((child) => child !== null && child !== undefined && child !== false);
