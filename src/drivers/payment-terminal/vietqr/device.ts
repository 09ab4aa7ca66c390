import { renderSVG } from "uqr";
import type { DriverContext } from "../../../contracts/driver.js";
import type { PaymentCode, PaymentOutcome, PaymentTerminal } from "../../../contracts/payment-terminal.js";
import { writeVietQr } from "../../../formats/vietqr.js";
import { DeviceError } from "../../../kernel/errors.js";
import { publicKeyOf, type VietQrConfig } from "./config.js";
import { readConfirmation } from "./confirmation.js";
import { hasPurpose, newPurpose } from "./purpose.js";
import { createWaits, paidWith } from "./waits.js";

const CAPABILITIES_VERSION = 1;

export async function open(config: VietQrConfig, { device, clock, random, signal }: DriverContext): Promise<PaymentTerminal> {
  const { bankBin, account, toCard, maxAmountVnd } = config;
  const keys = config.confirmationKeys.flatMap((text) => publicKeyOf(text) ?? []);
  const waits = createWaits(clock, device);
  let end: (reason: DeviceError) => void = () => {};
  const lost = new Promise<DeviceError>((resolve) => {
    end = resolve;
  });
  const close = async (): Promise<void> => {
    const reason = new DeviceError("device_absent", { device, message: "switched off" });
    waits.close(reason);
    end(reason);
  };
  signal.addEventListener("abort", close, { once: true });

  const codeOf = (purpose: string, amountVnd: number, expiresAt: number): PaymentCode => {
    const payload = writeVietQr({ bankBin, account, service: toCard ? "QRIBFTTC" : "QRIBFTTA", amountVnd, purpose, dynamic: true });
    // Four modules of quiet around it, and room for a scratch on the glass.
    return { payload, svg: renderSVG(payload, { border: 4, ecc: "M" }), expiresAt };
  };
  const unsupported = (message: string, hint: string): DeviceError => new DeviceError("unsupported", { device, message, hint });

  return {
    identity: { model: "VietQR" },
    capabilities: { version: CAPABILITIES_VERSION, maxAmountVnd, reverse: false, totalsWithoutClosing: false, receiptLines: false },
    lost,
    close,
    selfTest: async () => [{ check: "confirmation keys", ok: true }],
    transfers: {
      read: (confirmation) => readConfirmation(confirmation, keys, clock.now()),
      matches: ({ purpose }, { baseline }) => hasPurpose(purpose, baseline.purpose),
      deliver: (transfer, { baseline }) => waits.deliver(transfer, baseline.purpose),
    },
    async pay({ amountVnd }, steps, stop) {
      if (!(Number.isSafeInteger(amountVnd) && amountVnd > 0 && amountVnd <= maxAmountVnd)) {
        const hint = "Raise the device's maxAmountVnd, or pay in another way";
        const reason = new DeviceError("invalid_params", { device, message: "the amount is not allowed here", hint });
        return { state: "not_started", reason };
      }
      const purpose = newPurpose(config.purposePrefix, random);
      const expiresAt = clock.now() + config.expiresMs;
      await steps.armed({ purpose, expiresAt });
      void steps.sent();
      const waiting = waits.open(purpose, expiresAt, stop);
      steps.progress("scan_code");
      steps.showCode(codeOf(purpose, amountVnd, expiresAt));
      const came = await waiting;
      if (!("facts" in came)) return came;
      const { facts } = came;
      await steps.held(facts);
      const outcome = paidWith(facts, amountVnd, device);
      if (outcome.state === "approved") await steps.answering();
      return outcome;
    },
    async resolve({ amountVnd, baseline, facts }, stop, { showCode }): Promise<PaymentOutcome> {
      // Noted before it counted: the money is there.
      if (facts) return paidWith(facts, amountVnd, device);
      const { purpose, expiresAt } = baseline;
      if (typeof purpose !== "string" || typeof expiresAt !== "number") {
        const reason = new DeviceError("device_fault", { device, message: "the journal does not tell the purpose", retryable: false });
        return { state: "manual_review", reason };
      }
      const waiting = waits.open(purpose, expiresAt, stop);
      showCode(codeOf(purpose, amountVnd, expiresAt));
      const came = await waiting;
      return "facts" in came ? paidWith(came.facts, amountVnd, device) : came;
    },
    reverse: async () => ({
      state: "not_started",
      reason: unsupported("a transfer cannot be taken back from here", "Give the money back by a transfer of your own"),
    }),
    totals: async () => {
      throw unsupported("transfers are counted by the bank", "Compare `stationd payments export` with the account's statement");
    },
  };
}
