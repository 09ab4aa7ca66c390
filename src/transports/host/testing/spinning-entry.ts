import { serveChild } from "../../../child/serve.js";

/** A native library that never returns from a write. */
serveChild({
  open: async () => "spinning",
  read: () => new Promise(() => {}),
  write: async () => {
    for (;;);
  },
});
