import { type StationClient, StationError } from "../client/index.js";
import type { Translate } from "../languages/translate.js";
import type { DeviceClass, DeviceSnapshot } from "../protocol/devices.js";
import type { PaymentJob } from "../protocol/payment-terminal.js";
import type { PrintDocument } from "../protocol/printer.js";
import { judgeCard, judgePage, judgePicture, judgeScan, kilobytes } from "../technician/judge.js";
import { PAYMENT_WORDS } from "../technician/payment-words.js";
import { type GreyPicture, ruler, wedge } from "../technician/test-drawings.js";
import { LOOK_AT_PAPER, PAPER_ADVICE, pageWidthDots, testPage } from "../technician/test-page.js";
import type { App } from "./app.js";
import { dong, kindOf, told } from "./words.js";

/** What a test of one class is handed. All tests run out of service: no citizen is in between. */
export interface Trial {
  readonly app: App;
  readonly client: StationClient;
  readonly device: DeviceSnapshot;
  readonly signal: AbortSignal;
  say(text: string): void;
  ask(question: string, yes: string, no: string): Promise<boolean>;
  show(picture: Blob, label: string): Promise<void>;
  /** The code that a scanner should read. */
  showCode(): void;
}

export interface Finding {
  readonly works: boolean;
  /** What was found, a sentence each. Nothing personal. */
  readonly notes: readonly string[];
}

const PATIENCE_MS = 60_000;
const TEST_AMOUNT_VND = 1_000;

/** As `stationd test DEVICE` does it. */
export const TRIALS: Readonly<Record<DeviceClass, (trial: Trial) => Promise<Finding>>> = {
  printer: tryPrinter,
  barcodeScanner: tryScanner,
  chipReader: tryReader,
  documentScanner: tryDocuments,
  camera: tryCamera,
  paymentTerminal: tryTerminal,
};

/** Shows how far it is. */
const stages = (say: (text: string) => void, t: Translate) => {
  const words: Readonly<Record<string, string>> = {
    present_card: t`Present a card to the terminal now`,
    scan_code: t`Scan the code on the terminal`,
    enter_pin: t`Enter the PIN`,
    wrong_pin: t`The PIN was wrong; enter it again`,
    authorising: t`The bank is asked`,
    remove_card: t`Take the card out`,
    reversing_itself: t`The terminal takes it back by itself`,
    waiting_for_person: t`The printer waits for a person: paper, cover`,
  };
  return ({ stage }: { readonly stage: string }): void => say(`${words[stage] ?? t(stage.replaceAll("_", " "))} …`);
};

/** The page that is printed to look at. */
export async function pageFor(client: StationClient, device: string, now: number, signal: AbortSignal): Promise<PrintDocument> {
  const { capabilities } = await client.call("devices.capabilities", { device }, { signal });
  const widthDots = pageWidthDots(capabilities);
  const [rulerPng, wedgePng] = await Promise.all([png(ruler(widthDots)), png(wedge(widthDots))]);
  return testPage({ device, printedAt: new Date(now), version: client.hello.agent.version, ruler: rulerPng, wedge: wedgePng });
}

async function tryPrinter({ app, client, device, signal, say, ask, show }: Trial): Promise<Finding> {
  const { t } = app;
  const document = await pageFor(client, device.id, app.now(), signal);
  const { image } = await client.call("printer.preview", { device: device.id, document }, { signal });
  await show(client.blob(image), t`The test page as it should come out`);
  const request = { device: device.id, document, idempotencyKey: `test-${app.newKey()}`, timeoutMs: PATIENCE_MS };
  const job = await app.link.persist((now) => now.call("printer.print", request, { signal, onProgress: stages(say, t) }));
  const state = t(job.state);
  const how = job.confirmation === "confirmed" ? t`${device.id}: ${state}, and the printer confirmed it.` : `${device.id}: ${state}.`;
  const notes = [how, ...(job.reason ? [told(job.reason, t)] : [])];
  if (job.state !== "printed" && job.state !== "sent") return { works: false, notes };
  if (await ask(t(LOOK_AT_PAPER), t`It looks right`, t`Something is wrong`)) return { works: true, notes };
  return { works: false, notes: [...notes, t`A person says that it does not look right.`, ...PAPER_ADVICE] };
}

async function tryScanner({ app: { t }, client, device, signal, say, showCode }: Trial): Promise<Finding> {
  showCode();
  say(t`Show this code to the scanner, or that of a printed test page …`);
  const scan = await client.call("barcodeScanner.scan", { device: device.id, timeoutMs: PATIENCE_MS }, { signal });
  const { good, notes } = judgeScan(scan);
  return { works: good, notes };
}

