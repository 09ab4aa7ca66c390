/** Vietnamese letters for fingers: a kiosk has no keyboard. */
import { h, icon } from "./dom.js";
import { TONES, withTone } from "./vietnamese.js";

const ROWS = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm,.", "ăâđêôơư/-:"].map((row) => [...row]);

/**
 * Keys that write into `input`, hidden until they are asked for; with a key, `changed()` is told.
 * @returns `{ element, opener }`: the keys, and the button that shows and hides them
 */
export function letterBoard({ texts, input, changed }) {
  const words = texts.journeys.letters;
  const id = `${input.id}-letters`;
  /** What was written, for those who do not see the field. */
  const said = h("p", { class: "for-ears", role: "status" });
  let upper = false;

  /** `edit(before)`: what stands before the caret afterwards. */
  const write = (edit) => {
    const { value, selectionStart, selectionEnd } = input;
    const before = edit(value.slice(0, selectionStart), selectionStart < selectionEnd);
    const after = value.slice(selectionEnd);
    if (before.length + after.length > input.maxLength) return;
    input.value = before + after;
    input.setSelectionRange(before.length, before.length);
    input.scrollTop = input.scrollHeight;
    said.textContent = before.split(/\s/).at(-1) || words.space;
    changed();
  };
  const key = (content, label, press, className = "key") =>
    h(
      "button",
      // The caret stays in the field while a finger types.
      { type: "button", class: className, "aria-label": label, on: { click: press, mousedown: (event) => event.preventDefault() } },
      content,
    );

  const capitals = [];
  const letter = (small) => {
    const press = () => {
      write((before) => before + (upper ? small.toUpperCase() : small));
      shift(false);
    };
    const element = key(small, words.signs[small] ?? small, press);
    if (/\p{L}/u.test(small)) capitals.push([element, small]);
    return element;
  };
  const shift = (on) => {
    upper = on;
    shiftKey.setAttribute("aria-pressed", String(on));
    for (const [element, small] of capitals) element.textContent = on ? small.toUpperCase() : small;
  };
  const shiftKey = key("Aa", words.capital, () => shift(!upper), "key shift");
  const erase = key(icon("backspace"), words.erase, () =>
    write((before, selected) => (selected ? before : [...before].slice(0, -1).join(""))),
  );
  const tone = ([name, mark]) =>
    key(`a${mark}`.normalize("NFC"), words.tones[name], () => write((before) => withTone(before, mark)), "key tone");
  const [digits, top, middle, bottom, marked] = ROWS.map((row) => row.map(letter));
  const space = key(words.space, words.space, () => write((before) => `${before} `), "key space");

  const element = h(
    "div",
    { id, class: "letter-board", role: "group", "aria-label": words.board },
    [...digits, ...top, ...middle, erase, shiftKey, ...bottom, ...marked, ...Object.entries(TONES).map(tone), space],
    said,
  );
  const opener = h("button", {
    type: "button",
    class: "button letters",
    "aria-controls": id,
    on: { click: () => show(element.hidden) },
  });
  const show = (open) => {
    element.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
    opener.textContent = open ? words.close : words.open;
    if (open) element.scrollIntoView({ block: "nearest" });
  };
  show(false);
  shift(false);
  // By finger only: who tabs into the field has a keyboard.
  input.addEventListener("click", () => element.hidden && show(true));
  return { element, opener };
}
