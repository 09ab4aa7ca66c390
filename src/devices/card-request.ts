import { canOf } from "../citizen-id/can.js";
import { parseCardCode } from "../citizen-id/card-code.js";
import type { AccessKey, ChipRequest } from "../emrtd/types.js";
import { fromHex } from "../kernel/bytes.js";
import { DeviceError } from "../kernel/errors.js";
import { Secret } from "../kernel/secret.js";
import type { CardAccess, SensitiveField } from "../protocol/chip-reader.js";
import type { Params } from "../protocol/methods.js";

type ReadParams = Params<"chipReader.readCard">;

/** A request to read a card, checked whole, before anyone waits for a card. */
export interface CardRequest {
  readonly chip: ChipRequest;
  readonly parts: ReadParams["parts"];
  /** What the card is expected to be: compared with the chip. Secret. */
  readonly expectedIdNumber: string | undefined;
  readonly sensitive: readonly SensitiveField[];
  readonly includeRaw: boolean;
  readonly portraitOriginal: boolean;
  readonly trace: boolean;
}

/** @throws DeviceError `invalid_params` with the field's name, never its value */
export function cardRequest(params: ReadParams): CardRequest {
  const { sensitive, includeRaw, consentRef } = params;
  if (sensitive.length > 0 && consentRef === undefined) {
    throw new DeviceError("invalid_params", { message: "sensitive: needs consentRef, the record of the citizen's consent" });
  }
  const parts = [...new Set(params.parts)];
  if (includeRaw && consentRef === undefined && parts.includes("dg13")) {
    throw new DeviceError("invalid_params", {
      message: "includeRaw: with dg13 it needs consentRef, for DG13 holds the sensitive fields too",
    });
  }
  const { key, idNumber } = accessOf(params.access);
  if (params.protocol === "bac" && key.kind === "can") throw new DeviceError("mrz_required");
  return {
    chip: {
      access: key,
      protocol: params.protocol,
      // The portrait is by far the longest: what decides is read before it.
      files: (["dg1", "dg13", "dg11", "dg12", "dg2"] as const).filter((part) => parts.includes(part)),
      ...(params.challenge === undefined ? {} : { challenge: fromHex(params.challenge) }),
    },
    parts,
    expectedIdNumber: idNumber,
    sensitive,
    includeRaw,
    portraitOriginal: params.portraitOriginal,
    trace: params.trace,
  };
}

function accessOf(access: CardAccess): { key: AccessKey; idNumber?: string } {
  if ("mrz" in access) return { key: { kind: "mrz", mrz: new Secret(access.mrz) } };
  if ("can" in access) return { key: { kind: "can", can: new Secret(access.can) } };
  const idNumber = "qr" in access ? parseCardCode(access.qr)?.idNumber : access.idNumber;
  if (idNumber === undefined) {
    throw new DeviceError("invalid_params", {
      message: "access.qr: not the code of a citizen's ID card",
      hint: "Scan the QR code on the front of the card",
    });
  }
  return { key: { kind: "can", can: new Secret(canOf(idNumber)) }, idNumber };
}
