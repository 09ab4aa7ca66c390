import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { stringify } from "smol-toml";
import { type Agent, startAgent } from "../agent.js";
import { processEnvironment } from "../config/environment.js";
import { parseConfig } from "../config/load.js";
import type { StationConfig } from "../config/types.js";
import { drivers } from "../drivers/index.js";
import { DeviceError } from "../kernel/errors.js";
import { randomId, systemRandom } from "../kernel/random.js";
import { DEFAULT_PORT } from "../protocol/version.js";
import { createDemoBank } from "./demo-bank.js";
import { demoPage } from "./demo-page.js";
import { EXIT_CODES } from "./exit-codes.js";

const DEFAULT_PAGE_PORT = DEFAULT_PORT + 1;
/** How long the payment terminal waits for a card. Where a real one takes minutes to be sure that nothing was charged, this one takes so long. */
const TERMINAL_PATIENCE_MS = 30_000;

export interface DemoOptions {
  /** Of the agent; 7870 unless told, 0 for any free one. */
  readonly port?: number;
  /** Of the page; 7871 unless told, 0 for any free one. */
  readonly pagePort?: number;
  /** Opens the page in the default browser. */
  readonly open?: boolean;
  /** Who stands at the payment terminal: `manual` is the side panel's hand, and the default. */
  readonly payer?: "manual" | "auto";
  /** Where the demo keeps its journal; a folder of its own below the user's state folder unless told. */
  readonly stateDir?: string;
  /** Further pages that get the kiosk role. */
  readonly origins?: readonly string[];
}

export interface RunningDemo {
  /** `http://127.0.0.1:7871/` */
  readonly pageUrl: string;
  readonly agent: Agent;
  /** `http://127.0.0.1:7870/console/` */
  readonly consoleUrl: string;
  /** Opens the console of this demo, until it ends. */
  readonly technicianToken: string;
  /** Unix socket of the `stationd` command. */
  readonly technicianSocket: string | undefined;
  stop(): Promise<void>;
}

/** A path that does not fit into a socket's address (unix(7): 107 bytes) means: no socket. */
const socketIn = (folder: string, name: string): string | false => {
  const path = join(folder, name);
  return Buffer.byteLength(path) <= 107 && path;
};

interface DemoConfigNeeds extends Pick<DemoOptions, "payer"> {
  readonly port: number;
  readonly stateDir: string;
  readonly origins: readonly string[];
  /** Of the back-end that confirms transfers. */
  readonly confirmationKey: string;
  readonly technicianToken: string;
}

/** The demo's own config, through the same parser as a kiosk's. */
export function demoConfig(needs: DemoConfigNeeds): StationConfig {
  const { port, stateDir, origins, confirmationKey, technicianToken, payer = "manual" } = needs;
  const sha256 = createHash("sha256").update(technicianToken).digest("hex");
  const text = stringify({
    agent: { name: "demo", mode: "demo", stateDir, logLevel: "warn" },
    server: {
      port,
      origins,
      serviceSocket: socketIn(stateDir, "service.sock"),
      technicianSocket: socketIn(stateDir, "technician.sock"),
      tokens: [{ name: "demo", role: "technician", sha256 }],
    },
    console: { enabled: true },
    devices: {
      // Slower than a real printer, so that one sees the paper come out.
      receipt: { driver: "escpos", link: { kind: "simulator", simulator: "receipt-printer", rowsPerSecond: 600 } },
      scanner: { driver: "serial-scanner", link: { kind: "simulator", simulator: "barcode-scanner" } },
      // As slow as the air is, so that one sees the reading move.
      "id-reader": {
        driver: "pcsc",
        link: { kind: "simulator", simulator: "chip-card", kbps: 106, latencyMs: 60 },
      },
      terminal: {
        driver: "zvt",
        password: "123456",
        t4Ms: TERMINAL_PATIENCE_MS + 1_000,
        autoReversalMs: 3_000,
        pollMs: 5_000,
        link: {
          kind: "simulator",
          simulator: "zvt-terminal",
          cardholder: payer,
          cardTimeoutMs: TERMINAL_PATIENCE_MS,
          hostMs: 1_500,
          autoReversalMs: 2_000,
          rebootMs: 4_000,
          earlierReceipt: true,
          nextReceipt: 118,
          nextTrace: 1_042,
          nextTurnover: 731,
        },
      },
      // No bank has this number: whoever scans the demo's code with a real telephone can transfer nothing.
      vietqr: { driver: "vietqr", bankBin: "999999", account: "0000000000", confirmationKeys: [confirmationKey], expiresMs: 120_000 },
      documents: { driver: "escl", link: { kind: "simulator", simulator: "document-scanner", glass: false, pageMs: 700 } },
      camera: { driver: "ffmpeg", link: { kind: "simulator", simulator: "camera", framesPerSecond: 15 } },
    },
  });
  return parseConfig(text, "the demo's configuration", drivers);
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new DeviceError("busy", {
      message: `port ${port} is in use`,
      hint: "Stop what runs there (another demo?), or choose another port for the page with --page-port",
    });
  }
  return (server.address() as AddressInfo).port;
}

