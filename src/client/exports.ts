/** What both entries, the browser's and Node's, hand out besides `connectStation`. */
export type { Hello, Progress } from "./connection.js";
export type { Payment, PayOptions } from "./pay.js";
export type { PreviewOptions, PreviewPicture } from "./previews.js";
export type { PrintOptions } from "./print.js";
export type { ScanOptions } from "./scans.js";
export type {
  CallableMethod,
  CallOptions,
  ConnectionState,
  ConnectOptions,
  ConnectStation,
  StationClient,
  SubscribeOptions,
} from "./station.js";
export { type ClientErrorKind, citizenMessage, type Language, StationError, type StationErrorKind } from "./station-error.js";
export type { Subscription, TopicState, Update } from "./subscriptions.js";
