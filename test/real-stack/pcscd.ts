import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const VPCD = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
const READER = "Sim Reader";

/** A pcscd of its own, with two virtual readers, that no other program of the machine sees. */
export interface PcscdRig extends AsyncDisposable {
  /** As the library names them. */
  readonly readers: readonly [string, string];
  /** Where the card of each reader connects. */
  readonly ports: readonly [number, number];
  start(): Promise<void>;
  /** As a crash does: without a word to anybody. */
  kill(): Promise<void>;
  /** Stands still without ending, until `thaw`: it takes connections and answers nothing. */
  freeze(): void;
  thaw(): void;
}

/**
 * Whether the tests over a real PC/SC stack can run here. With STATIOND_REAL_STACK=required a missing piece is a failure,
 * otherwise it is said loudly and skipped.
 */
export async function realPcscStack(): Promise<boolean> {
  const missing = await missingPiece();
  if (missing === undefined) return true;
  if (process.env.STATIOND_REAL_STACK === "required") throw new RangeError(`STATIOND_REAL_STACK=required, but ${missing}`);
  console.warn(`SKIPPED: tests over a real PC/SC service, because ${missing}`);
  return false;
}

async function missingPiece(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "a mount namespace needs root on Linux";
  for (const program of ["pcscd", "cc", "unshare", "setpriv"]) {
    const found = await run("sh", ["-c", `command -v ${program}`]).then(
      () => true,
      () => false,
    );
    if (!found) return `${program} is not installed`;
  }
  if (!(await exists(VPCD))) return "vsmartcard-vpcd is not installed";
  return await run("unshare", ["-m", "true"]).then(
    () => undefined,
    () => "a mount namespace cannot be made",
  );
}

/**
 * Starts pcscd in a mount namespace whose /run is a temporary folder, and points the PC/SC library of this process and of its children there.
 * It looks for cards every 20 ms, so that tests are quick; `pollAsShipped`: every 400 ms, as installed.
 * The library reads the socket's name once: where it runs in the test's own process, one rig per test file.
 */
export async function openPcscd({ pollAsShipped = false }: { readonly pollAsShipped?: boolean } = {}): Promise<PcscdRig> {
  const folder = await mkdtemp(join(tmpdir(), "stationd-pcscd-"));
  const runFolder = join(folder, "run");
  await mkdir(runFolder);
  const socket = join(runFolder, "pcscd", "pcscd.comm");
  const shim = join(folder, "shim.so");
  // From the root of the repository, where tests are started: the compiler copies no C.
  await run("cc", ["-shared", "-fPIC", "-O2", "-o", shim, resolve("test/real-stack/vpcd-shim.c"), "-ldl"]);
  const port = await twoFreePorts();
  const config = join(folder, "reader.conf");
  await writeFile(
    config,
    `FRIENDLYNAME "${READER}"\nDEVICENAME /dev/null:0x${port.toString(16)}\nLIBPATH ${VPCD}\nCHANNELID 0x${port.toString(16)}\n`,
  );
  process.env.PCSCLITE_CSOCK_NAME = socket;

  let pcscd: { readonly child: ChildProcess; readonly exited: Promise<unknown> } | undefined;
  const kill = async (): Promise<void> => {
    pcscd?.child.kill("SIGKILL");
    await pcscd?.exited;
    pcscd = undefined;
  };
  const start = async (): Promise<void> => {
    const script = 'mount --bind "$1" /run && LD_PRELOAD="$2" exec pcscd --foreground --critical --config "$3"';
    // Every program of the chain replaces the one before, so that the child is pcscd; it dies with this process.
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "unshare", "-m", "sh", "-c", script, "pcscd", runFolder, shim, config], {
      stdio: ["ignore", "ignore", "ignore"],
      env: pollAsShipped ? process.env : { ...process.env, LONGEST_SLEEP_MS: "20" },
    });
    pcscd = { child, exited: once(child, "exit") };
    while (!(await listens(socket))) {
      if (child.exitCode !== null) throw new RangeError("pcscd ended at once");
      await pause(5);
    }
  };
  const dispose = async (): Promise<void> => {
    await kill();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (thrown) {
    await dispose();
    throw thrown;
  }
  return {
    readers: [`${READER} 00 00`, `${READER} 00 01`],
    ports: [port, port + 1],
    start,
    kill,
    freeze: () => void pcscd?.child.kill("SIGSTOP"),
    thaw: () => void pcscd?.child.kill("SIGCONT"),
    [Symbol.asyncDispose]: dispose,
  };
}

/** vpcd takes a port and the next one. */
async function twoFreePorts(): Promise<number> {
  for (;;) {
    const first = createServer();
    const second = createServer();
    try {
      await once(first.listen(0), "listening");
      const address = first.address();
      const port = typeof address === "object" && address ? address.port : 0;
      if (port >= 0xffff) continue;
      await once(second.listen(port + 1), "listening");
      return port;
    } catch {
      // The next one is taken: another pair.
    } finally {
      first.close();
      second.close();
    }
  }
}

async function listens(path: string): Promise<boolean> {
  if (!(await exists(path))) return false;
  const socket: Socket = connect(path);
  return await once(socket, "connect")
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
