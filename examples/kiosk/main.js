/** The page: one connection to the station, one screen at a time. */
import { connectStation } from "/stationd/client/index.js";
import { dossierOf } from "./dossiers.js";
import { watchIdle } from "./idle.js";
import { openPanel } from "./panel.js";
import { forgetPrint, rememberPrint, unfinishedPrint } from "./print-memory.js";
import { showDossier } from "./screens/dossier.js";
import { showFarewell } from "./screens/farewell.js";
import { showFind } from "./screens/find.js";
import { showPrint } from "./screens/print.js";
import { showStart } from "./screens/start.js";
import { dressShell } from "./shell.js";
import { slipOf } from "./slip.js";
import { textsIn } from "./texts.js";

const SCREENS = { start: showStart, find: showFind, dossier: showDossier, print: showPrint, farewell: showFarewell };
const stage = document.getElementById("stage");

/** What is so right now. Screens read it and are told when it changes. */
const view = {
  language: "vi",
  connection: "connecting",
  mode: undefined,
  maintenance: false,
  devices: new Map(),
  screen: "start",
  dossier: undefined,
  print: undefined,
};

let client;
let shown;
let shell;
/** Ends what a screen waits for when it is left. */
let leave = new AbortController();

const app = {
  view,
  get texts() {
    return textsIn(view.language);
  },
  get client() {
    return client;
  },
  device: (deviceClass) => [...view.devices.values()].find((device) => device.class === deviceClass),

  go(screen, changes = {}) {
    leave.abort();
    leave = new AbortController();
    Object.assign(view, changes, { screen });
    draw();
    // Screen readers and keyboards follow to the new screen; the first paint leaves the focus alone.
    stage.querySelector("h1")?.focus({ preventScroll: true });
    stage.scrollTo(0, 0);
  },

  setLanguage(language) {
    view.language = language;
    draw();
    document.querySelector(`[data-language="${language}"]`)?.focus();
  },

  /** `again`: a slip of this may be on paper already, so the new one is marked. */
  startPrint(dossier, again = false) {
    app.followPrint(rememberPrint({ code: dossier.code, again }));
  },

  followPrint({ key, code, at, again }) {
    const print = { key, again, stage: "queued", job: undefined, error: undefined };
    const dossier = dossierOf(code);
    app.go("print", { dossier, print });
    const told = () => view.print === print && refresh();
    client.jobs
      .print(
        { idempotencyKey: key, document: slipOf(dossier, at), ...(again && { reprint: true }) },
        {
          onProgress(progress) {
            print.stage = progress.stage;
            told();
          },
          onJob(job) {
            print.job = job;
            told();
          },
        },
      )
      .then(
        (job) => {
          print.job = job;
        },
        (error) => {
          print.error = error;
        },
      )
      .finally(() => {
        forgetPrint(key);
        told();
      });
  },

  /** The citizen leaves: nothing of theirs stays, neither here nor in the agent. */
  async finish() {
    let leftPaper = false;
    // A slip that still waits for paper is the agent's now; a page that is reloaded must not show it to the next person.
    if (view.print) forgetPrint(view.print.key);
    app.go("farewell", { dossier: undefined, print: undefined });
    try {
      const { leftBehind } = await client.call("session.endCitizen", {});
      leftPaper = leftBehind.some(({ what }) => what === "paper");
    } catch {
      // Without a connection the agent ends the citizen's session by itself after its grace time.
    }
    if (view.screen === "farewell" && leftPaper) shown.refresh(true);
  },
};

function draw() {
  document.documentElement.lang = view.language;
  document.title = app.texts.station;
  shell.dress();
  shown = SCREENS[view.screen](app, leave.signal);
  stage.replaceChildren(shown.element);
  stage.dataset.screen = view.screen;
}

/** Something around changed: texts and states move, the screen stays. */
function refresh() {
  shell.refresh();
  shown.refresh();
}

function onUpdate({ kind, topic, state, data }) {
  if (topic === "agent") view.maintenance = (kind === "state" ? state : data).maintenance;
  else if (kind === "state") view.devices = new Map(state.map((device) => [device.id, device]));
  else view.devices.set(data.id, data);
  refresh();
}

async function start() {
  shell = dressShell(app);
  draw();
  const station = await (await fetch("/station.json")).json();
  client = await connectStation({
    url: station.url,
    client: { name: "kiosk", version: "1.0.0" },
    allowSimulated: station.demo === true,
    onState(state) {
      view.connection = state;
      refresh();
    },
  });
  view.mode = client.hello.mode;
  client.onState(() => {
    view.mode = client.hello.mode;
    refresh();
  });
  await client.subscribe(["devices", "agent"], onUpdate);
  if (station.demo) openPanel({ url: station.url, app });
  watchIdle(app);
  const unfinished = unfinishedPrint();
  if (unfinished && dossierOf(unfinished.code)) app.followPrint(unfinished);
}

start().catch((error) => {
  // What is shown is the state that was told last; this line is for whoever looks after the page.
  console.error(error);
  view.connection = "refused";
  refresh();
});
