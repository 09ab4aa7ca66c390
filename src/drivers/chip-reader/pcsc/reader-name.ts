import type { DeviceIdentity } from "../../../protocol/devices.js";

/** Makers whose name has more than one word, or is written in another way than others write it. */
const VENDORS = [
  "Advanced Card Systems Ltd",
  "ACS",
  "Alcor Micro",
  "BROADCOM Corp",
  "Cherry GmbH",
  "Elatec",
  "Feitian",
  "FT",
  "Gemalto",
  "Generic",
  "HID Global",
  "Identiv",
  "OMNIKEY",
  "REINER SCT",
  "SCM Microsystems Inc.",
] as const;

const CONTACTLESS = /contactless|\bpicc\b|\bnfc\b|\brfid\b|\d*CL\b|\bACR12[2-9]\d|\bACR125\d/i;
const NOT_CONTACTLESS = /\bsam\b|\bicc\b|\bcontact\b/i;

export interface ReaderFacts {
  readonly identity: DeviceIdentity;
  /** Guessed from the name; null where it does not tell. */
  readonly contactless: boolean | null;
}

/** Takes a reader's name apart: "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader PICC] (serial) 00 00" (pcsc-lite). */
export function readerFacts(name: string): ReaderFacts {
  const [, rest = name] = /^(.*?)(?: [0-9A-F]{2} [0-9A-F]{2})?$/i.exec(name) ?? [];
  const interfaceName = /\[([^\]]*)\]/.exec(rest)?.[1] ?? "";
  const serial = /\(([^)]*)\)\s*$/.exec(rest)?.[1]?.trim();
  const product = rest
    .replace(/\[[^\]]*\]/, "")
    .replace(/\([^)]*\)\s*$/, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  const vendor = VENDORS.find((candidate) => product.toLowerCase().startsWith(`${candidate.toLowerCase()} `));
  const model = vendor === undefined ? product : product.slice(vendor.length).trim();
  // The slot's own name counts first: one device can have a contactless slot and others.
  const telling = [interfaceName, product].find((text) => CONTACTLESS.test(text) || NOT_CONTACTLESS.test(text)) ?? "";
  return {
    identity: {
      ...(vendor === undefined ? {} : { vendor }),
      ...(model === "" ? {} : { model }),
      ...(serial === undefined || serial === "" ? {} : { serial }),
    },
    contactless: NOT_CONTACTLESS.test(telling) ? false : CONTACTLESS.test(telling) ? true : null,
  };
}
