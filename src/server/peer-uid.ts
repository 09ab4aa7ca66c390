import { readFile } from "node:fs/promises";

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The uid of the process at the far end of a loopback connection; undefined where nobody can tell. */
export type FindPeerUid = (client: Endpoint, server: Endpoint) => Promise<number | undefined>;

/** Only here does a row's uid belong to a process: a socket in TIME_WAIT has lost its owner and shows 0, which is root. */
const ESTABLISHED = "01";

/** An IPv4 address as /proc/net/tcp prints it: the 32-bit word in the byte order of the machine (x86 and ARM: little). */
function ipv4Key(address: string): string {
  return address
    .split(".")
    .reverse()
    .map((part) => Number(part).toString(16).padStart(2, "0"))
    .join("")
    .toUpperCase();
}

/** All ways in which the tables may print the endpoint: as IPv4, as IPv4 mapped into IPv6, as IPv6 loopback. */
function keysOf({ address, port }: Endpoint): string[] {
  const hexPort = port.toString(16).padStart(4, "0").toUpperCase();
  const v4 = address.replace(/^::ffff:/i, "");
  if (/^\d+\.\d+\.\d+\.\d+$/.test(v4)) return [`${ipv4Key(v4)}:${hexPort}`, `0000000000000000FFFF0000${ipv4Key(v4)}:${hexPort}`];
  return address === "::1" ? [`00000000000000000000000001000000:${hexPort}`] : [];
}

/** The owner of each established connection, keyed by its local and remote end as the tables print them. */
export type Sockets = ReadonlyMap<string, number>;

/** Parses the text of /proc/net/tcp and tcp6 (proc(5)): sl, local, remote, state, queues, timer, retransmits, uid, … */
export function parseSockets(table: string): Sockets {
  const owners = new Map<string, number>();
  for (const line of table.split("\n")) {
    const [, local, remote, state, , , , uid] = line.trim().split(/\s+/);
    if (state === ESTABLISHED) owners.set(`${local} ${remote}`, Number(uid));
  }
  return owners;
}

export function findUid(sockets: Sockets, client: Endpoint, server: Endpoint): number | undefined {
  for (const local of keysOf(client)) {
    for (const remote of keysOf(server)) {
      const uid = sockets.get(`${local} ${remote}`);
      if (uid !== undefined) return uid;
    }
  }
  return undefined;
}

/** Reads the kernel's tables. Many connections at once share one read that began after each of them was accepted. */
export function procPeerUid(): FindPeerUid {
  const read = async (): Promise<Sockets> => {
    const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map((file) => readFile(file, "latin1").catch(() => "")));
    return parseSockets(tables.join("\n"));
  };
  let running: Promise<Sockets> | undefined;
  let next: Promise<Sockets> | undefined;
  const fresh = (): Promise<Sockets> => {
    if (running === undefined) {
      running = read().finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running.then(() => {
      next = undefined;
      return fresh();
    });
    return next;
  };
  return async (client, server) => findUid(await fresh(), client, server);
}
