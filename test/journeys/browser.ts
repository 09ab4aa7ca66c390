import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const CHROMIUM = process.env.STATIOND_CHROMIUM ?? "/usr/bin/chromium";

/** Whether journeys can run here. With STATIOND_REAL_STACK=required a missing browser is a failure, else it is said loudly. */
export function chromiumHere(): boolean {
  if (existsSync(CHROMIUM)) return true;
  if (process.env.STATIOND_REAL_STACK === "required") throw new RangeError(`STATIOND_REAL_STACK=required, but there is no ${CHROMIUM}`);
  console.warn(`SKIPPED: journeys in a browser, because there is no ${CHROMIUM}`);
  return false;
}

/** Without the background services, which a closed network answers with a storm of failures. */
export function launch(...args: string[]): Promise<Browser> {
  const quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"];
  return chromium.launch({ executablePath: CHROMIUM, args: [...quiet, "--disable-sync", ...args] });
}

/** Into $STATIOND_SCREENSHOTS, where somebody wants to look. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.STATIOND_SCREENSHOTS;
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
