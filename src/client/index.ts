/** The station's client for browsers: `import { connectStation } from "stationd/client"`. Node gets `node.ts`. */
import type { Platform } from "./platform.js";
import { createConnect } from "./station.js";

/** A browser answers the agent's pings by itself and shows us none, so silence is the agent's to notice. */
const browser: Platform = {
  openSocket(url, subprotocol, handlers) {
    const socket = new WebSocket(url, subprotocol);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => handlers.open();
    socket.onmessage = ({ data }) => (typeof data === "string" ? handlers.text(data) : handlers.bytes(new Uint8Array(data)));
    socket.onclose = ({ code, reason }) => handlers.closed(code, reason);
    return { send: (text) => socket.send(text), close: () => socket.close() };
  },
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  fraction: Math.random,
};

/**
 * Connects to the station's agent on this machine and stays connected.
 * @throws StationError `simulated_agent`, `unauthorized`, `protocol_mismatch`, …; `connection_lost` only with `reconnect: false`
 */
export const connectStation = createConnect(browser);

export * from "./exports.js";