/** The agent with every bundled simulator, and the page. @throws DeviceError `busy` where a port is taken */
export async function startDemo(options: DemoOptions = {}): Promise<RunningDemo> {
  const stateDir = options.stateDir ?? join(processEnvironment().stateDir, "demo");
  let agent: Agent | undefined;
  const origins: string[] = [];
  const technicianToken = randomId(systemRandom);
  const bank = createDemoBank(Date.now);
  const server = createServer(demoPage({ origins, bank, since: Date.now(), agent: () => agent }));
  // The page comes first: its port is part of the origin that the agent lists.
  const pagePort = await listen(server, options.pagePort ?? DEFAULT_PAGE_PORT);
  origins.push(`http://127.0.0.1:${pagePort}`, `http://localhost:${pagePort}`);
  const stopPage = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  try {
    const config = demoConfig({
      ...options,
      port: options.port ?? DEFAULT_PORT,
      stateDir,
      origins: [...origins, ...(options.origins ?? [])],
      confirmationKey: bank.publicKey,
      technicianToken,
    });
    const started = await startAgent({ config });
    agent = started;
    await started.simulation?.writeIssuers(config.agent.trustDir);
    return {
      pageUrl: `http://127.0.0.1:${pagePort}/`,
      agent: started,
      consoleUrl: `${started.httpUrl}/console/`,
      technicianToken,
      technicianSocket: config.server.technicianSocket,
      async stop() {
        await stopPage();
        await started.stop();
      },
    };
  } catch (error) {
    await stopPage();
    throw error;
  }
}

function banner({ pageUrl, agent, consoleUrl, technicianToken, technicianSocket }: RunningDemo): string {
  return `
  stationd demo: everything below is simulated (BẢN THỬ)

    Page     ${pageUrl}
    Socket   ${agent.url}
    Console  ${consoleUrl}   for technicians
    Token    ${technicianToken}   of this demo's technician

  Try      1. Open the page and press “Tra cứu hồ sơ”.
           2. On the right, press a code below “Quét mã này”: HS-2026-000123.
           3. Print the slip, and take the paper away while it comes out.
  Or       1. Press “Xác minh căn cước”.
           2. On the right, press “Quét mã A”, then “Đặt thẻ A”.
           3. Print the slip. Then again with “Chip sao chép”, or lift the card while it is read.
  Or       1. Press “Thanh toán hóa đơn”, and “Tiền điện” below “Quét mã này”.
           2. Pay by card: on the right “Đưa thẻ”, “Đúng PIN, duyệt”, “Rút thẻ”. Reload the page or pull the cable in between.
  Or       1. Press “Nộp hồ sơ hành chính”, then “Quét mã A” and “Đặt thẻ A” on the right.
           2. Scan: “Nạp 2 tờ”, then “Quét giấy tờ”. Let a sheet jam with “Kẹt ở tờ sau”.
           3. Take a picture. Then again with “Tắt đèn” or “Mờ ống kính”.
${technicianSocket ? `  And      stationd devices --socket ${technicianSocket}\n` : ""}  Stop     Ctrl-C

`;
}

function openInBrowser(url: string): void {
  const command = process.platform === "darwin" ? "open" : "xdg-open";
  const child = spawn(command, [url], { stdio: "ignore", detached: true });
  // No browser is no reason to end the demo: the address is on the screen.
  child.on("error", () => {});
  child.unref();
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once, as if there were no handler. */
function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    const onSignal = (): void => {
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
      resolve();
    };
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  });
}

/**
 * Runs the demo until Ctrl-C.
 * @returns the exit code. @throws DeviceError `busy` where a port is taken
 */
export async function demo(options: DemoOptions = {}): Promise<number> {
  const asked = stopAsked();
  const running = await startDemo(options);
  process.stdout.write(banner(running));
  if (options.open) openInBrowser(running.pageUrl);
  await asked;
  process.stdout.write("\n  Stopping …\n");
  await running.stop();
  return EXIT_CODES.ok.code;
}
