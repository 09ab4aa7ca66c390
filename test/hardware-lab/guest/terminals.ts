import { randomUUID } from "node:crypto";
import type { ZvtTerminal } from "../../../simulators/zvt-terminal/index.js";
import type { Plugged } from "./bench.js";
import type { Station } from "./station.js";
import { must, pullAndPush, pulled, trial } from "./trial.js";

const AMOUNT_VND = 50_000;
/** A terminal over serial blocks, whose cardholder is quick; and settings of the driver that let a lost payment end within seconds. */
export const TERMINAL = { framing: "serial", presentMs: 300, hostMs: 500, removeMs: 100, autoReversalMs: 500, t2Ms: 1_500, t3Ms: 1_500 };
export const TERMINAL_SETTINGS = `password = "123456"
t4Ms = 5000
autoReversalMs = 1000
pollMs = 5000`;

export async function terminal(station: Station, device: "terminal-acm" | "terminal-ftdi", plug: Plugged<ZvtTerminal>): Promise<void> {
  const { page } = station;
  const { simulator } = plug;
  // ftdi_sio asks the adapter that is gone, and waits five seconds for its answer before anyone is told.
  const kernelMs = device === "terminal-ftdi" ? 5_000 : 0;
  const net = (): number => Number(simulator.state().netVnd);
  const pay = (): ReturnType<typeof page.jobs.pay> =>
    page.jobs.pay({ device, amountVnd: AMOUNT_VND, reference: "HS-2026-000123", idempotencyKey: randomUUID() });

  await trial(device, "takes a payment", async () => {
    const payment = await pay();
    must(payment.state === "approved", `ended ${payment.state}`);
    must(net() === AMOUNT_VND, `the bank booked ${net()}`);
    return { outcome: "approved, and booked once" };
  });
  await trial(device, "pulled idle", async () => ({
    ...(await pullAndPush(station, device, plug)),
    kernelMs,
    outcome: "ready again",
  }));
  await trial(device, "pulled in mid-payment", async () => {
    const before = net();
    const payment = pay();
    // The worst moment: the bank has booked it, and the result is on its way.
    while (net() === before) await new Promise((resolve) => setTimeout(resolve, 2));
    const goneMs = await pulled(station, device, plug);
    await plug.push();
    const { state } = await payment;
    must(state !== "manual_review", "a person has to look");
    must(net() - before === (state === "approved" ? AMOUNT_VND : 0), `${state}, while the bank booked ${net() - before}`);
    // When it works again is the terminal's to say: it is busy taking the payment back.
    await station.until(device, (seen) => seen === "ready", 30_000);
    return { goneMs, kernelMs, outcome: `${state}, and the bank's ledger agrees` };
  });
  await trial(device, "in another socket", async () => {
    const times = await pullAndPush(station, device, plug, plug.move);
    const before = net();
    const payment = await pay();
    must(payment.state === "approved" && net() - before === AMOUNT_VND, `ended ${payment.state}`);
    return { ...times, kernelMs, outcome: "the same terminal, by its serial number" };
  });
}
