import { compareIdNumber, comparePrinted } from "../citizen-id/compare.js";
import { type CardDetailsRecord, parseDg13, withoutSensitive } from "../citizen-id/dg13.js";
import { isExpired } from "../citizen-id/validity.js";
import { type VietnameseMrz, vietnameseMrz } from "../citizen-id/vietnamese-mrz.js";
import type { Photos } from "../contracts/imaging.js";
import { readChip } from "../emrtd/index.js";
import { parseDg11, parseDg12 } from "../emrtd/lds/additional-details.js";
import { parseDg1 } from "../emrtd/lds/dg1.js";
import { parseDg2 } from "../emrtd/lds/dg2.js";
import type { ChipContents, ChipRead, LengthMemory, Verdicts } from "../emrtd/types.js";
import type { TrustStore } from "../emrtd/verify/trust-store.js";
import { verifyContents } from "../emrtd/verify/verify.js";
import { parseTd1 } from "../formats/mrz.js";
import { toHex } from "../kernel/bytes.js";
import type { CardSession } from "../kernel/card.js";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Random } from "../kernel/random.js";
import type { ApduTrace, CardReading, CardVerdicts } from "../protocol/chip-reader.js";
import type { BlobRef } from "../protocol/method.js";
import type { CardRequest } from "./card-request.js";

export interface ReadCardContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly photos: Photos;
  readonly trust: () => Promise<TrustStore>;
  readonly lengths: LengthMemory;
  readonly signal: AbortSignal;
  progress(stage: Parameters<ChipRead["progress"]>[0], fraction?: number): void;
  blob(mediaType: string, bytes: Uint8Array): Promise<BlobRef>;
}

type Reading = Omit<CardReading, "device" | "simulated">;
type Part = CardReading["missing"][number];

/** Reads the card of an open session, which it closes, and says what can be proved about it. @throws DeviceError as `readChip` */
export async function readCard(session: CardSession, request: CardRequest, context: ReadCardContext): Promise<Reading> {
  const { clock } = context;
  const startedMs = clock.monotonicMs();
  const trace: ApduTrace[] = [];
  const contents = await contentsOf(session, request, context, request.trace ? trace : undefined);
  const durationMs = clock.monotonicMs() - startedMs;
  context.progress("authenticating");
  const nowMs = clock.now();
  const { chip: asked, parts, sensitive } = request;
  const { files, access, activeAuthentication } = contents;
  const mrz = mrzOf(files.get("dg1"), nowMs);
  const details = files.has("dg13") ? parseDg13(files.get("dg13") as Uint8Array) : undefined;
  const additional = additionalOf(contents);
  const verdicts = verifyContents(contents, await context.trust(), nowMs);
  const portrait = await portraitOf(files.get("dg2"), request, context);
  const understood: Readonly<Record<Part, unknown>> = { dg1: mrz, dg2: portrait, dg13: details, ...additional };
  return {
    at: nowMs,
    access: {
      protocol: access.protocol,
      password: access.password,
      cipher: access.cipher,
      ...(access.mapping === undefined ? {} : { mapping: access.mapping }),
      ...(access.unproved ? { unproved: true } : {}),
    },
    ...(mrz ? { mrz: shownMrz(mrz) } : {}),
    ...(details ? { details: shownDetails(details, sensitive) } : {}),
    ...(additional.dg11 || additional.dg12 ? { additional: defined(additional) } : {}),
    ...(portrait ? { portrait } : {}),
    missing: parts.filter((part) => asked.files.includes(part) && !files.has(part)),
    unreadable: parts.filter((part) => files.has(part) && !understood[part]),
    verdicts: shownVerdicts(verdicts, mrz, details, request, nowMs),
    ...(activeAuthentication.state === "answered"
      ? { activeAuthenticationSignature: Buffer.from(activeAuthentication.signature).toString("base64") }
      : {}),
    ...(verdicts.signer ? { signer: verdicts.signer } : {}),
    ...(request.includeRaw ? { raw: await rawOf(contents, context) } : {}),
    apdus: contents.apdus,
    ...(request.trace ? { trace } : {}),
    durationMs,
  };
}

/** The chip's files. Ends at once when the card is lifted, whatever the reader still waits for; the card is powered down in any case. */
async function contentsOf(
  session: CardSession,
  { chip }: CardRequest,
  context: ReadCardContext,
  trace: ApduTrace[] | undefined,
): Promise<ChipContents> {
  const { clock, random, lengths, signal } = context;
  const reading = new AbortController();
  const stop = (): void => reading.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const read: ChipRead = {
      progress: (stage, fraction) => context.progress(stage, fraction),
      atr: toHex(session.atr),
      maxApduBytes: session.maxApduBytes,
      lengths,
      randomBytes: (length) => random.bytes(length),
      signal: reading.signal,
    };
    const card = trace ? traced(session, clock, trace) : session;
    const lifted = session.ended.then((reason) => {
      reading.abort(reason);
      throw reason;
    });
    return await Promise.race([readChip(card, chip, read), lifted]);
  } finally {
    signal.removeEventListener("abort", stop);
    await session.close();
  }
}

