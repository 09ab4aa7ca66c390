/** Reads a citizen's card for the page. What is known of the citizen lives in `view.identity` and nowhere else. */

const WAIT_MS = 60_000;
/** Each needs a hand that lifts the card; more in a row are a reader that flutters. */
const SELF_RETRIES = 5;

/**
 * `access` as the protocol wants it. `given`: what the citizen showed first, `code` or `number`; `idNumber` and
 * `birthDate` are for a chip that opens with the MRZ only.
 */
export const newIdentity = (given, access, { idNumber, birthDate }) => ({
  given,
  access,
  known: { idNumber, birthDate },
  stage: "waiting",
  fraction: undefined,
  lifted: false,
  error: undefined,
  reading: undefined,
  portrait: undefined,
});

/**
 * Resolves when the card is read, or when it cannot be: then `identity.error` says why. A card that is lifted too soon
 * is waited for again. After `signal` nothing of the citizen is written any more.
 */
export async function readCard(client, identity, signal, told) {
  Object.assign(identity, { error: undefined, lifted: false });
  for (let lifted = 0; ; ) {
    Object.assign(identity, { stage: "waiting", fraction: undefined });
    told();
    try {
      const reading = await client.call(
        "chipReader.readCard",
        { access: identity.access, parts: ["dg1", "dg2", "dg13"], timeoutMs: WAIT_MS },
        {
          signal,
          onProgress({ stage, fraction }) {
            if (signal.aborted) return;
            Object.assign(identity, { stage, fraction });
            if (stage !== "waiting") identity.lifted = false;
            told();
          },
        },
      );
      if (signal.aborted) return;
      if (reading.portrait) identity.portrait = URL.createObjectURL(client.blob(reading.portrait.image));
      // Opened with the MRZ, the agent had no ID number to compare; the citizen gave one all the same.
      const onChip = reading.details?.idNumber ?? reading.mrz?.idNumber;
      const { idNumber } = identity.known;
      if (reading.verdicts.qr === "not_compared" && idNumber && onChip) reading.verdicts.qr = idNumber === onChip ? "same" : "different";
      // What opened the chip has done its work.
      Object.assign(identity, { reading, access: undefined, known: {} });
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (error.kind === "card_removed" && lifted < SELF_RETRIES) {
        lifted += 1;
        identity.lifted = true;
        continue;
      }
      identity.error = error;
      return;
    }
  }
}

/** Nothing of the citizen stays behind a reference that somebody may still hold. */
export function forgetIdentity(identity) {
  if (!identity) return;
  if (identity.portrait) URL.revokeObjectURL(identity.portrait);
  for (const key of Object.keys(identity)) delete identity[key];
}
