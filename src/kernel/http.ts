/** One request to a device that speaks HTTP. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With its query: `/nexo/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** How long the answer may be, where the link's own limit is not enough: a scanned page. */
  readonly mostBytes?: number;
  /** Told as the body of a good answer (200) comes in, and of how many bytes, where the device says so. */
  readonly heard?: (bytes: number, ofBytes: number | undefined) => void;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

/** What a device sends by itself. */
export interface HttpNotice {
  readonly path: string;
  readonly body: Uint8Array;
}

/** A device at the end of HTTP or HTTPS. Each request has a connection of its own, so there is nothing that could be lost in between. */
export interface HttpLink {
  /** For logs and people: "https 192.0.2.10:8443". */
  readonly description: string;
  /**
   * One request, one whole answer, whatever its status; redirects are not followed.
   * @throws DeviceError `device_absent` where no whole answer came: the device may have acted on the request all the same, unless
   * `details.sent` is false; `device_fault` on a certificate that does not fit; `too_large`; the signal's reason on abort.
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
  /** Hears what the device sends by itself, where the link was told to listen; the listener answers with a status at once. */
  onNotice(listener: (notice: HttpNotice) => number): void;
  /** Idempotent, never rejects; pending requests reject with `device_absent`. */
  close(): Promise<void>;
}
