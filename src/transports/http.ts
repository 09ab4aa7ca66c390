import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { concatBytes } from "../kernel/bytes.js";
import { DeviceError } from "../kernel/errors.js";
import { systemCode } from "./wire.js";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

/**
 * One request, one whole answer, whatever its status; redirects are not followed.
 * @throws DeviceError `device_absent`, `device_fault` on a certificate that does not fit, `too_large`; the signal's reason on abort.
 */
export type SendHttp = (request: HttpRequest, signal: AbortSignal) => Promise<HttpResponse>;

export interface HttpSettings {
  readonly maxBodyBytes: number;
  /** PEM. Only certificates signed by this authority are accepted, not those of the system's authorities. */
  readonly pinnedCa?: string;
}

export function httpSender(settings: HttpSettings): SendHttp {
  return (request, signal) =>
    new Promise((resolve, reject) => {
      const fail = (thrown: unknown): void => reject(signal.aborted ? signal.reason : httpFailure(request.url, thrown));
      if (signal.aborted) return fail(undefined);
      const send = request.url.protocol === "https:" ? requestHttps : requestHttp;
      const options = {
        method: request.method,
        headers: { ...request.headers },
        signal,
        // Devices close kept connections without a word.
        agent: false as const,
        ...(settings.pinnedCa === undefined ? {} : { ca: settings.pinnedCa }),
      };
      const sending = send(request.url, options, (answer) => {
        const parts: Uint8Array[] = [];
        let held = 0;
        answer.on("data", (part: Uint8Array) => {
          held += part.length;
          parts.push(part);
          if (held > settings.maxBodyBytes)
            answer.destroy(new DeviceError("too_large", { message: `${request.url.host} answers with too much` }));
        });
        answer.on("error", fail);
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: concatBytes(parts) }));
      });
      sending.on("error", fail);
      sending.end(request.body);
    });
}

function httpFailure(url: URL, thrown: unknown): DeviceError {
  if (thrown instanceof DeviceError) return thrown;
  const code = systemCode(thrown) ?? "unknown";
  if (/CERT|SELF_SIGNED|TLS|SSL|UNABLE_TO/.test(code)) {
    return new DeviceError("device_fault", {
      message: `${url.host} shows a certificate that does not fit (${code})`,
      hint: "Pin the certificate authority of this device in its settings, and check the clock of the station",
      cause: thrown,
    });
  }
  return new DeviceError("device_absent", { message: `${url.host} cannot be reached (${code})`, cause: thrown });
}
