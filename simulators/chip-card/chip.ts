import { equalBytes, fromHex } from "../../src/kernel/bytes.js";
import type { Random } from "../../src/kernel/random.js";
import type { SigningKey } from "./active-authentication.js";
import { type Answer, type Command, encodeAnswer, parseCommand, status, success } from "./apdu.js";
import { mutualAuthenticate } from "./bac.js";
import { agreeWithChip, type ChipKey } from "./chip-authentication.js";
import { digest } from "./ciphers.js";
import { dataObjects, oidBytes, tlv } from "./der.js";
import { EF_CARD_ACCESS, fileOfShortId, parseReadBinary, type ReadRequest, readFile } from "./files.js";
import { type PaceSet, type PaceStep, paceOidBytes, startPace } from "./pace.js";
import { type Channel, closeChannel, count, plaintextThatFits, SM_OBJECTS_WRONG, unwrapCommand, wrapAnswer } from "./secure-messaging.js";

/** What one personalised card carries. */
export interface CardContent {
  /** Readable without access: EF.CardAccess, EF.CardSecurity (ICAO 9303-10 §3.11). */
  readonly masterFiles: ReadonlyMap<number, Uint8Array>;
  readonly applicationFiles: ReadonlyMap<number, Uint8Array>;
  /** Present, but only for terminals that authenticate themselves: fingerprints. */
  readonly closedFiles: ReadonlySet<number>;
  readonly can: string;
  /** Document number, birth and expiry, each with its check digit (ICAO 9303-11 §9.7.2). */
  readonly mrzKey: string;
  readonly chipKey?: ChipKey | undefined;
  readonly signingKey?: SigningKey | undefined;
}

/** How the chip behaves, faults included. */
export interface ChipBehaviour {
  readonly bac: boolean;
  readonly pace: readonly PaceSet[];
  readonly refusePace: boolean;
  readonly wrongKeyStatus: number;
  readonly cardAccessBySfi: boolean;
  readonly selectMaster: boolean;
  readonly extendedLength: boolean;
  readonly leCap: number | undefined;
  readonly beyondLeCap: "refuse" | "tell" | "short";
  /** Longer answers come in pieces, with 61xx. */
  readonly chunkBytes: number | undefined;
  /** The counter slips at this protected command, counted from the opening of the channel. */
  readonly slipAtCommand: number | undefined;
}

export type AccessProtocol = "none" | "bac" | "pace-gm" | "pace-im" | "pace-cam";

export interface Chip {
  /** A response APDU for any bytes; never throws. */
  transmit(apdu: Uint8Array): Uint8Array;
  /** Power was off: all sessions are forgotten. */
  restart(): void;
  readonly access: AccessProtocol;
  readonly chipAuthenticated: boolean;
}

const APPLICATION = fromHex("a0000002471001");
/** Keeps an answer within one frame of the wire. */
const ANSWER_BYTES_MAX = 65_532;

function keyNamed({ keyId }: ChipKey, named: Uint8Array | undefined): boolean {
  if (keyId === undefined) return named === undefined;
  return named !== undefined && equalBytes(named, Uint8Array.of(keyId));
}

