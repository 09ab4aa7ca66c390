import { isIP } from "node:net";

/** An address that only this machine reaches: 127.0.0.0/8, ::1, localhost. */
export function isLoopback(host: string): boolean {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (bare.toLowerCase() === "localhost") return true;
  return isIP(bare) === 4 ? bare.startsWith("127.") : bare === "::1";
}

/** What is wrong with an origin of the allow-list; undefined: nothing. Only the very text that a browser sends is taken. */
export function originProblem(origin: string): string | undefined {
  const form = "an exact origin as browsers send it, such as https://kiosk.example.gov.vn";
  if (origin.includes("*")) return `expected ${form}; patterns are not allowed`;
  if (origin === "null") return `expected ${form}; "null" is what any sandboxed page sends`;
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) return `expected ${form}`;
  if (url.origin !== origin) return `expected ${form}; did you mean "${url.origin}"?`;
  if (url.protocol === "http:" && !isLoopback(url.hostname)) return "http: is only for pages from this machine: use https:";
  return undefined;
}

/** What is wrong with an entry of `hosts`: a value of the `Host` header, `name` or `name:port`. */
export function hostProblem(host: string): string | undefined {
  const form = "a host as it stands in the Host header, such as station.local or station.local:7870";
  if (host.includes("*")) return `expected ${form}; patterns are not allowed`;
  if (/^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/.test(host)) return undefined;
  return `expected ${form}, in lower case and without a scheme`;
}
