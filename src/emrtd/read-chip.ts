import { DeviceError } from "../kernel/errors.js";
import type { CurveConstants } from "./access/curve-table.js";
import { verifyCam } from "./access/pace.js";
import { authenticateActively } from "./active-authentication.js";
import { NO_ANSWER, NOT_ALLOWED, NOT_FOUND, OK, UNVERIFIED } from "./apdu.js";
import { createChannel } from "./channel.js";
import { authenticateChip, chooseChipAuthentication } from "./chip-authentication.js";
import { CARD_SECURITY, FILES, type FileFacts } from "./files.js";
import { type OpenChip, openChip, SELECT_APPLICATION, selectApplication } from "./open-chip.js";
import { createProgress } from "./progress.js";
import { aboutLength, readFile } from "./read-file.js";
import { createReadLengths } from "./read-lengths.js";
import { securityInfosOfCardSecurity, securityInfosOfDg14 } from "./security-infos.js";
import { statusError } from "./status.js";
import type { ActiveAuthentication, ChipAuthentication, DataGroup, FileName, ReadChip } from "./types.js";

const CHALLENGE_BYTES = 8;

/** Reads a chip: the order is that of fewest commands, and of least to lose where a step is refused. */
export const readChip: ReadChip = async (card, request, read) => {
  const { challenge, files } = request;
  if (challenge && challenge.length !== CHALLENGE_BYTES) {
    throw new DeviceError("invalid_params", { message: `the challenge has ${challenge.length} bytes instead of ${CHALLENGE_BYTES}` });
  }
  const wanted: DataGroup[] = [...new Set([...files, ...(challenge ? (["dg15"] as const) : [])])].filter((name) => name !== "dg14");
  const channel = createChannel(card, read.signal);
  const lengths = createReadLengths(read.lengths, read.atr, read.maxApduBytes);
  const progress = createProgress([FILES.sod, FILES.dg14, ...wanted.map((name) => FILES[name])], (fraction) =>
    read.progress("reading", fraction),
  );
  const contents = new Map<FileName, Uint8Array>();
  let chipAuthentication: ChipAuthentication = { state: "not_supported" };
  /** Keys of chip authentication are in use, and no answer has verified yet. */
  let unconfirmed: ChipAuthentication | undefined;
  /** PACE-CAM: the key of EF.CardSecurity that was proved, and whether each opening proved it. */
  let mapped: { readonly curve: CurveConstants; readonly point: Uint8Array } | undefined;
  let camVerified: boolean | undefined;
  let select = false;
  let chip: OpenChip;

  const blockBytes = (): number => channel.protection?.suite.blockBytes ?? 16;
  const reopen = async (): Promise<void> => {
    const evidence = await chip.reopen();
    // Whoever answers now may be another than the one that proved itself, and no hash of the SOD binds EF.CardSecurity to it.
    if (mapped && camVerified) camVerified = evidence !== undefined && verifyCam(mapped.curve, evidence, mapped.point);
    // BAC begins with it.
    if (chip.access.protocol === "pace") await selectApplication(channel);
  };

  /** One file, with whatever it takes; undefined where the chip has none, or does not hand it out. */
  const readOne = async (file: FileFacts, required: boolean): Promise<Uint8Array | undefined> => {
    for (;;) {
      const outcome = await readFile(channel, file, {
        le: lengths.le(blockBytes()),
        select,
        progress: (bytes, total) => progress.at(file, bytes, total),
      });
      const lost = outcome.state === "refused" && outcome.lost;
      if (unconfirmed) {
        // A card that slipped is no false one.
        if (outcome.state === "refused" && outcome.sw === NO_ANSWER) throw statusError("chip authentication", outcome.sw);
        chipAuthentication = lost ? { state: "failed" } : unconfirmed;
        unconfirmed = undefined;
        if (lost) {
          // A chip without the key cannot go on under it: the rest is read under the keys of the access.
          await reopen();
          continue;
        }
      }
      if (outcome.state === "read") {
        lengths.confirm();
        return outcome.bytes;
      }
      if (outcome.state === "absent") {
        if (!required || select) return undefined;
        // Some chips say "not found" where they have no short identifiers; a file that every chip has tells them apart.
        select = true;
        continue;
      }
      if (aboutLength(outcome.sw) && lengths.shorten()) {
        if (lost) await reopen();
        continue;
      }
      if (lost) {
        if (outcome.sw !== NOT_FOUND && outcome.sw !== NOT_ALLOWED) throw statusError(`reading ${file.name}`, outcome.sw);
        await reopen();
        return undefined;
      }
      if (select) throw statusError(`reading ${file.name}`, outcome.sw);
      select = true;
    }
  };

  const keep = async (name: FileName, required = false): Promise<Uint8Array | undefined> => {
    const bytes = await readOne(FILES[name], required);
    progress.done(FILES[name]);
    if (bytes) contents.set(name, bytes);
    return bytes;
  };

  const authenticate = async (dg14: Uint8Array): Promise<void> => {
    const choice = chooseChipAuthentication(securityInfosOfDg14(dg14));
    if (!choice) return;
    read.progress("authenticating");
    const { sw, lost } = await authenticateChip(channel, choice, read.randomBytes);
    if (sw === NO_ANSWER || sw === UNVERIFIED) throw statusError("chip authentication", sw);
    if (sw !== OK) {
      chipAuthentication = { state: "failed" };
      if (lost) await reopen();
      return;
    }
    unconfirmed = { state: "done", oid: choice.oid, parameterId: choice.curve.parameterId };
  };

  /** Nothing else was to be read: the proof needs one answer all the same. */
  const confirm = async (): Promise<void> => {
    if (!unconfirmed) return;
    const { sw, lost } = await channel.send(SELECT_APPLICATION);
    if (sw === NO_ANSWER) throw statusError("chip authentication", sw);
    chipAuthentication = lost ? { state: "failed" } : unconfirmed;
    unconfirmed = undefined;
  };

  /** EF.CardSecurity lies in the master file: it is read before the application is selected (ICAO 9303-11 §4.4.3.5). */
  const readCam = async ({ cam }: OpenChip): Promise<Uint8Array | undefined> => {
    if (!cam) return undefined;
    const outcome = await readFile(channel, CARD_SECURITY, { le: lengths.le(blockBytes()), select: false, progress: () => {} });
    if (outcome.state === "refused" && outcome.lost) {
      if (aboutLength(outcome.sw)) lengths.shorten();
      await chip.reopen();
      return undefined;
    }
    if (outcome.state !== "read") return undefined;
    const keys = securityInfosOfCardSecurity(outcome.bytes).chipAuthenticationKeys;
    mapped = keys.find(({ ec }) => ec?.curve === cam.choice.curve && verifyCam(ec.curve, cam.evidence, ec.point))?.ec;
    camVerified = mapped !== undefined;
    return outcome.bytes;
  };

  try {
    read.progress("access");
    chip = await openChip({ channel, request, lengths, randomBytes: read.randomBytes });
    const cardSecurity = await readCam(chip);
    if (chip.access.protocol === "pace") await selectApplication(channel);

    progress.start();
    await keep("sod", true);
    const dg14 = await keep("dg14");
    if (dg14) await authenticate(dg14);
    for (const name of wanted) if (name !== "dg15" || !challenge) await keep(name);

    let activeAuthentication: ActiveAuthentication = { state: "not_asked" };
    if (challenge) {
      const dg15 = await keep("dg15");
      if (dg15) read.progress("authenticating");
      activeAuthentication = dg15
        ? await authenticateActively(channel, dg15, challenge, lengths, blockBytes())
        : { state: "not_supported" };
    }
    await confirm();
    return {
      access: chip.access,
      ...(chip.cardAccess ? { cardAccess: chip.cardAccess } : {}),
      ...(cardSecurity ? { cardSecurity } : {}),
      ...(camVerified === undefined ? {} : { camVerified }),
      files: contents,
      chipAuthentication,
      activeAuthentication,
      apdus: channel.apdus,
    };
  } finally {
    // Wipes the session's keys.
    channel.setProtection(undefined);
  }
};
