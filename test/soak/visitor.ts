import type { StationClient } from "../../src/client/node.js";
import type { Station } from "./station.js";
import type { Tunnel } from "./tunnel.js";
import type { Visitor } from "./visit.js";

/** A kiosk's page: it stays connected until it is left, and then another one is opened in its place. */
export async function openVisitor(station: Station, tunnel: Tunnel): Promise<Visitor> {
  let client: StationClient = await station.connect(tunnel);
  return {
    get client() {
      return client;
    },
    tunnel,
    leave: () => client.close(),
    async back() {
      client = await station.connect(tunnel);
    },
  };
}
