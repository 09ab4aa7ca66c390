/** The technicians' page: a token, one connection, and sections that show what is so now. */
import type { StationClient } from "../client/index.js";
import type { Translate } from "../languages/translate.js";
import { figuresOf } from "../technician/figures.js";
import type { App, Section } from "./app.js";
import { cameraSection } from "./camera-section.js";
import { devicesSection } from "./devices-section.js";
import { confirmed } from "./dialogs.js";
import { browserLanguage, type Language, speak } from "./language.js";
import { type Link, openLink } from "./link.js";
import { metricsSection } from "./metrics-section.js";
import { paperSection } from "./paper-section.js";
import { paymentsSection } from "./payments-section.js";
import { shell } from "./shell.js";
import { signIn } from "./sign-in.js";
import { stationSection } from "./station-section.js";
import { stationView } from "./station-view.js";
import { traceSection } from "./trace-section.js";
import { told } from "./words.js";

const LOOK_EVERY_MS = 5_000;
const AGES_EVERY_MS = 1_000;
/** This may be the kiosk's own browser, and the next one who looks a citizen. */
const UNTOUCHED_MS = 30 * 60_000;

const now = (): number => Date.now();
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** 128 random bits; randomUUID is for secure contexts, and an agent may be reached otherwise. */
const newKey = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const agentUrl = (): string => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1`;

/** The agent's figures; undefined where it gives none. */
async function metricsText(token: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = await fetch("/metrics", { headers: { authorization: `Bearer ${token}` }, cache: "no-store", signal });
    return answer.ok ? await answer.text() : undefined;
  } catch {
    return undefined;
  }
}

/** Shows the entrance; `note` says why somebody stands there again. */
async function entrance(language: Language, note = ""): Promise<void> {
  const t = await speak(language);
  const other = language === "en" ? "vi" : "en";
  const form = signIn({
    t,
    note,
    onToken: (token) => enter(token, t, (why) => void entrance(language, why)),
    otherLanguage: { name: language === "en" ? "Tiếng Việt" : "English", choose: () => void entrance(other) },
  });
  document.documentElement.lang = language;
  document.body.replaceChildren(form.element);
  document.title = "stationd console";
  form.focus();
}

/** @throws StationError where the agent does not take the token, or does not answer */
async function enter(token: string, t: Translate, onLeft: (why: string) => void): Promise<void> {
  let connected = false;
  let link: Link | undefined;
  let shown = false;
  const left = new AbortController();
  const refresh = (): void => {
    if (!shown) return;
    frame.refresh();
    for (const section of sections) section.refresh();
  };
  const view = stationView(t, refresh);

  const leave = (note = ""): void => {
    if (left.signal.aborted) return;
    left.abort();
    link?.close();
    onLeft(note);
  };
  const look = async (client: StationClient, signal: AbortSignal): Promise<void> => {
    await view.follow(client, now(), signal);
    while (!signal.aborted && !left.signal.aborted) {
      const text = await metricsText(token, signal);
      if (signal.aborted) return;
      const figures = text === undefined ? undefined : figuresOf(text);
      view.measured(now(), figures);
      for (const section of sections) section.measured?.(figures);
      await wait(LOOK_EVERY_MS);
    }
  };

  const app: App = {
    t,
    get link() {
      return link as Link;
    },
    get dashboard() {
      return view.dashboard;
    },
    get payments() {
      return view.payments;
    },
    get paymentsProblem() {
      return view.paymentsProblem;
    },
    get connected() {
      return connected;
    },
    now,
    newKey,
    async setMaintenance(on) {
      await app.link.client().call("agent.maintenance", { on });
    },
  };
  const signOut = async (): Promise<void> => {
    const question = {
      title: t`The station is still out of service`,
      text: t`Citizens see “out of service” until somebody takes it back.`,
      yes: t`Back in service, and sign out`,
      no: t`Sign out all the same`,
    };
    const back = view.dashboard?.maintenance && connected ? await confirmed(question) : false;
    if (back === undefined) return;
    if (back) await app.setMaintenance(false).catch((error) => leave(told(error, t)));
    leave();
  };
  let touchedAt = now();
  const touched = (): void => {
    touchedAt = now();
  };
  for (const what of ["pointerdown", "keydown", "wheel"]) addEventListener(what, touched, { passive: true, signal: left.signal });
  const agesMoveOn = async (): Promise<void> => {
    while (!left.signal.aborted) {
      if (now() - touchedAt > UNTOUCHED_MS) return leave(t`Signed out: nobody touched the page for half an hour.`);
      refresh();
      await wait(AGES_EVERY_MS);
    }
  };
  const sections: readonly Section[] = [
    stationSection(app),
    devicesSection(app),
    paymentsSection(app),
    traceSection(app),
    cameraSection(app),
    paperSection(app),
    metricsSection(app),
  ];
  const frame = shell(app, sections, () => void signOut());

  link = await openLink({
    url: agentUrl(),
    token,
    wait,
    onOpen(client, signal) {
      connected = true;
      refresh();
      // A connection that is lost meanwhile is followed by another.
      void look(client, signal).catch(() => {});
    },
    onLost() {
      connected = false;
      refresh();
    },
    onRefused: () => leave(t`Your token is not valid any more. Sign in with another one.`),
  });
  document.body.replaceChildren(...frame.elements);
  shown = true;
  frame.focus();
  void agesMoveOn();
}

void entrance(browserLanguage());
