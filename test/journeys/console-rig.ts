import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { connectStation, type StationClient } from "../../src/client/node.js";
import { type RunningDemo, startDemo } from "../../src/commands/demo.js";
import { launch, picture } from "./browser.js";
import { watch } from "./watched.js";

type Client = AsyncDisposable & { readonly client: StationClient };

/** The console of a demo in a browser; a new page for each test, which leaves the station in service. */
export interface ConsoleRig {
  readonly page: Page;
  readonly demo: RunningDemo;
  readonly stateDir: string;
  /** Errors that the browser's console told; there must be none in the end. */
  complaints: string[];
  button(name: string | RegExp): Locator;
  heading(name: string | RegExp): Locator;
  dialog(): Locator;
  device(id: string): Locator;
  token(): Locator;
  act(simulator: string, action: string, params?: object): Promise<unknown>;
  technician(): Promise<Client>;
  kiosk(): Promise<Client>;
  enter(): Promise<void>;
  outOfService(): Promise<void>;
  /** The test that is shown ended with these words. */
  tested(id: string, words: string): Promise<void>;
  /** Everything that a browser could keep. */
  stored(): Promise<string>;
  anew(options: BrowserContextOptions): Promise<void>;
}

export const DESK = { width: 1280, height: 900 } as const;
export const TELEPHONE = { width: 390, height: 844 } as const;

/** To be called once, within `describe`. */
export function consoleRig(): ConsoleRig {
  let browser: Browser;
  let stateDir: string;
  let demo: RunningDemo;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), "stationd-console-"));
    demo = await startDemo({ port: 0, pagePort: 0, stateDir, payer: "auto" });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
    await rm(stateDir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    demo.agent.simulation?.reset();
    rig.complaints = [];
    await open({});
  });
  afterEach(async () => {
    await picture(page, "console-last");
    await context.close();
    await using other = await rig.technician();
    await other.client.call("agent.maintenance", { on: false });
    expect(rig.complaints).toEqual([]);
  });

  const open = async (options: BrowserContextOptions): Promise<void> => {
    context = await browser.newContext({ viewport: DESK, ...options });
    await watch(context);
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("console", (message) => message.type() === "error" && rig.complaints.push(message.text()));
    page.on("pageerror", (error) => rig.complaints.push(error.message));
    await page.goto(demo.consoleUrl);
  };
  const connected = async (socket: string): Promise<Client> => {
    const url = `ws+unix:${join(stateDir, socket)}:/v1`;
    const client = await connectStation({ url, client: { name: "test", version: "1" }, allowSimulated: true });
    return { client, [Symbol.asyncDispose]: async () => client.close() };
  };

  const rig: ConsoleRig = {
    get page() {
      return page;
    },
    get demo() {
      return demo;
    },
    get stateDir() {
      return stateDir;
    },
    complaints: [],
    button: (name) => page.getByRole("button", { name }),
    heading: (name) => page.getByRole("heading", { name }),
    dialog: () => page.getByRole("dialog"),
    device: (id) => page.locator(`[data-device="${id}"]`),
    token: () => page.getByLabel("Your token"),
    act: async (simulator, action, params = {}) => await demo.agent.simulation?.act(simulator, action, params as Record<string, never>),
    technician: () => connected("technician.sock"),
    kiosk: () => connected("service.sock"),
    async enter() {
      await page.getByLabel(/Your token|Mã truy cập của bạn/).fill(demo.technicianToken);
      await page.keyboard.press("Enter");
      for (const id of ["receipt", "scanner", "id-reader", "terminal", "vietqr", "documents", "camera"]) {
        await page.locator(`[data-device="${id}"][data-state="ready"]`).waitFor();
      }
    },
    async outOfService() {
      await rig.button("Take out of service …").click();
      await rig.dialog().getByRole("button", { name: "Take it out of service" }).click();
      await page.getByText("demo is out of service").waitFor();
    },
    async tested(id, words) {
      await rig.dialog().getByRole("heading", { name: words }).waitFor();
      await picture(page, `console-test-${id}`);
      await rig.dialog().getByRole("button", { name: "Close" }).click();
      await rig.dialog().waitFor({ state: "detached" });
    },
    stored: () =>
      page.evaluate(async () =>
        JSON.stringify([
          { ...localStorage },
          { ...sessionStorage },
          document.cookie,
          await indexedDB.databases(),
          await caches.keys(),
          history.state,
          location.href,
        ]),
      ),
    async anew(options) {
      await context.close();
      await open(options);
    },
  };
  return rig;
}

/** Is something drawn on it, and not all in one colour. */
export function inked(canvas: Locator): Promise<boolean> {
  return canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const pixels = (element as HTMLCanvasElement).getContext("2d")?.getImageData(0, 0, width, height).data ?? new Uint8ClampedArray();
    return pixels.length > 0 && pixels.some((value, at) => at % 4 === 0 && value !== pixels[0]);
  });
}

/** All of the page, into $STATIOND_SCREENSHOTS, where somebody wants to look. */
export async function wholePage(page: Page, name: string): Promise<void> {
  const folder = process.env.STATIOND_SCREENSHOTS;
  if (folder === undefined) return;
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
