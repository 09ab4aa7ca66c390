/** The face of a bronze drum, drawn: fourteen rays, rings of dots and of birds' feathers. Decoration only. */
const SVG = "http://www.w3.org/2000/svg";
const RAYS = 14;

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
const at = (angle, radius) => `${(radius * Math.sin(angle)).toFixed(2)} ${(-radius * Math.cos(angle)).toFixed(2)}`;

export function drum() {
  const svg = shape("svg", { viewBox: "-200 -200 400 400", class: "drum", "aria-hidden": "true" });
  const turn = (2 * Math.PI) / RAYS;
  const star = Array.from({ length: RAYS }, (_, ray) => `${at(ray * turn, 62)} L${at((ray + 0.5) * turn, 20)}`).join(" L");
  svg.append(shape("path", { d: `M${star}Z`, class: "drum-star" }));
  for (const radius of [70, 78, 104, 112, 150, 158, 192]) svg.append(shape("circle", { r: radius, class: "drum-ring" }));
  for (let index = 0; index < 56; index++) {
    const [x, y] = at((index * 2 * Math.PI) / 56, 91).split(" ");
    svg.append(shape("circle", { cx: x, cy: y, r: 3, class: "drum-dot" }));
  }
  for (let index = 0; index < 42; index++) {
    const angle = (index * 2 * Math.PI) / 42;
    svg.append(
      shape("path", {
        d: `M${at(angle, 118)} Q${at(angle + 0.05, 132)} ${at(angle + 0.13, 144)} Q${at(angle + 0.01, 136)} ${at(angle, 118)}Z`,
        class: "drum-dot",
      }),
    );
  }
  for (let index = 0; index < 84; index++) {
    const angle = (index * 2 * Math.PI) / 84;
    svg.append(shape("path", { d: `M${at(angle, 163)} L${at(angle + 0.04, 187)}`, class: "drum-ring" }));
  }
  return svg;
}
