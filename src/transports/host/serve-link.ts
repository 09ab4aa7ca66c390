import { serveChild } from "../../child/serve.js";
import type { Clock } from "../../kernel/clock.js";
import { systemClock } from "../../kernel/clock.js";
import type { Connect, Link } from "../../kernel/link.js";
import { absent } from "../wire.js";

/** The native end of one hosted link. What comes in is our own parent's, typed by `hosted`. */
export function serveLink<S>(connect: (settings: S, clock: Clock) => Connect): void {
  let link: Link | undefined;
  const opened = (): Link => {
    if (!link) throw absent("the link was opened in a child process that has ended");
    return link;
  };
  serveChild({
    async open(settings, { signal }) {
      link = await connect(settings as S, systemClock())(signal);
      return link.description;
    },
    read: (_none, { signal }) => opened().read(signal),
    write: (bytes, { signal }) => opened().write(bytes as Uint8Array, signal),
    close: () => opened().close(),
  });
}
