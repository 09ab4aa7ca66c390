import { z } from "../../src/kernel/schema.js";
import { defineAction, defineSimulator, type FarEnd, type Simulator, type SimulatorContext } from "../simulator.js";
import { CameraOptions } from "./options.js";
import { bodyPart, type Damage, delimiter } from "./parts.js";
import { createPictures, type Look } from "./pictures.js";

const none = z.strictObject({});
const on = z.strictObject({ on: z.boolean().default(true) });
const DAMAGES = ["cut", "no_end", "garbage", "wrong_length"] as const satisfies readonly Damage[];

function create(options: CameraOptions, { clock, changed }: SimulatorContext): Simulator {
  const { boundary } = options;
  const pictures = createPictures(options);
  let look: Look = { dark: false, blurred: false };
  let unplugged = false;
  let frozen = false;
  let framesPerSecond = options.framesPerSecond;
  let toDrop = 0;
  let toDamage = { frames: 0, how: "cut" as Damage };
  let framesSent = 0;
  /** Counts on through the loop, whoever looks. */
  let next = 0;
  let plugged: { readonly farEnd: FarEnd; readonly pulled: AbortController } | undefined;

  const detach = (): void => {
    const leaving = plugged;
    plugged = undefined;
    leaving?.pulled.abort();
    void leaving?.farEnd.close();
    changed();
  };

  const send = async (farEnd: FarEnd, signal: AbortSignal): Promise<void> => {
    const index = next;
    next = (next + 1) % pictures.loopFrames;
    if (frozen) return;
    if (toDrop > 0) {
      toDrop -= 1;
      return;
    }
    const jpeg = await pictures.jpeg(index, look);
    const damage = toDamage.frames > 0 ? toDamage.how : undefined;
    if (damage) toDamage = { ...toDamage, frames: toDamage.frames - 1 };
    await farEnd.write(bodyPart(jpeg, boundary, damage), signal);
    framesSent += 1;
  };
  /** Keeps time: pictures that a slow reader had no room for are left out, as a camera does. */
  const serve = async (farEnd: FarEnd, signal: AbortSignal): Promise<void> => {
    await farEnd.write(delimiter(boundary), signal);
    for (let due = clock.monotonicMs(); ; ) {
      await send(farEnd, signal);
      const intervalMs = 1_000 / framesPerSecond;
      due += intervalMs;
      const lateMs = clock.monotonicMs() - due;
      if (lateMs > intervalMs) due += Math.floor(lateMs / intervalMs) * intervalMs;
      await clock.sleep(Math.max(0, due - clock.monotonicMs()), signal);
    }
  };

  const actions = {
    freeze: defineAction({
      summary: "Sends nothing more, and stays plugged in",
      params: on,
      async act({ on }) {
        frozen = on;
        changed();
        return undefined;
      },
    }),
    drop: defineAction({
      summary: "Leaves the next pictures out",
      params: z.strictObject({ frames: z.int().min(1).max(10_000).default(1) }),
      async act({ frames }) {
        toDrop = frames;
        return undefined;
      },
    }),
    corrupt: defineAction({
      summary: "Damages the next pictures on their way",
      params: z.strictObject({ frames: z.int().min(1).max(10_000).default(1), how: z.enum(DAMAGES).default("cut") }),
      async act(damage) {
        toDamage = damage;
        return undefined;
      },
    }),
    dark: defineAction({
      summary: "Switches the light off, or on again",
      params: on,
      async act({ on }) {
        look = { ...look, dark: on };
        changed();
        return undefined;
      },
    }),
    blurred: defineAction({
      summary: "Puts the lens out of focus, or in again",
      params: on,
      async act({ on }) {
        look = { ...look, blurred: on };
        changed();
        return undefined;
      },
    }),
    slow: defineAction({
      summary: "Gives fewer pictures a second",
      params: z.strictObject({ framesPerSecond: z.number().min(0.1).max(60).default(2) }),
      async act(wanted) {
        framesPerSecond = wanted.framesPerSecond;
        changed();
        return undefined;
      },
    }),
    picture: defineAction({
      summary: "What the camera sees",
      params: none,
      act: async () => ({ png: await pictures.png(next, look) }),
    }),
    unplug: defineAction({
      summary: "Pulls the wire",
      params: none,
      async act() {
        unplugged = true;
        detach();
        return undefined;
      },
    }),
    plug: defineAction({
      summary: "Lets the next wire in",
      params: none,
      async act() {
        unplugged = false;
        changed();
        return undefined;
      },
    }),
    reset: defineAction({
      summary: "As new",
      params: none,
      async act() {
        simulator.reset();
        return undefined;
      },
    }),
  };

  const simulator: Simulator = {
    kind: "camera",
    actions,
    attach(farEnd) {
      if (unplugged) return void farEnd.close();
      detach();
      const pulled = new AbortController();
      const mine = { farEnd, pulled };
      plugged = mine;
      const leave = (): void => {
        if (plugged === mine) detach();
      };
      void farEnd.closed.then(leave);
      serve(farEnd, pulled.signal).then(leave, leave);
      changed();
    },
    detach,
    state: () => ({ attached: plugged !== undefined, unplugged, frozen, ...look, framesPerSecond, framesSent }),
    reset() {
      look = { dark: false, blurred: false };
      unplugged = false;
      frozen = false;
      framesPerSecond = options.framesPerSecond;
      toDrop = 0;
      toDamage = { frames: 0, how: "cut" };
      framesSent = 0;
      changed();
    },
    async close() {
      detach();
    },
  };
  return simulator;
}

export const camera = defineSimulator({
  kind: "camera",
  summary: "A camera that sends JPEGs in parts: a moving picture with an invented face, a clock and the picture's number",
  options: CameraOptions,
  create,
});
