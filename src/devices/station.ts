import type { AnyDriver, DrivenClass } from "../contracts/driver.js";
import type { Documents, Photos } from "../contracts/imaging.js";
import type { TrustStore } from "../emrtd/verify/trust-store.js";
import type { JobRecord, Journal } from "../journal/types.js";
import { deadline } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import type { Secret } from "../kernel/secret.js";
import type { Call, Caller, Handlers, Station, StationEvent } from "../protocol/call.js";
import type { DeviceClass, DeviceSnapshot } from "../protocol/devices.js";
import type { Result } from "../protocol/methods.js";
import type { Mode, Topic } from "../protocol/session.js";
import { announcer } from "./announcer.js";
import { barcodeScannerHandlers } from "./barcode-scanner-handlers.js";
import { BarcodeScannerService } from "./barcode-scanner-service.js";
import { Bay } from "./bay.js";
import { cameraHandlers } from "./camera-handlers.js";
import { CameraService } from "./camera-service.js";
import { chipReaderHandlers } from "./chip-reader-handlers.js";
import { ChipReaderService } from "./chip-reader-service.js";
import { createCitizens } from "./citizens.js";
import type { BayContext, DeviceSpec } from "./device-spec.js";
import { documentScannerHandlers } from "./document-scanner-handlers.js";
import { type HandlerContext, marked } from "./handler-context.js";
import { paymentTerminalHandlers } from "./payment-handlers.js";
import { PaymentService } from "./payment-service.js";
import { printerHandlers } from "./printer-handlers.js";
import { PrinterService } from "./printer-service.js";
import { pruneBefore } from "./retention.js";
import type { SimulatorDesk } from "./simulator-desk.js";
import { traceHandler } from "./trace.js";
import { createRecordings, type RecordingLines } from "./trace-recordings.js";

export interface StationOptions extends BayContext {
  readonly journal: Journal;
  readonly stationKey: () => Promise<Secret<Uint8Array>>;
  readonly mode: Mode;
  readonly name: string;
  readonly version: string;
  readonly drivers: readonly AnyDriver[];
  readonly simulators: SimulatorDesk | undefined;
  /** The issuers of ID cards that this station trusts, as they are now. */
  readonly trust: () => Promise<TrustStore>;
  readonly photos: Photos;
  readonly documents: Documents;
  /** Left out: nothing can be recorded. */
  readonly recordingLines?: RecordingLines;
}

export interface RunningStation extends Station {
  /** Starts what is new, stops what is gone, and opens anew the devices named in `changed`. */
  apply(specs: readonly DeviceSpec[], changed: ReadonlySet<string>): Promise<void>;
  /** Something was plugged in or out on this machine. */
  hotplug(): void;
  stop(): Promise<void>;
}

/** How long a receipt that is coming out may take when the agent stops. */
const FINISH_WITHIN_MS = 8_000;
const PRUNE_EVERY_MS = 24 * 3_600_000;

