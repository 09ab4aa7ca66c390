import { connectStation, type StationClient, StationError } from "../client/index.js";

/** The connection to the agent, made again whenever it is lost. */
export interface Link {
  /** @throws StationError `connection_lost` while there is none */
  client(): StationClient;
  /** Does what may be done again: work that the connection's end cuts off begins anew on the next. */
  persist<R>(work: (client: StationClient) => Promise<R>): Promise<R>;
  close(): void;
}

export interface LinkOptions {
  readonly url: string;
  readonly token: string;
  wait(ms: number): Promise<void>;
  /** `signal` aborts when this connection is lost, or left. */
  onOpen(client: StationClient, signal: AbortSignal): void;
  onLost(): void;
  /** The agent does not want this token any more. */
  onRefused(error: unknown): void;
}

const WAIT_MS = { first: 500, most: 10_000 } as const;

/** Resolves with the first connection. @throws StationError `unauthorized`, `rate_limited`, `connection_lost`: whoever signs in is told at once */
export async function openLink({ url, token, wait, onOpen, onLost, onRefused }: LinkOptions): Promise<Link> {
  let current: StationClient | undefined;
  let left = false;
  const waiting = new Set<() => void>();
  const wakeAll = (): void => {
    for (const wake of waiting) wake();
    waiting.clear();
  };
  const lost = (): StationError => new StationError("connection_lost", "not connected", { hint: "The page tries again by itself" });

  /** One attempt each: the client's own reconnecting would not tell why an attempt failed. */
  const connect = (): Promise<StationClient> =>
    connectStation({ url, token, client: { name: "console", version: "1" }, allowSimulated: true, reconnect: false });

  const connectAgain = async (): Promise<StationClient | undefined> => {
    for (let waitMs: number = WAIT_MS.first; !left; waitMs = Math.min(waitMs * 2, WAIT_MS.most)) {
      await wait(waitMs);
      if (left) return undefined;
      try {
        return await connect();
      } catch (error) {
        if (error instanceof StationError && error.retryable) continue;
        left = true;
        wakeAll();
        onRefused(error);
      }
    }
    return undefined;
  };

  const serve = async (first: StationClient): Promise<void> => {
    let client: StationClient | undefined = first;
    for (; client && !left; client = await connectAgain()) {
      const ended = new AbortController();
      current = client;
      onOpen(client, ended.signal);
      wakeAll();
      await untilClosed(client);
      current = undefined;
      ended.abort();
      if (!left) onLost();
    }
    // Left while it was being made.
    client?.close();
  };
  void serve(await connect());

  return {
    client() {
      if (!current) throw lost();
      return current;
    },
    async persist(work) {
      for (;;) {
        if (left) throw lost();
        const client = current;
        if (!client) {
          await new Promise<void>((wake) => waiting.add(wake));
          continue;
        }
        try {
          return await work(client);
        } catch (error) {
          if (!(error instanceof StationError && error.kind === "connection_lost")) throw error;
          await untilClosed(client);
        }
      }
    },
    close() {
      left = true;
      wakeAll();
      current?.close();
    },
  };
}

function untilClosed(client: StationClient): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (client.state === "closed" || client.state === "refused") resolve();
    };
    client.onState(look);
    look();
  });
}
