/**
 * One element. `props`: attributes, except `class`, `on` (event → listener), `text` (safe: never parsed as HTML)
 * and booleans, which set or leave out the attribute. Children that are null or false are left out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** A picture beside text that says the same, so screen readers pass over it. `paths`: the `d` of each stroke. */
export function icon(name, className = "icon") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  for (const d of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

const ICONS = {
  search: ["M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13Z", "m15.5 15.5 5 5"],
  qr: [
    "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4z",
    "M14 14h2v2h-2zM18.5 14H20v1.5M14 18.5V20h1.5M18 18h2v2h-2z",
    "M6.8 7h.4M16.8 7h.4M6.8 17h.4",
  ],
  printer: [
    "M7 9V3.5h10V9",
    "M7 17H4.5A1.5 1.5 0 0 1 3 15.5V10.5A1.5 1.5 0 0 1 4.5 9h15a1.5 1.5 0 0 1 1.5 1.5v5a1.5 1.5 0 0 1-1.5 1.5H17",
    "M7 14h10v6.5H7z",
  ],
  check: ["m5 12.5 4.5 4.5L19 7.5"],
  warn: ["M12 4 2.8 20h18.4z", "M12 10v4.5M12 17.3v.2"],
  arrow: ["M5 12h14M13 6l6 6-6 6"],
  back: ["M19 12H5M11 6l-6 6 6 6"],
  home: ["M4 11.5 12 5l8 6.5", "M6.5 10v9.5h11V10"],
  clock: ["M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16Z", "M12 8v4.5l3 2"],
  plug: ["M9 3v5M15 3v5", "M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0z", "M12 17v4"],
  backspace: ["M9 6h11v12H9l-6-6z", "m12 9.5 5 5M17 9.5l-5 5"],
  staff: ["M12 4.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7Z", "M5 20.5c.5-4 3.2-6 7-6s6.5 2 7 6"],
  unknown: ["M9 9.2A3 3 0 1 1 12.8 12c-.6.3-.8.8-.8 1.6V14M12 17.3v.2", "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17Z"],
  card: [
    "M3.5 5.5h17v13h-17z",
    "M8.2 9a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6Z",
    "M5.6 16c.3-1.5 1.3-2.2 2.6-2.2s2.3.7 2.6 2.2",
    "M13.5 9.5h4.5M13.5 13h4.5",
  ],
  bankCard: ["M3 6h18v12.5H3z", "M3 10h18", "M6.5 15h4"],
  cross: ["m6.5 6.5 11 11M17.5 6.5l-11 11"],
  eye: ["M2.5 12S6 5.8 12 5.8 21.5 12 21.5 12 18 18.2 12 18.2 2.5 12 2.5 12Z", "M12 9.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6Z"],
  hide: ["M2.5 12S6 5.8 12 5.8 21.5 12 21.5 12 18 18.2 12 18.2 2.5 12 2.5 12Z", "M4.5 19.5 19.5 4.5"],
  document: ["M6 3.5h8l4 4v13H6z", "M14 3.5v4h4", "M9 12h6M9 15.5h6"],
  camera: ["M3.5 7.5h4l1.5-2.5h6l1.5 2.5h4v11.5h-17z", "M12 9.5a3.6 3.6 0 1 1 0 7.2 3.6 3.6 0 0 1 0-7.2Z"],
  scan: ["M5 11V4h14v7", "M3.5 11h17v8h-17z", "M7 15h10"],
  phone: ["M7.5 2.5h9v19h-9z", "M11 18.5h2"],
  heart: ["M12 20C5 15.5 3 12 3 8.8A4.6 4.6 0 0 1 12 7a4.6 4.6 0 0 1 9 1.8c0 3.2-2 6.7-9 11.2Z", "M6.5 12h3l1.5-3 2 5.5 1.5-2.5h3"],
  shield: ["M12 3 4.5 6v5.5c0 4.5 3 7.8 7.5 9.5 4.5-1.7 7.5-5 7.5-9.5V6z", "M12 8.5v7M8.5 12h7"],
  horn: ["M4 10v4h3l8 4.5v-13L7 10z", "M18 9.5a4 4 0 0 1 0 5", "M8 14.2 9.5 20h2.5l-1-4.2"],
  again: ["M19 12a7 7 0 1 1-2.2-5.1", "M19.5 3.5V8H15"],
};