/** Notes header, lengths, status word and times of each APDU; nothing of its content. */
function traced(card: CardSession, clock: Clock, trace: ApduTrace[]): Pick<CardSession, "transmit"> {
  const startedMs = clock.monotonicMs();
  return {
    async transmit(apdu, signal) {
      const sentMs = clock.monotonicMs();
      const response = await card.transmit(apdu, signal);
      trace.push({
        header: toHex(apdu.subarray(0, 4)),
        sentBytes: apdu.length,
        receivedBytes: response.length,
        status: toHex(response.subarray(-2)),
        atMs: sentMs - startedMs,
        durationMs: clock.monotonicMs() - sentMs,
      });
      return response;
    },
  };
}

/** What a decoder makes of it; undefined where it makes nothing of it. */
function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (thrown) {
    if (thrown instanceof DeviceError) return undefined;
    throw thrown;
  }
}

function mrzOf(dg1: Uint8Array | undefined, nowMs: number): VietnameseMrz | undefined {
  const text = dg1 && attempt(() => parseDg1(dg1))?.text;
  const td1 = text === undefined ? undefined : parseTd1(text);
  return td1 && vietnameseMrz(td1, nowMs);
}

interface Additional {
  readonly dg11: Record<string, string> | undefined;
  readonly dg12: Record<string, string> | undefined;
}

function additionalOf({ files }: ChipContents): Additional {
  const [dg11, dg12] = [files.get("dg11"), files.get("dg12")];
  return { dg11: dg11 && attempt(() => parseDg11(dg11)), dg12: dg12 && attempt(() => parseDg12(dg12)) };
}

function defined({ dg11, dg12 }: Additional): NonNullable<CardReading["additional"]> {
  return { ...(dg11 ? { dg11 } : {}), ...(dg12 ? { dg12 } : {}) };
}

function shownMrz({ nameMayBeCut: _, ...mrz }: VietnameseMrz): NonNullable<CardReading["mrz"]> {
  return mrz;
}

function shownDetails(record: CardDetailsRecord, sensitive: CardRequest["sensitive"]): NonNullable<CardReading["details"]> {
  const { parents, ...rest } = withoutSensitive(record, sensitive);
  return { ...rest, ...(parents ? { parents: [...parents] } : {}) } as NonNullable<CardReading["details"]>;
}

function shownVerdicts(
  verdicts: Verdicts,
  mrz: VietnameseMrz | undefined,
  details: CardDetailsRecord | undefined,
  request: CardRequest,
  nowMs: number,
): CardVerdicts {
  const { signature, hashes, issuer, revoked, certificateExpired, cardAccess, chip, activeAuthentication } = verdicts;
  const expiry = mrz?.expiryDate ?? details?.expiryDate;
  const known = (flag: boolean | "unknown"): "yes" | "no" | "unknown" => (flag === "unknown" ? flag : flag ? "yes" : "no");
  return {
    signature,
    hashes: hashes.verdict,
    mismatched: [...hashes.mismatched],
    issuer,
    revoked,
    certificateExpired: known(certificateExpired),
    documentExpired: known(expiry === undefined ? "unknown" : isExpired(expiry, nowMs)),
    cardAccess,
    chip,
    activeAuthentication,
    qr: compareIdNumber(request.expectedIdNumber, details, mrz),
    printed: comparePrinted(mrz, details),
  };
}

/** Undefined where there is none, or where it is no picture: the rest of the card is worth reading all the same. */
async function portraitOf(
  dg2: Uint8Array | undefined,
  { portraitOriginal }: CardRequest,
  { photos, signal, blob }: ReadCardContext,
): Promise<CardReading["portrait"]> {
  const face = dg2 && attempt(() => parseDg2(dg2));
  if (!face) return undefined;
  try {
    const photo = await photos.photo(face.image, signal);
    const original = { jpeg: "image/jpeg", jp2: "image/jp2", j2k: "image/j2c" }[face.format];
    return {
      image: await blob(photo.mediaType, photo.bytes),
      widthPx: photo.widthPx,
      heightPx: photo.heightPx,
      ...(portraitOriginal ? { original: await blob(original, face.image) } : {}),
    };
  } catch (thrown) {
    if (signal.aborted || !(thrown instanceof DeviceError)) throw thrown;
    if (thrown.kind !== "invalid_params" && thrown.kind !== "too_large" && thrown.kind !== "timeout") throw thrown;
    return undefined;
  }
}

async function rawOf({ files, cardAccess }: ChipContents, { blob }: ReadCardContext): Promise<NonNullable<CardReading["raw"]>> {
  const all: [string, Uint8Array][] = [...files];
  if (cardAccess) all.push(["cardAccess", cardAccess]);
  const raw: NonNullable<CardReading["raw"]> = [];
  for (const [file, bytes] of all) raw.push({ file, content: await blob("application/octet-stream", bytes) });
  return raw;
}
