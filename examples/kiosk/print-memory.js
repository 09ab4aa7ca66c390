/**
 * The one thing that must outlive a reload: the key under which a slip was asked for. With it the new page finds the
 * same job again and nothing is printed twice. It goes when the job has ended. Nothing of a person is in it.
 */
const PLACE = "stationd.print";

/** `kind`: `dossier` or `journey`, with its `code`, or `identity`. */
export function rememberPrint({ kind, code, again }) {
  const print = { key: crypto.randomUUID(), kind, code, again, at: Date.now() };
  sessionStorage.setItem(PLACE, JSON.stringify(print));
  return print;
}

export function unfinishedPrint() {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE));
  } catch {
    return null;
  }
}

export function forgetPrint(key) {
  if (unfinishedPrint()?.key === key) sessionStorage.removeItem(PLACE);
}
