import { createHash, randomUUID } from "node:crypto";
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseTrustFile, TOO_LARGE, TRUST_FILE_BYTES, type TrustFile, type TrustProblem } from "../emrtd/verify/trust-file.js";
import { EMPTY_TRUST, joinTrust, type TrustStore } from "../emrtd/verify/trust-store.js";
import { DeviceError } from "../kernel/errors.js";

export interface FileProblem extends TrustProblem {
  readonly file: string;
}

export interface TrustFolder {
  readonly store: TrustStore;
  /** What was left out; the rest is used all the same. */
  readonly problems: readonly FileProblem[];
}

/** A national folder has a dozen; more is a wrong path. */
const FILES = 4_096;

const isMissing = (thrown: unknown): boolean => thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT";

async function readBounded(path: string): Promise<TrustFile> {
  const { size } = await stat(path);
  if (size > TRUST_FILE_BYTES) return TOO_LARGE;
  return parseTrustFile(await readFile(path));
}

/** Whom the operator trusts: every file of the folder, in the order of their names. Hidden files and folders are passed over; a missing folder is an empty store. */
export async function loadTrustFolder(folder: string): Promise<TrustFolder> {
  let names: string[];
  try {
    names = (await readdir(folder)).filter((name) => !name.startsWith(".")).sort();
  } catch (thrown) {
    if (isMissing(thrown)) return { store: EMPTY_TRUST, problems: [] };
    return { store: EMPTY_TRUST, problems: [unreadable(folder)] };
  }
  const stores: TrustStore[] = [];
  const problems: FileProblem[] = [];
  for (const file of names.slice(0, FILES)) {
    const path = join(folder, file);
    try {
      if (!(await stat(path)).isFile()) continue;
      const read = await readBounded(path);
      stores.push(read.store);
      problems.push(...read.problems.map((problem) => ({ file, ...problem })));
    } catch {
      problems.push(unreadable(file));
    }
  }
  if (names.length > FILES) problems.push({ file: folder, reason: `more than ${FILES} files`, hint: "Is this the right folder?" });
  return { store: joinTrust(stores), problems };
}

const unreadable = (file: string): FileProblem => ({ file, reason: "cannot be read", hint: "Let the agent's user read it: mode 0644" });

export interface TrustImport {
  /** Name in the folder, by content: the same file twice is one. */
  readonly file: string;
  readonly authorities: number;
  readonly revocationLists: number;
  /** Entries of it that are not used. */
  readonly problems: readonly TrustProblem[];
  readonly masterListSigner?: string;
}

const isPem = (bytes: Uint8Array): boolean => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes("-----BEGIN ");

function extensionOf(bytes: Uint8Array, read: TrustFile): string {
  if (isPem(bytes)) return "pem";
  if (read.masterListSigner !== undefined) return "ml";
  return read.store.revocationLists.length > 0 ? "crl" : "cer";
}

/**
 * Copies a file of certificates into the folder, whole or not at all, readable by everyone: it is no secret.
 * @throws DeviceError `invalid_params` where nothing in it can be used, or it or the folder is out of reach
 */
export async function importTrustFile(folder: string, source: string): Promise<TrustImport> {
  let bytes: Uint8Array;
  try {
    if ((await stat(source)).size > TRUST_FILE_BYTES) throw refusal(TOO_LARGE.problems[0]);
    bytes = await readFile(source);
  } catch (thrown) {
    if (thrown instanceof DeviceError) throw thrown;
    throw refusal(unreadable(source));
  }
  const read = parseTrustFile(bytes);
  const { authorities, revocationLists } = read.store;
  if (authorities.length + revocationLists.length === 0) throw refusal(read.problems[0]);

  const file = `${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}.${extensionOf(bytes, read)}`;
  try {
    await writeWhole(folder, file, bytes);
  } catch (cause) {
    throw new DeviceError("invalid_params", { message: `${folder} cannot be written`, hint: "Run this as the folder's owner", cause });
  }
  return {
    file,
    authorities: authorities.length,
    revocationLists: revocationLists.length,
    problems: read.problems,
    ...(read.masterListSigner !== undefined && { masterListSigner: read.masterListSigner }),
  };
}

const refusal = (problem: TrustProblem = { reason: "nothing in it", hint: "Choose another file" }): DeviceError =>
  new DeviceError("invalid_params", { message: `not imported: ${problem.reason}`, hint: problem.hint });

/** Hidden until it is complete and on the disk: whoever reads the folder meanwhile sees it whole or not. */
async function writeWhole(folder: string, file: string, bytes: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const draft = join(folder, `.${file}.${randomUUID()}`);
  try {
    const handle = await open(draft, "wx", 0o644);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // The process's umask may have taken the others' right to read.
    await chmod(draft, 0o644);
    await rename(draft, join(folder, file));
  } catch (thrown) {
    await rm(draft, { force: true });
    throw thrown;
  }
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