async function tryReader({ app: { t }, client, device, signal, say }: Trial): Promise<Finding> {
  say(t`Lay any card on the reader …`);
  await client.call("chipReader.waitForCard", { device: device.id, timeoutMs: PATIENCE_MS }, { signal });
  const uid = await client.call("chipReader.readUid", { device: device.id, timeoutMs: PATIENCE_MS }, { signal }).catch((error) => {
    // A card with contacts, or a reader that does not tell: there is a card all the same.
    if (["unsupported", "card_unsupported"].includes(kindOf(error))) return undefined;
    throw error;
  });
  return { works: true, notes: [judgeCard(uid).note] };
}

async function tryDocuments({ app: { t }, client, device, signal, say, ask, show }: Trial): Promise<Finding> {
  if (!(await ask(t`Lay a page with print on it into the feeder, or on the glass.`, t`Scan it`, t`Not now`))) {
    throw new StationError("canceled", t`no page was scanned`);
  }
  const request = { device: device.id, format: "jpeg", resolutionDpi: 150, maxPages: 1, timeoutMs: PATIENCE_MS } as const;
  const { pages } = await client.call("documentScanner.scan", request, { signal, onProgress: stages(say, t) });
  const [page] = pages;
  if (!page?.image) return { works: false, notes: [t`No page came.`] };
  await show(client.blob(page.image), t`The page that was scanned`);
  const { good, notes } = judgePage(page, page.image.byteLength);
  return { works: good, notes };
}

async function tryCamera({ app: { t }, client, device, signal, say, show }: Trial): Promise<Finding> {
  say(t`Taking a picture …`);
  const picture = await client.call("camera.snapshot", { device: device.id }, { signal });
  await show(client.blob(picture.image), t`What the camera sees`);
  const { good, notes } = judgePicture(picture.quality);
  const size = t`A picture of ${picture.widthPx} × ${picture.heightPx} pixels, ${kilobytes(picture.image.byteLength)}.`;
  return { works: good, notes: [size, ...notes] };
}

/** Takes 1,000 đồng and gives them back. Whatever is interrupted: what was approved is taken back. */
async function tryTerminal({ app, client, device, signal, say, ask }: Trial): Promise<Finding> {
  const { t } = app;
  const { capabilities } = await client.call("devices.capabilities", { device: device.id }, { signal });
  if (capabilities.reverse !== true) {
    throw new StationError("unsupported", t`this one cannot give money back, so none is taken to try it`, {
      hint: t`Its own check, which takes no money, is “Check all devices”`,
    });
  }
  const amount = dong(TEST_AMOUNT_VND);
  if (!(await ask(t`Charge ${amount} to a card that you present now, and take it back at once?`, t`Charge ${amount}`, t`Not now`))) {
    throw new StationError("canceled", t`not confirmed; nothing was charged`);
  }
  const key = `test-${app.newKey()}`;
  const request = { device: device.id, amountVnd: TEST_AMOUNT_VND, reference: "TEST", idempotencyKey: key, timeoutMs: PATIENCE_MS };
  const onProgress = stages(say, t);
  const wordsOf = ({ reverses, state, reason }: PaymentJob): string[] => [
    reverses === undefined ? t`Payment of ${amount}: ${t(PAYMENT_WORDS[state])}.` : t`Reversal of ${amount}: ${t(PAYMENT_WORDS[state])}.`,
    ...(reason ? [told(reason, t)] : []),
  ];
  const paid = await app.link
    .persist((now) => now.call("paymentTerminal.pay", request, { signal, onProgress }))
    .catch((error) => {
      throw new StationError(kindOf(error), told(error, t), { hint: t`How it ended: stationd jobs get ${key}` });
    });
  const notes = wordsOf(paid);
  if (paid.state !== "approved") return { works: false, notes };
  say(t`Approved. It is taken back …`);
  const lost = t`${amount} are NOT known to be back: stationd payments reverse ${paid.job.slice(0, 8)}`;
  try {
    // Without the signal: whoever stops the test now wants the money back all the more.
    const back = await app.link.persist((now) =>
      now.call("paymentTerminal.reverse", { job: paid.job, idempotencyKey: `${key}-back` }, { onProgress }),
    );
    const works = back.state === "reversed";
    return { works, notes: [...notes, ...wordsOf(back), ...(works ? [] : [lost])] };
  } catch (error) {
    return { works: false, notes: [...notes, told(error, t), lost] };
  }
}

/** A PNG in base64. */
async function png({ width, height, pixels }: GreyPicture): Promise<string> {
  const canvas = new OffscreenCanvas(width, height);
  const drawn = new ImageData(width, height);
  for (const [index, grey] of pixels.entries()) drawn.data.set([grey, grey, grey, 255], index * 4);
  canvas.getContext("2d")?.putImageData(drawn, 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
