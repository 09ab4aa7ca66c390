/** One citizen's visit, step by step. What is known of the citizen stands in `view.journey` and `view.identity`, and is forgotten with them. */
import { feeOf, JOURNEYS, newCode } from "./journeys.js";

/** The first screen of each step, and what a station needs for it. */
const STEPS = {
  find: { screen: "find" },
  identify: { screen: "identify", needs: "chipReader" },
  form: { screen: "form" },
  papers: { screen: "papers", needs: "documentScanner" },
  photo: { screen: "photo", needs: "camera" },
  doctor: { screen: "doctor", needs: "camera" },
  pay: { screen: "bill", needs: "paymentTerminal" },
  slip: { screen: "review", needs: "printer" },
};
/** Further screens of a step. */
const STEP_OF = { lay: "identify", mrz: "identify", identity: "identify", bill: "pay", review: "slip", print: "slip" };
/** Whoever is here is on no journey (any more). */
const OUTSIDE = new Set(["start", "farewell", "dossier"]);

export const rowOf = (journey) => JOURNEYS.find(({ id }) => id === journey?.id);
export const endsJourney = (screen) => OUTSIDE.has(screen);

/** Whether this station has what the journey needs. */
export const possible = (app, { steps }) => steps.every((step) => STEPS[step].needs === undefined || app.device(STEPS[step].needs));

/** `{ step, index, steps }` of the screen that is shown; undefined outside of a journey. */
export function placeIn({ journey, screen }) {
  const steps = rowOf(journey)?.steps;
  const step = STEP_OF[screen] ?? screen;
  const index = steps?.indexOf(step) ?? -1;
  return index < 0 ? undefined : { step, index, steps };
}

export const hasNext = (view) => {
  const place = placeIn(view);
  return place !== undefined && place.index + 1 < place.steps.length;
};
export const hasFormer = (view) => (placeIn(view)?.index ?? 0) > 0;

const enter = (app, step, changes) =>
  app.go(STEPS[step].screen, { ...changes, ...(step === "pay" && { payable: feeOf(app.view.journey.code) }) });

export function beginJourney(app, id) {
  const journey = { id, code: newCode(id), values: {}, papers: [], scan: undefined, photo: undefined, payment: undefined };
  enter(app, rowOf(journey).steps[0], { journey, seeking: "bill" });
}

export function nextStep(app) {
  const { steps, index } = placeIn(app.view);
  enter(app, steps[index + 1]);
}

export function formerStep(app) {
  const { steps, index } = placeIn(app.view);
  const step = steps[index - 1];
  // The card need not be laid down again.
  if (step === "identify") app.go("identity");
  else enter(app, step);
}

/** `[label, value]` of what was chosen and typed. */
export function answersOf({ journey }, texts, language) {
  return rowOf(journey).fields.flatMap(({ name, label, options }) => {
    const value = journey.values[name];
    const shown = options ? options[value]?.[language] : value;
    return shown ? [[label?.[language] ?? texts.journeys.fields[name], shown]] : [];
  });
}

export function forgetPicture(picture) {
  if (picture?.url) URL.revokeObjectURL(picture.url);
  for (const key of Object.keys(picture ?? {})) delete picture[key];
}

/** Nothing of the citizen stays behind a reference that somebody may still hold. */
export function forgetJourney(journey) {
  if (!journey) return;
  journey.scan?.stop.abort();
  for (const picture of [...journey.papers, journey.photo]) forgetPicture(picture);
  for (const key of Object.keys(journey)) delete journey[key];
}
