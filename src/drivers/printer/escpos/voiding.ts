import { passBarrier } from "./evidence.js";
import { layOut, toBytes, voidDocument } from "./layout.js";
import type { Features } from "./profiles.js";
import { sendSegments } from "./sending.js";
import { initialBytes, type Session } from "./session.js";

/** Closes a torn receipt: marks it "BẢN IN HỎNG" and cuts it off, so that the next begins on clean paper. Rejects when the talk ends. */
export async function voidTorn(session: Session, features: Features, onWait: () => void, signal: AbortSignal): Promise<void> {
  const pieces = await layOut(
    voidDocument(),
    { reprint: false, simulated: session.simulated },
    session.config,
    "device",
    session.imaging,
    signal,
  );
  const { body, tail } = toBytes(pieces, session.config);
  await sendSegments(session, features, [{ bytes: initialBytes(features) }, ...body, { bytes: tail }], { onWait, onProgress() {} });
  await passBarrier(session, features, onWait);
}
