import { DeviceError } from "../kernel/errors.js";
import type { Caller } from "../protocol/call.js";
import type { PaymentMethod } from "../protocol/payment-terminal.js";
import type { HandlerContext, HandlersOf } from "./handler-context.js";
import type { TerminalBay } from "./payment-run.js";
import type { PaymentService } from "./payment-service.js";

/** Money is moved by hand only by a person who can be named: a technician with a token of their own. */
function mustBeNamed({ principal }: Caller): void {
  if (principal.startsWith("token:")) return;
  throw new DeviceError("forbidden", {
    message: "this needs a technician's own token",
    hint: "Let root make you one (stationd token add NAME), then: stationd … --url … --token-file FILE",
  });
}

export function paymentTerminalHandlers({ citizens, ofClass }: HandlerContext, payments: PaymentService): HandlersOf<"paymentTerminal"> {
  const terminalFor = ({ device, method }: { device?: string | undefined; method?: PaymentMethod | undefined }): TerminalBay =>
    ofClass("paymentTerminal", device, method && { name: method, fits: ({ spec }) => (spec.driver.payment?.method ?? "card") === method });
  return {
    "paymentTerminal.pay": (params, call) => {
      citizens.enter(call);
      return payments.pay(terminalFor(params), params, call);
    },
    // Not `enter`: money that came must be told, maintenance or not.
    "paymentTerminal.confirm": (params, call) => payments.confirm(terminalFor({ method: "vietqr", ...params }), params, call),
    "paymentTerminal.reverse": async (params, call) => {
      mustBeNamed(call.caller);
      return await payments.reverse(ofClass("paymentTerminal", await payments.deviceOf(params.job)), params, call);
    },
    "paymentTerminal.resolve": async (params, call) => {
      mustBeNamed(call.caller);
      return await payments.resolveByHand(ofClass("paymentTerminal", await payments.deviceOf(params.job)), params, call);
    },
    "paymentTerminal.reconcile": (params, call) => payments.reconcile(ofClass("paymentTerminal", params.device), params, call),
  };
}
