import { DeviceError } from "../kernel/errors.js";
import { bac } from "./access/bac.js";
import { choosePace, type PaceChoice } from "./access/choose-pace.js";
import { type CamEvidence, type PaceOutcome, pace } from "./access/pace.js";
import { type Command, NO_ANSWER, OK } from "./apdu.js";
import type { Channel } from "./channel.js";
import { CARD_ACCESS, EMRTD_AID } from "./files.js";
import { aboutLength, type FileOutcome, readFile } from "./read-file.js";
import type { ReadLengths } from "./read-lengths.js";
import { parseSecurityInfos } from "./security-infos.js";
import { statusError } from "./status.js";
import type { Access, AccessKey, ChipRequest } from "./types.js";

/** ICAO 9303-11 §4.2; no answer but the status is asked for. */
export const SELECT_APPLICATION: Command = { cla: 0x00, ins: 0xa4, p1: 0x04, p2: 0x0c, data: EMRTD_AID };
const SELECT_MASTER_FILE: Command = { cla: 0x00, ins: 0xa4, p1: 0x00, p2: 0x0c, data: Uint8Array.of(0x3f, 0x00) };

export interface OpenContext {
  readonly channel: Channel;
  readonly request: ChipRequest;
  readonly lengths: ReadLengths;
  randomBytes(length: number): Uint8Array;
}

/** A chip that was opened once, and how to do it again when the session is lost. */
export interface OpenChip {
  readonly access: Access;
  readonly cardAccess: Uint8Array | undefined;
  /** PACE-CAM only. */
  readonly cam: { readonly evidence: CamEvidence; readonly choice: PaceChoice } | undefined;
  /**
   * Protects the channel again; the application is not selected yet where that goes under protection.
   * @returns what PACE-CAM left to check this time
   */
  reopen(): Promise<CamEvidence | undefined>;
}

/**
 * EF.CardAccess in the clear (ICAO 9303-11 §9.2.11), by short identifier in one command or by SELECT. Lengths are learnt here
 * already, for a refusal costs no session.
 */
async function readCardAccess({ channel, lengths }: OpenContext, select: boolean): Promise<FileOutcome> {
  for (;;) {
    const outcome = await readFile(channel, CARD_ACCESS, { select, le: lengths.le(16), progress: () => {} });
    if (outcome.state !== "refused" || !aboutLength(outcome.sw) || !lengths.shorten()) return outcome;
  }
}

/** Selects the eMRTD application. @throws DeviceError `card_unsupported` */
export async function selectApplication(channel: Channel): Promise<void> {
  const { sw, lost } = await channel.send(SELECT_APPLICATION);
  if (sw !== OK) throw statusError("SELECT", sw, lost || sw === NO_ANSWER ? "card_error" : "card_unsupported");
}

async function openByBac({ channel, request: { access }, randomBytes }: OpenContext): Promise<void> {
  channel.setProtection(undefined);
  await selectApplication(channel);
  if (access.kind !== "mrz") throw new DeviceError("mrz_required", { message: "the chip opens by its printed lines only" });
  await bac(channel, access.mrz.reveal(), randomBytes);
}

function accessOf(access: AccessKey, { info, curve, unproved }: PaceChoice): Access {
  return {
    protocol: "pace",
    password: access.kind,
    oid: info.oid,
    parameterId: curve.parameterId,
    mapping: info.mapping,
    cipher: info.suite.name,
    ...(unproved ? { unproved: true } : {}),
  };
}

/** @returns undefined where EF.CardAccess has no PACE of ours; the status word where the chip refuses what it offered */
async function openByPace(context: OpenContext, cardAccess: Uint8Array): Promise<OpenChip | number | undefined> {
  const { channel, request, randomBytes } = context;
  const choice = choosePace(parseSecurityInfos(cardAccess));
  if (!choice) return undefined;
  const run = (): Promise<PaceOutcome> => pace(channel, choice, request.access, randomBytes);
  const outcome = await run();
  if (outcome.state === "refused") return outcome.sw;
  const reopen = async (): Promise<CamEvidence | undefined> => {
    channel.setProtection(undefined);
    let again = await run();
    if (again.state === "refused") {
      // Some chips have PACE in the master file only, and the application is selected now.
      await channel.send(SELECT_MASTER_FILE);
      again = await run();
    }
    if (again.state === "refused") throw statusError("PACE", again.sw);
    return again.cam;
  };
  const cam = outcome.cam && { evidence: outcome.cam, choice };
  return { access: accessOf(request.access, choice), cardAccess, cam, reopen };
}

/**
 * PACE where the chip has it, else BAC, as the request lets it (ICAO 9303-11 §4.2). The application is selected under PACE by the
 * caller, before BAC here.
 * @throws DeviceError `access_denied`, `mrz_required`, `card_unsupported`, `card_error`, `invalid_params`; what the channel throws
 */
export async function openChip(context: OpenContext): Promise<OpenChip> {
  const { protocol, access } = context.request;
  let cardAccess: Uint8Array | undefined;
  let refused: number | undefined;
  let unanswered = false;
  const tryPace = async (select: boolean): Promise<{ opened?: OpenChip; absent: boolean }> => {
    const file = await readCardAccess(context, select);
    unanswered = file.state === "refused" && file.sw === NO_ANSWER;
    if (file.state !== "read") return { absent: file.state === "absent" };
    cardAccess = file.bytes;
    const opened = await openByPace(context, cardAccess);
    unanswered = opened === NO_ANSWER;
    if (typeof opened !== "object") refused = opened;
    return typeof opened === "object" ? { opened, absent: false } : { absent: false };
  };

  if (protocol !== "bac") {
    const { opened, absent } = await tryPace(false);
    if (opened) return opened;
    // "No such file" is believed for once where BAC is another way; else it may mean "no short identifiers".
    if (cardAccess === undefined && (!absent || protocol === "pace" || access.kind === "can")) {
      const again = await tryPace(true);
      if (again.opened) return again.opened;
    }
    if (protocol === "pace") {
      if (refused !== undefined) throw statusError("PACE", refused);
      throw new DeviceError("card_unsupported", {
        message: "the chip offers no PACE that this reader has",
        hint: "Ask for the protocol `auto`, with the card's printed lines as the key",
      });
    }
  }
  // A card that slipped has not said what opens it.
  if (unanswered && access.kind !== "mrz") throw statusError("PACE", NO_ANSWER);
  try {
    await openByBac(context);
  } catch (error) {
    if (!(error instanceof DeviceError) || error.kind !== "card_unsupported" || protocol === "bac") throw error;
    // The application shows itself under PACE only.
    if (refused !== undefined) throw statusError("PACE", refused);
    const { opened } = cardAccess === undefined && access.kind === "mrz" ? await tryPace(true) : {};
    if (!opened) throw error;
    return opened;
  }
  const reopen = async (): Promise<undefined> => void (await openByBac(context));
  return { access: { protocol: "bac", password: "mrz", cipher: "3des" }, cardAccess, cam: undefined, reopen };
}
