/** What a worker is to do, and what it says of it. */
export interface Part {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export interface Plan {
  readonly seed: number;
  readonly parts: readonly Part[];
  /** A file that holds the number of each input before it is tried: after a kill it tells which one it was. */
  readonly careful?: string;
}

export type FromWorker =
  | { readonly type: "start"; readonly rssMib: number }
  | { readonly type: "end"; readonly rssMib: number }
  /** `part`: which one of the plan; `next`: the input that comes then. */
  | { readonly type: "progress"; readonly part: number; readonly next: number; readonly slowestMs: number }
  | { readonly type: "crash"; readonly name: string; readonly index: number; readonly error: string; readonly input?: string };

const ROUND = 1_000_000;

/** Each decoder's share by its weight, at least one; of a long run in rounds, so that each gets its turn early. */
export function share(inputs: number, decoders: readonly { readonly name: string; readonly weight: number }[]): Part[] {
  const all = decoders.reduce((sum, { weight }) => sum + weight, 0);
  const rounds = Math.ceil(inputs / ROUND);
  const upTo = (weight: number, round: number): number => Math.max(round, Math.round((inputs * weight * round) / all / rounds));
  return Array.from({ length: rounds }, (_, round) =>
    decoders.map(({ name, weight }) => ({ name, from: upTo(weight, round), to: upTo(weight, round + 1) })),
  ).flat();
}

/** What is left where the part of this number has come to `next`. */
export function rest(parts: readonly Part[], part: number, next: number): Part[] {
  return parts.slice(part).flatMap((one, index) => {
    const left = index === 0 ? { ...one, from: next } : one;
    return left.from < left.to ? [left] : [];
  });
}
