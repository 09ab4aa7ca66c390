import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { certificate, ecKey, pem, state } from "../emrtd/testing/test-pki.js";
import { asciiBytes } from "../kernel/bytes.js";
import { describeTrust } from "./describe.js";
import { importTrustFile, loadTrustFolder } from "./folder.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stationd-trust-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const utopia = state();
const next = { key: ecKey("brainpoolP384r1"), scheme: "ecdsa", hash: "sha384" } as const;
const link = certificate({
  subject: utopia.cscaName,
  issuer: utopia.cscaName,
  key: next.key,
  signing: utopia.csca,
  serial: "02",
  authority: true,
});

const put = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

it("a missing folder trusts nobody", async () => {
  expect(await loadTrustFolder(join(folder, "absent"))).toEqual({ store: { authorities: [], revocationLists: [] }, problems: [] });
});

it("a folder holds what its files hold, and says what they do not", async () => {
  put("csca.cer", utopia.authority);
  put("again.pem", pem("CERTIFICATE", utopia.authority));
  put("list.crl", utopia.crl());
  put("notes.txt", asciiBytes("do not forget"));
  put(".hidden", asciiBytes("half a file"));
  mkdirSync(join(folder, "old"));
  const { store, problems } = await loadTrustFolder(folder);
  expect([store.authorities.length, store.revocationLists.length]).toEqual([1, 1]);
  expect(problems).toEqual([{ file: "notes.txt", reason: expect.any(String), hint: expect.any(String) }]);
});

it("a file instead of a folder is a problem, not an error", async () => {
  const path = put("file", utopia.authority);
  expect(await loadTrustFolder(path)).toMatchObject({ store: { authorities: [] }, problems: [{ reason: "cannot be read" }] });
});

it("an import is whole, readable by all, and made once", async () => {
  const source = put("source.cer", utopia.authority);
  const target = join(folder, "a", "trust");
  const umask = process.umask(0o077);
  const first = await importTrustFile(target, source).finally(() => process.umask(umask));
  expect(first).toEqual({ file: expect.stringMatching(/^[0-9a-f]{16}\.cer$/), authorities: 1, revocationLists: 0, problems: [] });
  expect(await importTrustFile(target, source)).toEqual(first);
  expect(readdirSync(target)).toEqual([first.file]);
  expect(statSync(join(target, first.file)).mode & 0o777).toBe(0o644);
  expect(readFileSync(join(target, first.file))).toEqual(readFileSync(source));
  expect((await importTrustFile(target, put("b", utopia.crl()))).file).toMatch(/\.crl$/);
  expect((await importTrustFile(target, put("c", pem("CERTIFICATE", utopia.authority)))).file).toMatch(/\.pem$/);
  expect((await loadTrustFolder(target)).problems).toEqual([]);
});

it("an import of nothing useful is refused and leaves nothing", async () => {
  const target = join(folder, "trust");
  const signer = certificate(utopia.signerSpec);
  for (const source of [put("x", asciiBytes("x")), put("ds.cer", signer), join(folder, "absent")]) {
    await expect(importTrustFile(target, source)).rejects.toMatchObject({ kind: "invalid_params", hint: expect.stringMatching(/\w/) });
  }
  expect(readdirSync(folder)).not.toContain("trust");
  const blocked = put("blocked", asciiBytes(""));
  await expect(importTrustFile(join(blocked, "trust"), put("y", utopia.authority))).rejects.toMatchObject({ kind: "invalid_params" });
});

it("a file out of reach is a problem of its own", async () => {
  symlinkSync(join(folder, "nowhere"), join(folder, "moved.cer"));
  put("csca.cer", utopia.authority);
  expect(await loadTrustFolder(folder)).toMatchObject({ store: { authorities: [{}] }, problems: [{ file: "moved.cer" }] });
});

it("everything is described for a technician", async () => {
  put("1.cer", utopia.authority);
  put("2.cer", link);
  put("3.crl", utopia.crl(["1001", "1002"]));
  put("4.cer", certificate({ subject: utopia.cscaName, issuer: utopia.cscaName, key: ecKey("secp256k1"), signing: next, authority: true }));
  const { store } = await loadTrustFolder(folder);
  const rows = describeTrust(store, Date.parse("2026-06-01"));
  expect(rows).toMatchObject([
    {
      kind: "csca",
      subject: "C=UT, CN=Utopia CSCA",
      serial: "01",
      key: "prime256v1",
      notAfter: "2040-01-01T00:00:00.000Z",
      expired: false,
    },
    { kind: "link", serial: "02", key: "brainpoolP384r1", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    { kind: "link", key: "unsupported" },
    {
      kind: "crl",
      subject: "C=UT, CN=Utopia CSCA",
      serial: "2 revoked",
      notAfter: "2026-12-31T00:00:00.000Z",
      key: undefined,
      expired: false,
    },
  ]);
  expect(describeTrust(store, Date.parse("2041-01-01")).map((row) => row.expired)).toEqual([true, true, true, true]);
});
