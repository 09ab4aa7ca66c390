/** The page: one connection to the station, one screen at a time. */
import { connectStation } from "/stationd/client/index.js";
import { forgetIdentity, readCard } from "./card-reading.js";
import { relayConfirmations } from "./confirmations.js";
import { dossierOf } from "./dossiers.js";
import { watchIdle } from "./idle.js";
import { beginJourney, endsJourney, forgetJourney } from "./journey.js";
import { openPanel } from "./panel.js";
import { endedAnew, followPayment, paymentOf, printSlip, terminalFor } from "./paying.js";
import { forgetPayment, orphanedPayment, rememberedPayment } from "./payment-memory.js";
import { forgetPrint, rememberPrint, unfinishedPrint } from "./print-memory.js";
import { followPrint } from "./printing.js";
import { showBill } from "./screens/bill.js";
import { showDoctor } from "./screens/doctor.js";
import { showDossier } from "./screens/dossier.js";
import { showFarewell } from "./screens/farewell.js";
import { showFind } from "./screens/find.js";
import { showForm } from "./screens/form.js";
import { showIdentify } from "./screens/identify.js";
import { showIdentity } from "./screens/identity.js";
import { showLay } from "./screens/lay.js";
import { showMrz } from "./screens/mrz.js";
import { showPapers } from "./screens/papers.js";
import { showPay } from "./screens/pay.js";
import { showPhoto } from "./screens/photo.js";
import { showPrint } from "./screens/print.js";
import { showReview } from "./screens/review.js";
import { showStart } from "./screens/start.js";
import { dressShell } from "./shell.js";
import { textsIn } from "./texts.js";

const SCREENS = {
  start: showStart,
  find: showFind,
  dossier: showDossier,
  identify: showIdentify,
  lay: showLay,
  mrz: showMrz,
  identity: showIdentity,
  form: showForm,
  papers: showPapers,
  photo: showPhoto,
  doctor: showDoctor,
  review: showReview,
  print: showPrint,
  bill: showBill,
  pay: showPay,
  farewell: showFarewell,
};
/** On every other screen nothing of a card is known any more, but within a journey. */
const OF_A_CARD = new Set(["lay", "mrz", "identity", "print"]);
const stage = document.getElementById("stage");

/** What is so right now. Screens read it and are told when it changes. */
const view = {
  language: "vi",
  connection: "connecting",
  mode: undefined,
  maintenance: false,
  devices: new Map(),
  /** By chip reader: does a card lie there? */
  cards: new Map(),
  get cardPresent() {
    return [...view.cards.values()].includes(true);
  },
  screen: "start",
  /** What the code is looked up for: `dossier` or `bill`. */
  seeking: "dossier",
  dossier: undefined,
  identity: undefined,
  /** What is known of the citizen on a journey; see journey.js. */
  journey: undefined,
  print: undefined,
  payable: undefined,
  payment: undefined,
  /** What the citizen who just left should take along. */
  left: new Set(),
};

let client;
let shown;
let shell;
/** Ends what was begun for a screen when the citizen goes on. */
let leave = new AbortController();
/** Ends what this drawing of the screen waits for; it is drawn anew in another language. */
let drawn = new AbortController();

