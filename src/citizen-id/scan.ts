import { readVietQr, type VietQr } from "../formats/vietqr.js";
import { type CitizenCard, parseCardCode } from "./card-code.js";

/** What a scanned text is. `plain` is everything else: dossier and bill codes, web addresses, goods. */
export type ParsedScan =
  | ({ readonly kind: "citizenCard" } & CitizenCard)
  | ({ readonly kind: "vietqr" } & VietQr)
  | { readonly kind: "plain" };

/** Never throws; a text that only resembles a known code is `plain`. */
export function parseScan(text: string): ParsedScan {
  const card = parseCardCode(text);
  if (card) return { kind: "citizenCard", ...card };
  const transfer = readVietQr(text);
  if (transfer) return { kind: "vietqr", ...transfer };
  return { kind: "plain" };
}
