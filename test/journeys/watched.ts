/** A page under the eyes of axe-core, which counts the pictures that it was given. */
import axe from "axe-core";
import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { picture } from "./browser.js";

interface Watched extends Window {
  axe: { run(root: Document, options: object): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
  Blob: typeof Blob;
  /** Object URLs that live. */
  urls: Set<string>;
  /** Every picture of a camera, a scanner or a chip that this page was ever given. */
  pictures: WeakRef<Blob>[];
}
declare const window: Watched;

/** To be called before the page is there. */
export async function watch(context: BrowserContext): Promise<void> {
  await context.addInitScript({ content: axe.source });
  await context.addInitScript(() => {
    window.urls = new Set();
    window.pictures = [];
    window.Blob = class extends Blob {
      constructor(parts?: BlobPart[], options?: BlobPropertyBag) {
        super(parts, options);
        if (options?.type === "image/jpeg") window.pictures.push(new WeakRef(this));
      }
    };
    const { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (blob: Blob) => {
      const url = createObjectURL.call(URL, blob);
      window.urls.add(url);
      return url;
    };
    URL.revokeObjectURL = (url: string) => {
      window.urls.delete(url);
      revokeObjectURL.call(URL, url);
    };
  });
}

/** No serious fault on the screen that is shown, and all of it can be pressed by a finger. */
export async function usableScreen(page: Page, name: string): Promise<void> {
  // What still moves has no colour yet.
  await page.evaluate(() =>
    Promise.allSettled(document.getAnimations().map((each) => each.effect?.getTiming().iterations === 1 && each.finished)),
  );
  await picture(page, name);
  const faults = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" ")}`);
  });
  expect([name, faults]).toEqual([name, []]);
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("#stage button")]
      .filter((element) => element.getBoundingClientRect().height < 64 && element.getClientRects().length > 0)
      .map((element) => element.outerHTML.slice(0, 80)),
  );
  expect([name, small]).toEqual([name, []]);
  expect([name, await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)]).toEqual([
    name,
    false,
  ]);
}

/** Nothing of the citizen is left in the page: neither words, nor pictures, nor object URLs of the station's. */
export async function nothingLeft(page: Page, name: string): Promise<void> {
  const left = await page.evaluate(() => ({
    stage: (document.querySelector("#stage")?.innerHTML ?? "").normalize("NFC"),
    journey: document.querySelector("#journey")?.innerHTML,
    // The panel's printer is the simulators' own hand, and no part of the kiosk.
    urls: [...window.urls].filter((url) => (document.querySelector(".panel-paper") as HTMLImageElement | null)?.src !== url),
    stored: JSON.stringify([{ ...sessionStorage }, Object.keys(localStorage).filter((key) => key !== "stationd.payment.left")]),
  }));
  expect(left.stage).not.toContain(name);
  expect(left).toMatchObject({ journey: "", urls: [], stored: "[{},[]]" });
  const alive = () => page.evaluate(() => window.pictures.filter((picture) => picture.deref() !== undefined).length);
  await expect
    .poll(
      async () => {
        await page.requestGC();
        return await alive();
      },
      { timeout: 20_000 },
    )
    .toBe(0);
}
