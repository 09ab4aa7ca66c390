/** The station's client for Node: the same as in the browser, over `ws`, which also speaks to Unix sockets and shows the pings. */
import { WebSocket } from "ws";
import type { Platform } from "./platform.js";
import { createConnect } from "./station.js";

/** @param silenceMs three of the agent's pings */
export function nodePlatform(silenceMs = 45_000): Platform {
  return {
    openSocket(url, subprotocol, handlers) {
      const socket = new WebSocket(url, subprotocol, { perMessageDeflate: false });
      socket.binaryType = "nodebuffer";
      socket.on("open", () => handlers.open());
      socket.on("message", (data, isBinary) => (isBinary ? handlers.bytes(data as Buffer) : handlers.text(String(data))));
      socket.on("ping", () => handlers.alive());
      let refusal = "";
      socket.on("error", (error) => {
        refusal = error.message;
      });
      socket.on("close", (code, reason) => handlers.closed(code, reason.length > 0 ? reason.toString() : refusal));
      return {
        send(text) {
          if (socket.readyState === WebSocket.OPEN) socket.send(text);
        },
        // Nothing more is wanted of the far end, and a dead one would not answer a closing handshake.
        close: () => socket.terminate(),
      };
    },
    after(ms, callback) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    fraction: Math.random,
    silenceMs,
  };
}

/**
 * Connects to the station's agent and stays connected.
 * @throws StationError `simulated_agent`, `unauthorized`, `protocol_mismatch`, …; `connection_lost` only with `reconnect: false`
 */
export const connectStation = createConnect(nodePlatform());

export * from "./exports.js";