export function createChip(content: CardContent, behaviour: ChipBehaviour, random: Random): Chip {
  let channel: Channel | undefined;
  let nextChannel: Channel | undefined;
  let protectedCommands = 0;
  let access: AccessProtocol = "none";
  let chipAuthenticated = false;
  let inApplication = false;
  let selected: number | undefined;
  let challenge: Uint8Array | undefined;
  let pace: { readonly set: PaceSet; readonly step: (data: Uint8Array) => PaceStep } | undefined;
  let chipAuthenticationSet = false;
  let rest: Uint8Array = new Uint8Array();

  const forget = (): void => {
    if (channel) closeChannel(channel);
    channel = undefined;
    nextChannel = undefined;
    access = "none";
    chipAuthenticated = false;
    challenge = undefined;
    pace = undefined;
    chipAuthenticationSet = false;
  };
  const restart = (): void => {
    forget();
    inApplication = false;
    selected = undefined;
    rest = new Uint8Array();
  };
  const open = (opened: Channel, how: AccessProtocol): void => {
    channel = opened;
    protectedCommands = 0;
    access = how;
  };

  const select = ({ p1, p2, data }: Command): Answer => {
    if ((p2 & 0xf3) !== 0) return status(0x6a86);
    if (p1 === 0x04) {
      if (!equalBytes(data, APPLICATION)) return status(0x6a82);
      // A card without BAC shows its application under secure messaging only.
      if (!channel && !behaviour.bac) return status(0x6982);
      inApplication = true;
      selected = undefined;
      return success();
    }
    if (p1 === 0x00) {
      if (!behaviour.selectMaster) return status(0x6d00);
      if (data.length !== 0 && !equalBytes(data, Uint8Array.of(0x3f, 0x00))) return status(0x6a82);
      inApplication = false;
      selected = undefined;
      return success();
    }
    if (p1 !== 0x02) return status(0x6a86);
    if (data.length !== 2) return status(0x6700);
    const file = (data[0] ?? 0) * 256 + (data[1] ?? 0);
    const refused = refusal(file);
    if (refused !== undefined) return status(refused);
    selected = file;
    return success();
  };

  /** Why a file cannot be had now; undefined when it can. */
  const refusal = (file: number): number | undefined => {
    if (!inApplication) return content.masterFiles.has(file) ? undefined : 0x6a82;
    if (content.closedFiles.has(file)) return 0x6982;
    if (!content.applicationFiles.has(file)) return access === "none" ? 0x6982 : 0x6a82;
    return access === "none" ? 0x6982 : undefined;
  };

  const locate = (request: ReadRequest): number | undefined => {
    if (request.fileId !== undefined) return request.fileId;
    if (request.shortId === undefined) return selected;
    const files = inApplication ? [...content.applicationFiles.keys(), ...content.closedFiles] : content.masterFiles.keys();
    return fileOfShortId(files, request.shortId) ?? 0;
  };

  const readBinary = (command: Command, roomBytes: number): Answer => {
    const request = parseReadBinary(command);
    if (typeof request === "number") return status(request);
    const file = locate(request);
    if (file === undefined) return status(0x6986);
    const refused = refusal(file);
    if (refused !== undefined) return status(refused);
    const bySfi = request.shortId !== undefined;
    if (bySfi && !inApplication && file === EF_CARD_ACCESS && !behaviour.cardAccessBySfi) return status(0x6a82);
    if (command.ne === 0) return status(0x6700);
    selected = file;
    const cap = behaviour.leCap;
    if (cap !== undefined && command.ne > cap && behaviour.beyondLeCap !== "short") {
      return status(behaviour.beyondLeCap === "refuse" ? 0x6700 : 0x6c00 | (cap & 0xff));
    }
    const bytes = (inApplication ? content.applicationFiles : content.masterFiles).get(file);
    if (!bytes) return status(0x6a82);
    return readFile(bytes, request, {
      roomBytes: Math.min(roomBytes, cap ?? roomBytes),
      ne: command.ne,
      neIsMaximum: command.neIsMaximum,
    });
  };

  const setPace = (objects: ReadonlyMap<number, Uint8Array>): Answer => {
    const wanted = objects.get(0x80);
    const reference = objects.get(0x83);
    const parameter = objects.get(0x84);
    if (behaviour.pace.length === 0) return status(0x6d00);
    if (!wanted || !reference || behaviour.refusePace) return status(0x6a80);
    const sameProtocol = behaviour.pace.filter((set) => equalBytes(paceOidBytes(set), wanted));
    const [set, another] = sameProtocol.filter((candidate) => !parameter || equalBytes(parameter, Uint8Array.of(candidate.parameterId)));
    // Without 84 there must be one set only (ICAO 9303-11 §4.4.4.1).
    if (!set || another) return status(0x6a80);
    const password = [undefined, digest("sha1", new TextEncoder().encode(content.mrzKey)), new TextEncoder().encode(content.can)][
      reference.length === 1 ? (reference[0] ?? 0) : 0
    ];
    if (!password) return status(0x6a88);
    const step = startPace({ set, password, random, chipSecret: content.chipKey?.secret, wrongKeyStatus: behaviour.wrongKeyStatus });
    pace = { set, step };
    return success();
  };

  const setChipAuthentication = (objects: ReadonlyMap<number, Uint8Array>): Answer => {
    const { chipKey } = content;
    if (!channel) return status(0x6982);
    if (!chipKey || chipKey.cipher.name === "3des") return status(0x6a80);
    const wanted = objects.get(0x80);
    if (!wanted || !equalBytes(wanted, oidBytes(`0.4.0.127.0.7.2.2.3.2.${chipKey.cipher.arc}`))) return status(0x6a80);
    if (!keyNamed(chipKey, objects.get(0x84))) return status(0x6a88);
    chipAuthenticationSet = true;
    return success();
  };

  /** Chip authentication with 3DES is a single MSE:Set KAT (ICAO 9303-11 §6.2.3.1). */
  const keyAgreementTemplate = (objects: ReadonlyMap<number, Uint8Array>): Answer => {
    const { chipKey } = content;
    if (!channel) return status(0x6982);
    if (chipKey?.cipher.name !== "3des") return status(0x6a80);
    if (!keyNamed(chipKey, objects.get(0x84))) return status(0x6a88);
    nextChannel = agreeWithChip(chipKey, objects.get(0x91) ?? new Uint8Array());
    return nextChannel ? success() : status(0x6a80);
  };

  const manageEnvironment = ({ p1, p2, data }: Command): Answer => {
    const objects = dataObjects(data);
    if (!objects) return status(0x6a80);
    const byTag = new Map(objects.map(({ tag, value }) => [tag, value]));
    if (p1 === 0xc1 && p2 === 0xa4) return channel ? status(0x6985) : setPace(byTag);
    if (p1 === 0x41 && p2 === 0xa4) return setChipAuthentication(byTag);
    if (p1 === 0x41 && p2 === 0xa6) return keyAgreementTemplate(byTag);
    return status(0x6a86);
  };

  const generalAuthenticate = ({ cla, p1, p2, data }: Command): Answer => {
    if (p1 !== 0 || p2 !== 0) return status(0x6a86);
    if (chipAuthenticationSet && content.chipKey) {
      chipAuthenticationSet = false;
      const [outer] = dataObjects(data) ?? [];
      const [inner] = (outer?.tag === 0x7c ? dataObjects(outer.value) : undefined) ?? [];
      nextChannel = inner?.tag === 0x80 ? agreeWithChip(content.chipKey, inner.value) : undefined;
      return nextChannel ? success(tlv(0x7c)) : status(0x6a80);
    }
    const run = pace;
    if (!run) return status(0x6985);
    const { answer, channel: opened, over } = run.step(data);
    // The first three are links of a chain, the last one ends it (ICAO 9303-11 §4.4.4.2).
    const chained = (cla & 0x10) !== 0;
    if (chained === over && answer.sw === 0x9000) {
      pace = undefined;
      return status(over ? 0x6883 : 0x6985);
    }
    if (over) pace = undefined;
    if (opened) {
      inApplication = false;
      selected = undefined;
      open(opened, `pace-${run.set.mapping}`);
    }
    return answer;
  };

  const getChallenge = ({ ne }: Command): Answer => {
    if (!behaviour.bac) return status(0x6d00);
    if (!inApplication) return status(0x6985);
    if (ne !== 8) return status(0x6700);
    challenge = random.bytes(8);
    return success(challenge);
  };

  const externalAuthenticate = ({ data }: Command): Answer => {
    const given = challenge;
    challenge = undefined;
    if (!behaviour.bac) return status(0x6d00);
    if (!given || channel) return status(0x6985);
    const done = mutualAuthenticate(content.mrzKey, given, data, random);
    if (!done) return status(behaviour.wrongKeyStatus);
    open(done.channel, "bac");
    return success(done.answer);
  };

  const internalAuthenticate = ({ data }: Command): Answer => {
    if (access === "none") return status(0x6982);
    if (!content.signingKey) return status(0x6d00);
    return data.length === 8 ? success(content.signingKey.sign(data, random)) : status(0x6700);
  };

  const perform = (command: Command, roomBytes: number): Answer => {
    if (command.ins !== 0x86) pace = undefined;
    switch (command.ins) {
      case 0xa4:
        return select(command);
      case 0xb0:
      case 0xb1:
        return readBinary(command, roomBytes);
      case 0x22:
        return manageEnvironment(command);
      case 0x86:
        return generalAuthenticate(command);
      case 0x84:
        return getChallenge(command);
      case 0x82:
        return externalAuthenticate(command);
      case 0x88:
        return internalAuthenticate(command);
      default:
        return status(0x6d00);
    }
  };

  const underProtection = (current: Channel, command: Command): Uint8Array => {
    protectedCommands += 1;
    if (protectedCommands === behaviour.slipAtCommand) count(current);
    const opened = unwrapCommand(current, command);
    if (typeof opened === "number") {
      forget();
      return encodeAnswer(status(opened));
    }
    const odd = command.ins % 2 === 1;
    const outerRoom = Math.min(command.ne || 256, ANSWER_BYTES_MAX);
    const roomBytes = plaintextThatFits(current, outerRoom, odd);
    const answer = perform(opened, roomBytes);
    const fits = answer.data.length <= roomBytes || behaviour.chunkBytes !== undefined;
    const sealed = wrapAnswer(current, fits ? answer : status(0x6700), odd);
    if (nextChannel) {
      // The answer still went out under the old keys (TR-03110-3 §B.2).
      closeChannel(current);
      channel = nextChannel;
      nextChannel = undefined;
      protectedCommands = 0;
      chipAuthenticated = true;
    }
    return sealed;
  };

  const chunked = (answer: Uint8Array): Uint8Array => {
    const most = behaviour.chunkBytes;
    const body = answer.subarray(0, -2);
    if (most === undefined || body.length <= most) return answer;
    rest = answer.slice(most);
    const left = rest.length - 2;
    return encodeAnswer({ data: answer.slice(0, most), sw: 0x6100 | (left > 0xff ? 0 : left) });
  };

  return {
    get access() {
      return access;
    },
    get chipAuthenticated() {
      return chipAuthenticated;
    },
    restart,
    transmit(apdu) {
      const command = parseCommand(apdu);
      if (!command) return encodeAnswer(status(0x6700));
      if (command.extended && !behaviour.extendedLength) {
        // Seen on cards: a plain answer in the midst of a session, which ends it.
        forget();
        return encodeAnswer(status(0x6700));
      }
      if (command.ins === 0xc0 && rest.length > 0) {
        const held = rest;
        rest = new Uint8Array();
        return chunked(held);
      }
      rest = new Uint8Array();
      const sealed = (command.cla & 0x0c) === 0x0c;
      if ((command.cla & 0xe0) !== 0 || (!sealed && (command.cla & 0x0c) !== 0)) return encodeAnswer(status(0x6e00));
      if (sealed) {
        if (!channel) return encodeAnswer(status(SM_OBJECTS_WRONG));
        return chunked(underProtection(channel, command));
      }
      // A plain command in the midst of a session ends it (ICAO 9303-11 §9.8.3).
      if (channel) forget();
      return chunked(encodeAnswer(perform(command, command.ne || 256)));
    },
  };
}
