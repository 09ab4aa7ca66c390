import type { PaceInfo, SecurityInfos } from "../security-infos.js";
import type { CurveConstants } from "./curve-table.js";
import { curveOfParameter } from "./curves.js";
import { hasIntegratedMapping } from "./mapping.js";

/** One way of PACE that both sides have. */
export interface PaceChoice {
  readonly info: PaceInfo;
  readonly curve: CurveConstants;
  /** No independent example was found to test against: only AES-128 has one of the integrated mapping. */
  readonly unproved: boolean;
}

const SUITE_RANK = { "3des": 0, "aes-128": 1, "aes-192": 2, "aes-256": 3 };
/** Mapping that proves the chip, too, comes first; the one that most cards have before the rare one. */
const MAPPING_RANK = { im: 0, gm: 1, cam: 2 };
/** Numbers from 32 on are the card's own (ICAO 9303-11 §9.5.1): its PACEDomainParameterInfo says what they mean. */
const FIRST_PROPRIETARY = 32;

function curveOf(info: PaceInfo, infos: SecurityInfos): CurveConstants | undefined {
  const { parameterId, oid } = info;
  if (parameterId !== undefined && parameterId < FIRST_PROPRIETARY) return curveOfParameter(parameterId);
  const family = oid.slice(0, oid.lastIndexOf("."));
  return infos.paceDomainParameters.find((domain) => domain.oid === family && domain.parameterId === parameterId)?.curve;
}

/** The strongest that this reader has: by cipher, then curve, then mapping (ICAO 9303-11 §4.4.1). */
export function choosePace(infos: SecurityInfos): PaceChoice | undefined {
  const choices = infos.pace.flatMap((info): PaceChoice[] => {
    // Version 1 was never an ICAO one (§9.2.5).
    if (info.agreement !== "ecdh" || info.version !== 2) return [];
    const curve = curveOf(info, infos);
    if (!curve || (info.mapping === "im" && !hasIntegratedMapping(curve))) return [];
    // CAM is defined with AES only (§9.2.5).
    if (info.mapping === "cam" && info.suite.name === "3des") return [];
    return [{ info, curve, unproved: info.mapping === "im" && info.suite.name !== "aes-128" }];
  });
  const bits = ({ curve }: PaceChoice): number => curve.p.toString(2).length;
  choices.sort(
    (x, y) =>
      SUITE_RANK[y.info.suite.name] - SUITE_RANK[x.info.suite.name] ||
      bits(y) - bits(x) ||
      MAPPING_RANK[y.info.mapping] - MAPPING_RANK[x.info.mapping],
  );
  return choices[0];
}
