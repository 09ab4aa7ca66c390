import { dirname } from "node:path";
import type { Machine } from "./machine.js";

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gids: ReadonlySet<number>;
}

/** A user of the machine with all groups; undefined where there is none of the name. */
export async function accountOf(machine: Machine, name: string): Promise<Account | undefined> {
  const [, , uid, gid] = (await entries(machine, "/etc/passwd")).find(([user]) => user === name) ?? [];
  if (uid === undefined || gid === undefined) return undefined;
  const more = (await entries(machine, "/etc/group")).filter(([, , , members]) => members?.split(",").includes(name));
  return { name, uid: Number(uid), gids: new Set([Number(gid), ...more.map(([, , id]) => Number(id))]) };
}

/** The id of a group; undefined where there is none of the name. */
export async function groupId(machine: Machine, name: string): Promise<number | undefined> {
  const id = (await entries(machine, "/etc/group")).find(([group]) => group === name)?.[2];
  return id === undefined ? undefined : Number(id);
}

export async function groupName(machine: Machine, id: number): Promise<string | undefined> {
  return (await entries(machine, "/etc/group")).find(([, , gid]) => Number(gid) === id)?.[0];
}

export async function userName(machine: Machine, id: number): Promise<string | undefined> {
  return (await entries(machine, "/etc/passwd")).find(([, , uid]) => Number(uid) === id)?.[0];
}

async function entries(machine: Machine, file: string): Promise<string[][]> {
  return ((await machine.text(file)) ?? "").split("\n").map((line) => line.split(":"));
}

const BITS = { r: 4, w: 2, x: 1 } as const;

/**
 * The first path on the way to `path` that keeps the account out, `path` itself included; undefined: nothing does.
 * Told by the permission bits: access lists beyond them are for people at a seat.
 */
export async function obstacle(machine: Machine, account: Account, path: string, wants: "r" | "rw" | "rwx"): Promise<string | undefined> {
  const folders: string[] = [];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (folder === dirname(folder)) break;
  }
  for (const folder of folders) if (!(await allowed(machine, account, folder, BITS.x))) return folder;
  const bits = [...wants].reduce((all, letter) => all | BITS[letter as keyof typeof BITS], 0);
  return (await allowed(machine, account, path, bits)) ? undefined : path;
}

async function allowed(machine: Machine, { uid, gids }: Account, path: string, bits: number): Promise<boolean> {
  if (uid === 0) return true;
  const facts = await machine.facts(path);
  if (!facts) return false;
  const shift = facts.uid === uid ? 6 : gids.has(facts.gid) ? 3 : 0;
  return ((facts.mode >> shift) & bits) === bits;
}
