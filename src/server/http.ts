import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Door, Refusal } from "./admission.js";

/** Takes requests that are not the server's own; true where it did. */
export type ExtraHttp = (request: IncomingMessage, response: ServerResponse) => boolean;

interface HttpOptions {
  refuseHost(door: Door, hosts: readonly string[]): Refusal | undefined;
  refused(refusal: Refusal, origin?: string): void;
  ready(): boolean;
  /** Undefined where the request carries a technician's token. */
  refuseMetrics(request: IncomingMessage): Promise<Refusal | undefined>;
  metricsText(): Promise<string>;
  readonly extraHttp: ExtraHttp;
}

function answer(response: ServerResponse, status: number, text: string, contentType = "text/plain; charset=utf-8"): void {
  const headers = { "content-type": contentType, "cache-control": "no-store", "x-content-type-options": "nosniff" };
  response.writeHead(status, status === 401 ? { ...headers, "www-authenticate": "Bearer" } : headers).end(text);
}

/** `/healthz`, `/readyz`, `/metrics`, and pages of others; everything else is 404. No answer allows any other origin to read it. */
export function httpRoutes(door: Door, options: HttpOptions): RequestListener {
  const metrics = async (request: IncomingMessage): Promise<{ status: number; text: string }> => {
    const refusal = door === "technician" ? undefined : await options.refuseMetrics(request);
    if (refusal === undefined) return { status: 200, text: await options.metricsText() };
    options.refused(refusal);
    return { status: refusal.status, text: refusal.status === 429 ? "too many tokens were wrong\n" : "a technician's token is needed\n" };
  };
  return (request, response) => {
    const refusal = options.refuseHost(door, request.headersDistinct.host ?? []);
    if (refusal !== undefined) {
      options.refused(refusal);
      return answer(response, refusal.status, "forbidden\n");
    }
    const path = request.method === "GET" ? request.url : undefined;
    if (path === "/healthz") return answer(response, 200, "ok\n");
    if (path === "/readyz") return options.ready() ? answer(response, 200, "ready\n") : answer(response, 503, "starting\n");
    if (path === "/metrics") {
      metrics(request).then(
        ({ status, text }) => answer(response, status, text, status === 200 ? "text/plain; version=0.0.4; charset=utf-8" : undefined),
        () => answer(response, 500, "no metrics\n"),
      );
      return;
    }
    if (!options.extraHttp(request, response)) answer(response, 404, "not found\n");
  };
}
