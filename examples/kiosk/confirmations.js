/**
 * What the agency's back-end says of transfers reaches the agent through this page: a back-end cannot reach a loopback
 * port. Every transfer is relayed, whatever is on the screen: one that comes late or twice is somebody's money all the same.
 */
const ASK_EVERY_MS = 1_000;
/** The agent may take it later. Anything else is its last word on this confirmation. */
const LATER = new Set([
  "connection_lost",
  "shutting_down",
  "journal_unavailable",
  "device_absent",
  "timeout",
  "busy",
  "rate_limited",
  "internal",
]);

/**
 * Goes on for as long as the page does. `device`: the terminal of transfers, where there is one. A page that is loaded again
 * relays all of them again: told twice, the agent changes nothing.
 */
export async function relayConfirmations(client, device) {
  let relayed = 0;
  for (;;) {
    const id = device()?.id;
    if (id) relayed += await relayFrom(client, id, relayed).catch(() => 0);
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

/** @returns how many the agent has taken, or refused for good */
async function relayFrom(client, device, after) {
  const answer = await fetch(`/bank/confirmations?after=${after}`);
  if (!answer.ok) return 0;
  const { confirmations } = await answer.json();
  let done = 0;
  for (const confirmation of confirmations) {
    try {
      await client.call("paymentTerminal.confirm", { device, confirmation });
    } catch (error) {
      if (LATER.has(error.kind)) return done;
    }
    done += 1;
  }
  return done;
}
