import type { DocumentScanner, ScanEnd, ScanOrder, ScanSteps } from "../../../contracts/document-scanner.js";
import type { DriverContext } from "../../../contracts/driver.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import type { ProgramLink } from "../../../kernel/program.js";
import type { ScanSource } from "../../../protocol/document-scanner.js";
import { scanArguments } from "./arguments.js";
import type { SaneConfig } from "./config.js";
import { resolutionsOf, sourcesOf } from "./options.js";
import { type Run, runScan } from "./scan.js";
import { type Session, startSession } from "./session.js";

export async function open(config: SaneConfig, context: DriverContext<ProgramLink>): Promise<DocumentScanner> {
  const { device, clock, signal } = context;
  const link = await context.connect(signal);
  let session: Session;
  try {
    signal.throwIfAborted();
    session = await startSession(link, clock, config, signal);
    // Wrong settings are told now and not to a citizen.
    checkOptions(session);
  } catch (thrown) {
    await link.close();
    throw signal.aborted ? signal.reason : asDeviceError(thrown, "internal", { device });
  }
  let declareLost: (reason: DeviceError) => void = () => {};
  const lost = new Promise<DeviceError>((resolve) => {
    declareLost = resolve;
  });
  const close = async (): Promise<void> => {
    signal.removeEventListener("abort", onAbort);
    await session.end(new DeviceError("device_absent", { device, message: "the device was closed" }));
  };
  const onAbort = (): void => void close();
  signal.addEventListener("abort", onAbort, { once: true });
  context.report({ state: "ready" });
  const lose = (reason: DeviceError): DeviceError => {
    declareLost(reason);
    return reason;
  };
  const { found, options } = session;
  const resolutions = resolutionsOf(options);
  const resolutionsDpi =
    resolutions === undefined
      ? null
      : "min" in resolutions
        ? { min: resolutions.min, max: resolutions.max }
        : [...resolutions].sort((a, b) => a - b);
  const sources = [...sourcesOf(options, config.unnamedSource).keys()];
  return {
    identity: { vendor: found.vendor, model: found.model },
    capabilities: {
      version: 1,
      sources,
      // A backend lists its options once, whatever the source.
      ...Object.fromEntries(sources.map((source) => [source, { resolutionsDpi }])),
    },
    lost,
    scan: (order, steps, caller) => session.inTurn((limit) => scan(session, order, steps, limit, lose), caller),
    selfTest: (caller) =>
      session.inTurn(async (limit) => {
        const { code } = await session.run([`--device-name=${session.found.name}`, "--dont-scan"], {}, limit);
        return [
          {
            check: "scanner can be opened",
            ok: code === 0,
            ...(code === 0 ? {} : { hint: "Check its cable and power, and whether `scanimage -L` shows it" }),
          },
        ];
      }, caller),
    close,
  };
}

function checkOptions({ found, options, config }: Session): void {
  const [source = "flatbed"] = sourcesOf(options, config.unnamedSource).keys();
  const order = { source, mode: "black_white", resolutionDpi: anyResolution(options), widthMm: 210, heightMm: 297, maxPages: 1 } as const;
  scanArguments(found.name, source, order, options, config);
}

function anyResolution(options: Session["options"]): number {
  const resolutions = resolutionsOf(options);
  return resolutions === undefined ? 300 : "min" in resolutions ? resolutions.min : (resolutions[0] ?? 300);
}

/** @throws DeviceError where not one page came */
async function scan(
  session: Session,
  order: ScanOrder,
  steps: ScanSteps,
  signal: AbortSignal,
  lose: (reason: DeviceError) => DeviceError,
): Promise<ScanEnd> {
  const { options, config } = session;
  const run = async (source: ScanSource): Promise<Run> => {
    const once = (): Promise<Run> => runScan(session, scanArguments(session.found.name, source, order, options, config), steps, signal);
    const first = await once();
    if (!first.failure?.notOpened) return first;
    // It may have another name since it was plugged in anew.
    const before = session.found.name;
    await session.findAgain(signal).catch((thrown) => {
      signal.throwIfAborted();
      throw lose(asDeviceError(thrown, "device_absent"));
    });
    if (session.found.name !== before) return await once();
    // It is listed, and yet it cannot be opened: whether it ever can again is found out by opening it anew.
    throw lose(first.failure.error);
  };
  const sources = sourcesOf(options, config.unnamedSource);
  const [first, second]: ScanSource[] =
    order.source !== "auto" ? [order.source] : (["feeder", "flatbed"] as const).filter((source) => sources.has(source));
  let { pages, failure } = await run(first ?? "feeder_duplex");
  if (pages === 0 && failure?.error.kind === "feeder_empty" && second) ({ pages, failure } = await run(second));
  if (!failure) return { state: "done" };
  if (pages > 0) return { state: "broken_off", reason: failure.error };
  if (failure.error.kind === "feeder_empty" && (second ?? first) === "flatbed") throw new DeviceError("scan_empty");
  throw failure.error;
}
