import type { StationClient } from "../client/index.js";
import type { Translate } from "../languages/translate.js";
import type { PaymentJob } from "../protocol/payment-terminal.js";
import type { Dashboard } from "../technician/dashboard.js";
import type { AgentFigures } from "../technician/figures.js";
import type { Link } from "./link.js";

/** What the sections of the page share. */
export interface App {
  /** Whatever is shown goes through it. */
  readonly t: Translate;
  readonly link: Link;
  /** Of the agent as it was last heard of; undefined before the first word. */
  readonly dashboard: Dashboard | undefined;
  readonly connected: boolean;
  /** The newest first. */
  readonly payments: readonly PaymentJob[];
  /** Why they are not known. */
  readonly paymentsProblem: string | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
  /** @throws StationError `busy` while a citizen is at the station */
  setMaintenance(on: boolean): Promise<void>;
  /** A name of 128 random bits. */
  newKey(): string;
}

/** A part of the page. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly element: HTMLElement;
  /** How many things in it wait for a person. */
  waiting?(): number;
  /** Something changed: shows what is so now. */
  refresh(): void;
  /** Figures came, or none. */
  measured?(figures: AgentFigures | undefined): void;
  /** A new connection; `signal` aborts with it. */
  opened?(client: StationClient, signal: AbortSignal): void;
}
