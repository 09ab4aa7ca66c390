import { isLoopback } from "../config/addresses.js";
import { type Checks, type Finding, ok, putInPlace, type Station, skipped, word } from "./finding.js";
import type { Machine } from "./machine.js";

const KEY = "LoopbackNetworkAllowedForUrls";
/** Where Debian's Chromium and Google's Chrome look, each with the file that we would make there. */
const BROWSERS = [
  { program: "/usr/bin/chromium", folder: "/etc/chromium/policies/managed" },
  { program: "/usr/bin/google-chrome", folder: "/etc/opt/chrome/policies/managed" },
] as const;

/** Whether the browser lets the kiosk page reach the agent without asking the person in front of it. */
export const checkBrowser: Checks = async (machine, station) => {
  const origins = (station.config?.server.origins ?? []).filter((origin) => !isLoopback(new URL(origin).hostname));
  if (origins.length === 0) return [skipped("browser.policy", "no page from outside this machine is configured")];
  const findings = await Promise.all(BROWSERS.map((browser) => policyFinding(machine, station, browser, origins)));
  const found = findings.flatMap((finding) => finding ?? []);
  return found.length > 0 ? found : [skipped("browser.policy", "there is no Chromium on this machine")];
};

async function policyFinding(
  machine: Machine,
  station: Station,
  { program, folder }: (typeof BROWSERS)[number],
  origins: readonly string[],
): Promise<Finding | undefined> {
  const id = "browser.policy";
  if (!(await machine.facts(program))) return undefined;
  const ours = `${folder}/stationd.json`;
  const files = (await machine.list(folder)).filter((name) => name.endsWith(".json")).map((name) => `${folder}/${name}`);
  const lists = await Promise.all(files.map(async (file) => ({ file, list: allowed(await machine.text(file)) })));
  // The browser takes one file's list, and does not say which.
  const telling = lists.filter(({ list }) => list !== undefined);
  const lacking = telling.filter(({ list }) => origins.some((origin) => !list?.includes(origin)));
  if (telling.length > 0 && lacking.length === 0) return ok(id, "the browser lets the configured pages reach the agent");
  const list = `"${KEY}": [${[...new Set([...lacking.flatMap(({ list }) => list ?? []), ...origins])].map((origin) => JSON.stringify(origin)).join(", ")}]`;
  const file = lacking[0]?.file ?? ours;
  const set = `sed -zi ${word(`s|"${KEY}"[[:space:]]*:[[:space:]]*\\[[^]]*\\]|${list.replaceAll(/[\\&|]/g, "\\$&")}|`)} ${word(file)}`;
  return {
    id,
    verdict: "failure",
    finding: lacking.length > 0 ? `${file} does not name ${origins.join(", ")}` : "no policy lets pages reach the agent",
    why: "The browser refuses the page's connection, or asks the citizen.",
    mend: lacking.length > 0 ? set : `${putInPlace(station, "chromium-policy.json", ours)} && ${set}`,
  };
}

/** Undefined where the file says nothing of it, or is no JSON: the browser passes over such a file too. */
function allowed(text: string | undefined): readonly unknown[] | undefined {
  try {
    const policy = JSON.parse(text ?? "") as Readonly<Record<string, unknown>> | null;
    const list = policy?.[KEY];
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}
