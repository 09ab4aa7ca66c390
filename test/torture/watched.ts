import type { Simulator } from "../../simulators/simulator.js";
import type { Json } from "../../src/kernel/errors.js";

export interface Watched<T> {
  readonly simulator: T;
  act(name: string, params?: Record<string, unknown>): Promise<void>;
  /** Calls back once, when this step is reached next. */
  at(step: string, strike: () => void): void;
  /** Nothing waits for a step any more. */
  forget(): void;
}

type Shown = { readonly procedure: Json | undefined; readonly step: Json | undefined };

/** A terminal whose steps can be waited for. `ended`: a name for the end of this procedure. */
export function watched<T extends Simulator>(make: (changed: () => void) => T, ended: Readonly<Record<string, string>> = {}): Watched<T> {
  let hooks: { readonly step: string; strike(): void }[] = [];
  let seen: Shown = { procedure: null, step: null };
  const reached = (step: Json | undefined): void => {
    const due = hooks.filter((hook) => hook.step === step);
    hooks = hooks.filter((hook) => hook.step !== step);
    for (const { strike } of due) strike();
  };
  let made: T | undefined;
  made = make(() => {
    const { procedure, step } = made?.state() ?? {};
    if (procedure === seen.procedure && step === seen.step) return;
    const before = seen;
    seen = { procedure, step };
    if (procedure === null) reached(ended[String(before.procedure)]);
    reached(step);
  });
  const simulator = made;
  return {
    simulator,
    async act(name, params = {}) {
      const action = simulator.actions[name];
      if (!action) throw new Error(`the terminal cannot ${name}`);
      await action.act(action.params.parse(params));
    },
    at: (step, strike) => void hooks.push({ step, strike }),
    forget() {
      hooks = [];
    },
  };
}
