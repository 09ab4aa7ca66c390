import { InvalidArgumentError } from "commander";

/** An option's value in seconds, at most the protocol's longest time-out. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 600)) throw new InvalidArgumentError("expected seconds, more than 0 and at most 600");
  return value;
}
