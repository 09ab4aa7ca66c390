import { createHash } from "node:crypto";
import { z } from "../kernel/schema.js";

/**
 * What is written down of an action: names only. No field has room for what a citizen's card, paper or code says; whatever stands in a
 * request besides is left out.
 */
const AuditFact = z.strictObject({
  /** `token:anna`, `socket:technician`, `origin:https://…`, `door:tcp` (nobody yet), `agent`, `command`. */
  who: z.string().max(160),
  /** Of the process at the far end, where the kernel told it. */
  uid: z.int().min(0).optional(),
  /** A method of the protocol, or one of the agent's own: `auth.failed`, `config.reloaded`, `token.added`. */
  what: z.string().max(64),
  device: z.string().max(64).optional(),
  job: z.string().max(64).optional(),
  /** A word of a closed list, a number, or the name of a token. */
  detail: z.string().max(64).optional(),
  /** `ok`, `begun`, or the kind of the error. */
  outcome: z.string().max(32),
  /** Number of the entry that says `begun`. */
  of: z.int().optional(),
  /** As many more of the same kind came too fast before this one to be written down one by one. */
  more: z.int().optional(),
});
export type AuditFact = z.infer<typeof AuditFact>;

export const AuditEntry = z.strictObject({
  /** Counts from 1, without gaps. */
  n: z.int().min(1),
  at: z.iso.datetime(),
  ...AuditFact.shape,
  /** SHA-256 of the line before this one. */
  prev: z.string().regex(/^[0-9a-f]{64}$/),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/** Before the first line of all. */
export const NOTHING = "0".repeat(64);
/** A line is far shorter; more is none of ours. */
export const LINE_BYTES = 1_024;

export const hashOf = (line: string | Uint8Array): string => createHash("sha256").update(line).digest("hex");

/** A name as it may stand in the log, whatever it was made of. */
export function plainName(text: string, longest: number): string {
  return text.replaceAll(/[^\w.:+/@,[\]-]/g, "_").slice(0, longest);
}

/** The line, without its end. */
export function encodeEntry(n: number, atMs: number, fact: AuditFact, prev: string): string {
  const { who, uid, what, device, job, detail, outcome, of, more } = fact;
  const name = (text: string | undefined, longest: number): string | undefined =>
    text === undefined ? undefined : plainName(text, longest);
  const entry: AuditEntry = {
    n,
    at: new Date(atMs).toISOString(),
    who: plainName(who, 160),
    uid,
    what: plainName(what, 64),
    device: name(device, 64),
    job: name(job, 64),
    detail: name(detail, 64),
    outcome: plainName(outcome, 32),
    of,
    more,
    prev,
  };
  return JSON.stringify(entry);
}

/** Undefined where the line is no entry. */
export function parseEntry(line: string): AuditEntry | undefined {
  if (line.length > LINE_BYTES) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return AuditEntry.safeParse(value).data;
}

/** Each writer has a chain of its own: two processes never wait for each other. */
export const WRITERS = ["agent", "command"] as const;
export type Writer = (typeof WRITERS)[number];

export const segmentName = (writer: Writer, number: number): string => `audit-${writer}-${String(number).padStart(6, "0")}.jsonl`;

/** The writer's files among `names`, oldest first. */
export function segmentsAmong(names: readonly string[], writer: Writer): { readonly name: string; readonly number: number }[] {
  return names
    .flatMap((name) => {
      const digits = /^audit-([a-z]+)-([0-9]{6})\.jsonl$/.exec(name);
      return digits?.[1] === writer ? [{ name, number: Number(digits[2]) }] : [];
    })
    .sort((a, b) => a.number - b.number);
}
