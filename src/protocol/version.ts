export const PROTOCOL = { major: 1, minor: 0 } as const;
export const SUBPROTOCOL = "station.v1";
export const SOCKET_PATH = "/v1";
export const DEFAULT_PORT = 7870;

/** Limits of the wire, told in the answer to `session.hello`. Bytes, milliseconds, counts. */
export const LIMITS = {
  inboundMessageBytes: 1024 * 1024,
  binaryFrameBytes: 64 * 1024,
  helloWithinMs: 2_000,
  pingEveryMs: 15_000,
  inFlightRequests: 256,
  outboundBufferBytes: 4 * 1024 * 1024,
  slowClientMs: 10_000,
  resumeWithinMs: 10_000,
  jsonDepth: 32,
} as const;