const app = {
  view,
  get texts() {
    return textsIn(view.language);
  },
  get client() {
    return client;
  },
  /** When the agent's demonstration began, in milliseconds since the epoch: bills that were paid before it are open again. */
  since: 0,
  device: (deviceClass) => [...view.devices.values()].find((device) => device.class === deviceClass),

  go(screen, changes = {}) {
    leave.abort();
    leave = new AbortController();
    const { identity: formerIdentity, journey: formerJourney } = view;
    if (screen !== "pay") leavePayment();
    Object.assign(view, changes, { screen });
    if (endsJourney(screen)) view.journey = undefined;
    if (!OF_A_CARD.has(screen) && (!view.journey || screen === "identify")) view.identity = undefined;
    draw();
    if (view.identity !== formerIdentity) forgetIdentity(formerIdentity);
    if (view.journey !== formerJourney) forgetJourney(formerJourney);
    // Screen readers and keyboards follow to the new screen; the first paint leaves the focus alone.
    stage.querySelector("h1")?.focus({ preventScroll: true });
    stage.scrollTo(0, 0);
  },

  /** Something around changed: the screen says so. */
  refresh: () => refresh(),

  begin: (id) => beginJourney(app, id),

  setLanguage(language) {
    view.language = language;
    draw();
    document.querySelector(`[data-language="${language}"]`)?.focus();
  },

  /** Reads the card that `identity` has the key to, and goes where that leads. */
  async identify(identity) {
    app.go("lay", { identity });
    const { signal } = leave;
    await readCard(client, identity, signal, () => !signal.aborted && refresh());
    if (signal.aborted) return;
    if (identity.reading) app.go("identity");
    else if (identity.error.kind === "mrz_required" && identity.known.idNumber) app.go("mrz");
    else refresh();
  },

  /** `what`: `{ kind: "dossier", code }`, `{ kind: "journey", code }` or `{ kind: "identity" }`. `again`: a slip of this may be on paper already, so the new one is marked. */
  startPrint(what, again = false) {
    app.followPrint(rememberPrint({ ...what, again }));
  },

  followPrint(memory) {
    const { key, kind, code, again } = memory;
    const print = { key, what: { kind, code }, again, stage: "queued", job: undefined, error: undefined };
    app.go("print", { print, ...(kind === "dossier" && { dossier: dossierOf(code) }) });
    void followPrint(app, print, memory, () => view.print === print && refresh());
  },

  /** `memory`: of a new attempt, or of one that an earlier page began. */
  startPay(memory, resume = false) {
    const payment = paymentOf(memory);
    app.go("pay", { payment, payable: payment.payable });
    void followPayment(app, payment, resume, () => view.payment === payment && refresh());
  },

  printReceipt(anew) {
    const { payment } = view;
    void printSlip(app, payment, () => view.payment === payment && refresh(), anew);
  },

  /** The citizen leaves: nothing of theirs stays, neither here nor in the agent. */
  async finish() {
    // A slip that still waits for paper is the agent's now; a page that is reloaded must not show it to the next person.
    if (view.print) forgetPrint(view.print.key);
    const left = new Set(view.journey?.papers?.length > 0 ? ["documents"] : []);
    app.go("farewell", { dossier: undefined, print: undefined, payable: undefined, left });
    try {
      const { leftBehind } = await client.call("session.endCitizen", {});
      for (const { what } of leftBehind) left.add(what);
    } catch {
      // Without a connection the agent ends the citizen's session by itself after its grace time.
    }
    if (view.left === left) refresh();
  },
};

/** The payment goes on without this page, if it still does; only the page forgets it. */
function leavePayment() {
  if (!view.payment) return;
  view.payment.leave.abort();
  view.payment = undefined;
  forgetPayment();
}

function draw() {
  drawn.abort();
  drawn = new AbortController();
  document.documentElement.lang = view.language;
  document.title = app.texts.station;
  shell.dress();
  shown = SCREENS[view.screen](app, drawn.signal);
  stage.replaceChildren(shown.element);
  stage.dataset.screen = view.screen;
}

/** Something around changed: texts and states move, the screen stays. */
function refresh() {
  shell.refresh();
  shown.refresh();
}

/** The whole state replaces what was known, an event one entry of it. */
function keep(shelf, kind, state, data, entry) {
  if (kind === "state") shelf.clear();
  for (const item of kind === "state" ? state : [data]) shelf.set(...entry(item));
}

function onUpdate({ kind, topic, state, data }) {
  if (topic === "agent") view.maintenance = (kind === "state" ? state : data).maintenance;
  else if (topic === "jobs") {
    const { payment } = view;
    for (const job of kind === "state" ? state : [data]) {
      if (payment && job.idempotencyKey === payment.memory.key) endedAnew(app, payment, job, () => view.payment === payment && refresh());
    }
    return;
  } else if (topic === "devices") keep(view.devices, kind, state, data, (device) => [device.id, device]);
  else keep(view.cards, kind, state, data, (card) => [card.device, card.present]);
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
  app.since = station.since ?? 0;
  view.mode = client.hello.mode;
  client.onState(() => {
    view.mode = client.hello.mode;
    refresh();
  });
  await client.subscribe(["devices", "agent", "chipReader", "jobs"], onUpdate);
  if (station.demo) openPanel({ url: station.url, app });
  watchIdle(app);
  void relayConfirmations(client, () => terminalFor(view, "vietqr"));
  // Money first: what was begun before this page was loaded is picked up where it was.
  const begun = rememberedPayment() ?? (await orphanedPayment(client).catch(() => null));
  if (begun && paymentOf(begun).payable) return app.startPay(begun, true);
  const unfinished = unfinishedPrint();
  if (unfinished && (unfinished.kind !== "dossier" || dossierOf(unfinished.code))) app.followPrint(unfinished);
}

start().catch((error) => {
  // What is shown is the state that was told last; this line is for whoever looks after the page.
  console.error(error);
  view.connection = "refused";
  refresh();
});