/** All that is below the wire: the devices, their queues and jobs, and who may use them now. */
export function createStation(options: StationOptions): RunningStation {
  const { clock, journal, log } = options;
  const startedAt = clock.monotonicMs();
  const bays = new Map<string, Bay>();
  const citizens = createCitizens();
  let emit: (event: StationEvent) => void = () => {};

  const announce = announcer<Bay>(clock, (bay) => {
    if (bays.get(bay.spec.id) === bay) emit({ topic: "devices", data: bay.snapshot(), coalesceKey: bay.spec.id });
  });
  const printers = new PrinterService({
    ...options,
    publish: (job, principal) => emit({ topic: "jobs", data: job, principal, coalesceKey: job.job }),
  });
  const payments = new PaymentService({
    ...options,
    publish: (job, principal) => emit({ topic: "jobs", data: job, principal, coalesceKey: job.job }),
  });
  const scanners = new BarcodeScannerService({
    clock,
    publish: (scan, session) => emit({ topic: "barcodeScanner", data: { scanned: scan }, session }),
  });
  const chipReaders = new ChipReaderService({
    ...options,
    publish: (presence) => emit({ topic: "chipReader", data: presence, coalesceKey: presence.device }),
  });
  const cameras = new CameraService(options);
  options.simulators?.onChange(({ actions: _, ...data }) => emit({ topic: "simulators", data, coalesceKey: data.simulator }));

  const prune = (): Disposable =>
    clock.timer(PRUNE_EVERY_MS, () => {
      void journal.prune(pruneBefore(clock.now())).catch((thrown) => log.error("the journal cannot be pruned", {}, thrown));
      pruning = prune();
    });
  let pruning = prune();

  const one = (id: string): Bay => {
    const bay = bays.get(id);
    if (!bay) {
      throw new DeviceError("unknown_device", { device: id, message: `no device ${id}`, details: { devices: [...bays.keys()] } });
    }
    return bay;
  };

  /** The named device, or the only one of its class. */
  const ofClass: HandlerContext["ofClass"] = (wanted, id, kind) => {
    const candidates = [...bays.values()].filter((bay) => isOf(bay, wanted)).filter((bay) => kind?.fits(bay) !== false);
    const bay = id === undefined ? candidates[0] : one(id);
    const name = kind ? `${wanted} for ${kind.name}` : wanted;
    if (!bay) throw new DeviceError("unknown_device", { message: `this station has no ${name}`, hint: `Add a ${name} to the config` });
    if (!isOf(bay, wanted) || kind?.fits(bay) === false) {
      throw new DeviceError("unknown_device", { device: bay.spec.id, message: `${bay.spec.id} is no ${name}` });
    }
    if (id === undefined && candidates.length > 1) {
      const devices = candidates.map((candidate) => candidate.spec.id);
      throw new DeviceError("invalid_params", { message: `device: name one of ${devices.join(", ")}`, details: { devices } });
    }
    return bay;
  };

  const recordings = createRecordings(one, { ...options, citizens });

  const citizenGone = (caller: Caller): void => {
    citizens.gone(caller);
    scanners.sessionEnded(caller);
    cameras.sessionEnded(caller);
    recordings.sessionEnded(caller);
  };

  const shownJob = (record: JobRecord): Result<"jobs.get"> => {
    const simulated = bays.get(record.device)?.spec.simulated ?? options.mode !== "production";
    return (record.kind === "print" ? printers : payments).shown(record, simulated);
  };

  const openJobs = (principal: string | undefined): Result<"jobs.list">["jobs"] => [
    ...printers.openJobs(principal),
    ...payments.openJobs(principal),
  ];

  const desk = (): SimulatorDesk => {
    if (!options.simulators) throw new DeviceError("unsupported", { message: "this agent has no simulators" });
    return options.simulators;
  };

  const context: HandlerContext = { citizens, log, ofClass };
  const handlers: Handlers = {
    "session.endCitizen": (_params, { caller }) => {
      citizenGone(caller);
      for (const bay of bays.values()) bay.claims.sessionGone(caller.session);
      const cards = chipReaders.presence().filter(({ present }) => present);
      return {
        leftBehind: cards.map(({ device }) => ({ device, what: "card" as const })),
        openJobs: openJobs(caller.principal).length,
      };
    },
    "devices.list": (params) => ({
      devices: snapshots().filter((device) => params.class === undefined || device.class === params.class),
    }),
    "devices.get": (params) => one(params.device).snapshot(),
    "devices.capabilities": (params) => {
      const bay = one(params.device);
      const { device } = bay;
      if (!device) throw new DeviceError("device_absent", { device: params.device });
      return { ...marked(bay), version: 1, capabilities: { ...device.capabilities } as Result<"devices.capabilities">["capabilities"] };
    },
    "devices.claim": (params, call) => {
      citizens.enter(call);
      const bay = one(params.device);
      if (isOf(bay, "barcodeScanner")) scanners.mayUse(bay, call.caller);
      return { device: params.device, until: bay.claims.take(call.caller, params.ttlMs) };
    },
    "devices.release": (params, { caller }) => {
      const force = params.force === true;
      if (force && caller.role !== "technician") throw new DeviceError("forbidden", { message: "force is a technician's" });
      const bay = one(params.device);
      const holder = bay.claims.release(caller, force);
      if (holder && holder.session !== caller.session) {
        log.info("audit: claim released by force", { device: params.device, role: caller.role });
        // To whoever held it, and never left out for a later snapshot: the device is no longer its own.
        emit({ topic: "devices", data: { ...bay.snapshot(), claimEnded: "by_technician" }, session: holder.session });
      }
      return { device: params.device, released: holder !== undefined };
    },
    "devices.reset": (params, { caller }) => {
      const bay = one(params.device);
      bay.claims.check(caller);
      log.info("audit: device reset", { device: params.device, role: caller.role });
      bay.reset();
      return bay.snapshot();
    },
    "devices.trace": traceHandler(one, clock, log),
    ...recordings.handlers,
    "jobs.get": async (params, { caller }) => {
      const record = await journal.byKey(caller.principal, params.idempotencyKey);
      if (!record) throw new DeviceError("job_not_found");
      return shownJob(record);
    },
    "jobs.list": async (params, { caller }) => {
      const records = await journal.list({
        limit: params.limit,
        ...(caller.role === "technician" ? {} : { principal: caller.principal }),
        ...(params.open === undefined ? {} : { open: params.open }),
      });
      return { jobs: records.map(shownJob) };
    },
    ...printerHandlers(context, printers, options.imaging),
    ...barcodeScannerHandlers(context, scanners),
    ...chipReaderHandlers(context, chipReaders),
    ...paymentTerminalHandlers(context, payments),
    ...documentScannerHandlers(context, options.documents),
    ...cameraHandlers(context, cameras),
    "agent.describe": () => ({
      name: options.name,
      version: options.version,
      node: process.versions.node,
      mode: options.mode,
      maintenance: citizens.maintenance,
      uptimeMs: Math.round(clock.monotonicMs() - startedAt),
      drivers: options.drivers.map(({ class: of, id, summary }) => ({ class: of, id, summary })),
    }),
    "agent.maintenance": ({ on }, { caller }) => {
      if (citizens.setMaintenance(on)) {
        log.info(on ? "audit: maintenance on" : "audit: maintenance off", { role: caller.role });
        if (!on) {
          recordings.endAll();
          // The next one at the station is a citizen.
          for (const caller of citizens.consoles()) citizenGone(caller);
        }
        emit({ topic: "agent", data: { maintenance: on } });
      }
      return { maintenance: on };
    },
    "diagnostics.run": async (params, call) => {
      const chosen = params.device === undefined ? [...bays.values()] : [one(params.device)];
      return { checks: (await Promise.all(chosen.map((bay) => selfTest(bay, call)))).flat() };
    },
    "simulators.list": () => ({ simulators: [...desk().list()] }),
    "simulators.act": async (params, call) => {
      const { state, png } = await desk().act(params.simulator, params.action, params.params ?? {});
      return { state, ...(png ? { image: await call.blob("image/png", png) } : {}) };
    },
  };

  const snapshots = (): DeviceSnapshot[] => [...bays.values()].map((bay) => bay.snapshot());

  /** `former`: the same device before its settings changed. */
  const start = (spec: DeviceSpec, former?: Bay): void => {
    const bay = new Bay(spec, options, announce);
    bays.set(spec.id, bay);
    if (former) bay.claims.inherit(former.claims);
    if (isOf(bay, "printer")) void printers.adopt(bay);
    if (isOf(bay, "paymentTerminal")) void payments.adopt(bay);
    if (isOf(bay, "chipReader")) chipReaders.adopt(bay);
    if (isOf(bay, "barcodeScanner")) scanners.adopt(bay, former && isOf(former, "barcodeScanner") ? former : undefined);
    if (isOf(bay, "camera")) cameras.adopt(bay, former && isOf(former, "camera") ? former : undefined);
    bay.start();
    announce(bay);
  };

  /** Known until it is closed: whoever asks meanwhile hears that it is absent, not that there is no such device. */
  const end = async (bay: Bay): Promise<void> => {
    if (isOf(bay, "printer")) await printers.release(bay, FINISH_WITHIN_MS);
    if (isOf(bay, "paymentTerminal")) await payments.release(bay, FINISH_WITHIN_MS);
    await bay.stop();
  };

  const recovered = (bay: Bay): boolean => {
    if (isOf(bay, "printer")) return printers.recovered(bay);
    return !isOf(bay, "paymentTerminal") || payments.recovered(bay);
  };

  return {
    handlers,
    onEvent: (listener) => {
      emit = listener;
    },
    currentState: (topic: Topic, caller: Caller): unknown => {
      switch (topic) {
        case "devices":
          return snapshots();
        case "agent":
          return { maintenance: citizens.maintenance };
        case "jobs":
          return openJobs(caller.role === "technician" ? undefined : caller.principal);
        case "barcodeScanner":
          return null;
        case "chipReader":
          return chipReaders.presence();
        case "simulators":
          return options.simulators?.list() ?? [];
      }
    },
    snapshots,
    disconnected: (caller) => {
      for (const bay of bays.values()) bay.claims.sessionGone(caller.session);
      scanners.away(caller, true);
    },
    resumed: (caller) => scanners.away(caller, false),
    sessionEnded: citizenGone,
    // What is absent cannot be asked about its jobs: the station is ready without it.
    ready: () => [...bays.values()].every((bay) => bay.tried && (!bay.device || recovered(bay))),
    apply: async (specs, changed) => {
      const wanted = new Set(specs.map((spec) => spec.id));
      const ending = [...bays.values()].filter((bay) => !wanted.has(bay.spec.id) || changed.has(bay.spec.id));
      await Promise.all(ending.map(end));
      for (const bay of ending) {
        if (isOf(bay, "chipReader")) chipReaders.forget(bay);
        if (wanted.has(bay.spec.id)) continue;
        bays.delete(bay.spec.id);
        if (isOf(bay, "barcodeScanner")) scanners.forget(bay);
      }
      for (const spec of specs) {
        const former = bays.get(spec.id);
        if (!former || changed.has(spec.id)) start(spec, former);
      }
    },
    hotplug: () => {
      for (const bay of bays.values()) bay.hotplug();
    },
    stop: async () => {
      pruning[Symbol.dispose]();
      await Promise.all([...bays.values()].map(end));
      bays.clear();
    },
  };

  async function selfTest(bay: Bay, call: Call): Promise<Result<"diagnostics.run">["checks"]> {
    const device = bay.spec.id;
    using limit = deadline(clock, 10_000, call.signal);
    try {
      const checks = await bay.use("diagnostics.run", limit.signal, (open, signal) => open.selfTest(signal));
      return [{ device, check: "open", ok: true }, ...checks.map((check) => ({ device, ...check }))];
    } catch (thrown) {
      const { message, hint } = bay.named(thrown);
      return [{ device, check: "open", ok: false, note: message, hint }];
    }
  }
}

function isOf<C extends DrivenClass>(bay: Bay<DrivenClass>, wanted: C & DeviceClass): bay is Bay<C> & Bay<DrivenClass> {
  return bay.spec.driver.class === wanted;
}
