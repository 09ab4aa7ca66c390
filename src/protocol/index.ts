/** The station protocol as values and types: `stationd/protocol`. */
export { DeviceError, ERROR_KINDS, type ErrorKind, type ErrorObject } from "../kernel/errors.js";
export { decodeFrame, encodeFrame, type FrameHeader, HEADER_BYTES } from "./binary-frame.js";
export { type EventData, EventNotification, eventData, ProgressNotification } from "./events.js";
export { messagesVi } from "./messages.vi.js";
export { COMMON_ERRORS, type MethodDefinition, ROLES, type Role } from "./method.js";
export { type MethodName, type Methods, methods, type Params, type ParamsInput, type Result } from "./methods.js";
export { DEFAULT_PORT, LIMITS, PROTOCOL, SOCKET_PATH, SUBPROTOCOL } from "./version.js";
