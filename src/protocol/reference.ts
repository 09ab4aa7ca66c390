import { ERROR_KINDS, type ErrorKind } from "../kernel/errors.js";
import { HEADER_BYTES } from "./binary-frame.js";
import { eventData } from "./events.js";
import { examples } from "./examples.js";
import { messagesVi } from "./messages.vi.js";
import { COMMON_ERRORS, type MethodDefinition, ROLES, type Role } from "./method.js";
import { type MethodName, methods } from "./methods.js";
import { namedSchemas, schemaOrReference } from "./openrpc.js";
import { compactJson, describeSchema, table } from "./reference-tables.js";
import { DEFAULT_PORT, LIMITS, PROTOCOL, SOCKET_PATH, SUBPROTOCOL } from "./version.js";

const names = Object.keys(methods) as MethodName[];
const definition = (name: MethodName): MethodDefinition => methods[name];
const anchor = (heading: string): string => heading.toLowerCase().replaceAll(".", "");
const code = (text: string): string => `\`${text}\``;
const json = (value: unknown): string => `\`\`\`json\n${compactJson(value)}\n\`\`\``;
const kib = (bytes: number): string => (bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MiB` : `${bytes / 1024} KiB`);
const seconds = (ms: number): string => `${ms / 1_000} s`;

const ROLE_MEANING: Readonly<Record<Role, string>> = {
  kiosk: "the front-end, and local services",
  technician: "diagnostics, raw bytes, maintenance; needs a token or the technician's Unix socket",
  simulator: "works the simulators; in demo and test mode only, with a one-time token on a connection of its own",
};

const introduction = (): string => `# The station protocol, version ${PROTOCOL.major}.${PROTOCOL.minor}

<!-- Generated from src/protocol by scripts/generate-docs.js. Change the schemas, not this file. -->

A station's devices, from a web page, in JSON-RPC 2.0 over a WebSocket. This page is the whole contract; the same in
machine-readable form is [openrpc.json](openrpc.json). In JavaScript, \`stationd/client\` does the wire for you.

\`\`\`js
const socket = new WebSocket("ws://127.0.0.1:${DEFAULT_PORT}${SOCKET_PATH}", "${SUBPROTOCOL}");
let last = 0;
const call = (method, params) => socket.send(JSON.stringify({ jsonrpc: "2.0", id: ++last, method, params }));
socket.onopen = () => {
  call("session.hello", { protocol: { major: ${PROTOCOL.major}, minor: ${PROTOCOL.minor} }, client: { name: "kiosk", version: "1.0.0" } });
  call("barcodeScanner.scan", { timeoutMs: 20000 });
};
socket.onmessage = ({ data }) => console.log(data);
\`\`\`

Contents: [Connecting](#connecting) · [Roles](#roles) · [Requests](#requests) · [Progress and cancel](#progress-and-cancel) ·
[Events](#events) · [Binary frames](#binary-frames) · [Devices](#devices) · [Jobs](#jobs) · [Errors](#errors) ·
[Methods](#methods) · [Types](#types) · [Limits](#limits)`;

const connecting = (): string => `## Connecting

- **WebSocket** \`ws://127.0.0.1:${DEFAULT_PORT}${SOCKET_PATH}\`, subprotocol \`${SUBPROTOCOL}\`. The page's origin must stand in the
  agent's configuration; a program without an \`Origin\` needs a token.
- **Unix sockets** \`service.sock\` (role \`kiosk\`) and \`technician.sock\` (role \`technician\`), the same messages, told apart by
  file permissions.

The first message is [\`session.hello\`](#${anchor("session.hello")}), within ${seconds(LIMITS.helloWithinMs)}. It names the protocol's version, the client, and
carries the token where one is needed: a token never stands in a URL. The answer says which role this connection has, in
which mode the agent runs, and how all devices stand.

**A demonstration is never mistaken for the real thing.** Where \`mode\` is not \`"production"\`, say so on the page; a
device that is a simulator, and every result of one, carries \`simulated: true\`.

**Coming back.** The answer's \`session\` is a secret of this client. Sent as \`resume\` within ${seconds(LIMITS.resumeWithinMs)} of a lost connection, it
keeps the citizen's session. Claims and waiting requests end with the connection. Jobs do not: ask for them by key.

The agent pings every ${seconds(LIMITS.pingEveryMs)} and ends a connection that misses two.`;

function roles(): string {
  const restricted = names.flatMap((name) =>
    Object.entries(definition(name).restricted ?? {}).map(([field, only]) => [
      `[${code(name)}](#${anchor(name)})`,
      code(field),
      only.join(", "),
    ]),
  );
  return `## Roles

${table(
  ["role", "who"],
  ROLES.map((role) => [code(role), ROLE_MEANING[role]]),
)}

Who may call what; anything else is answered with \`forbidden\`:

${table(
  ["method", ...ROLES],
  names.map((name) => [`[${code(name)}](#${anchor(name)})`, ...ROLES.map((role) => (definition(name).roles.includes(role) ? "yes" : "–"))]),
)}

Parts of a request that only some roles may use:

${table(["method", "part", "role"], restricted)}`;
}

const requests = (): string => `## Requests

One JSON-RPC message per text frame, at most ${kib(LIMITS.inboundMessageBytes)} and ${LIMITS.jsonDepth} levels deep. Batches and binary frames to the agent are refused.
\`params\` is an object; **a field that is not in the table below is an error that names it**. Results and events may gain
fields with a minor version: ignore what you do not know. Times are milliseconds since the epoch, durations milliseconds.

\`timeoutMs\`, where a method has it, counts from receipt and includes the wait in the device's queue. A request that names
no \`device\` means the only one of its class. Each device does one thing at a time, in the order of arrival over all
clients; questions about its state do not wait. At most ${LIMITS.inFlightRequests} requests of a connection may be open.`;

const progress = (): string => `## Progress and cancel

While a long request runs, the agent may send notifications; each method lists its stages:

${json({ jsonrpc: "2.0", method: "rpc.progress", params: { id: 3, stage: "sending", fraction: 0.4 } })}

To stop a request, send a notification with its id. It is then answered with the error \`canceled\`:

${json({ jsonrpc: "2.0", method: "rpc.cancel", params: { id: 3 } })}

**Jobs are different.** For a method marked as a job, cancel and time-out only ask to stop. Once the first byte has left,
the answer is the job's state, never \`canceled\` or \`timeout\`; a job that was still in the queue ends \`not_started\`.`;

const events = (): string => `## Events

[\`events.subscribe\`](#${anchor("events.subscribe")}) answers with the present state; from then on changes come as notifications. \`seq\` has no gaps
within a session. A slow client gets only the newest state of a device: \`coalesced\` counts what was left out. Answers
and scanned codes are never left out.

${json({ jsonrpc: "2.0", method: "event", params: { topic: "agent", seq: 12, time: 1_767_225_600_000, data: { maintenance: true } } })}

${Object.entries(eventData)
  .map(([topic, schema]) => `**${code(topic)}**\n\n${describeSchema(schemaOrReference(schema))}`)
  .join("\n\n")}`;

const binaryFrames = (): string => `## Binary frames

Pictures and other bytes travel ahead of the result that names them, as binary frames of at most ${kib(LIMITS.binaryFrameBytes)}. Collect the
payloads of a channel until the frame with the flag "last"; the result's [BlobReference](#blobreference) tells length and
SHA-256. The header has ${HEADER_BYTES} bytes, big-endian:

${table(
  ["offset", "type", "meaning"],
  [
    ["0", "u8", "version, 1"],
    ["1", "u8", "kind: 1 blob, 2 preview picture"],
    ["2", "u16", "flags: 1 = last frame of the blob"],
    ["4", "u32", "channel"],
    ["8", "u32", "sequence, from 0"],
    ["12", "u32", "reserved, 0"],
    ["16", "f64", "taken at, milliseconds since the epoch"],
  ],
)}

Blobs are never dropped. Of previews, a slow client gets the newest.`;

const devices = (): string => `## Devices

A device has an id from the configuration and one of these states. Where it is not ready, \`reason\` holds the error with
a hint for the technician; show the citizen the [sentence of its kind](#errors).

${table(
  ["state", "meaning"],
  [
    ["`absent`", "not there; looked for again by itself"],
    ["`opening`", "found, being set up"],
    ["`ready`", "waits for work"],
    ["`busy`", "works for somebody; others wait in its queue"],
    ["`attention`", "works again after a person acts: paper out, cover open"],
    ["`faulted`", "there, but it fails; where that can pass it is tried again by itself, else `devices.reset` tries"],
    ["`disabled`", "switched off in the configuration"],
  ],
)}

[\`devices.claim\`](#${anchor("devices.claim")}) keeps a device for one session; all others get \`busy\`. Between two people a page calls
[\`session.endCitizen\`](#${anchor("session.endCitizen")}).`;

const jobs = (): string => `## Jobs

What must not happen twice is a job with an \`idempotencyKey\` that the page chooses, one per thing: the same key with the
same request returns the first outcome, also after a crash of the agent or a reload of the page; with another request it
is \`idempotency_conflict\`. Keys are kept for at least 30 days and belong to the origin or token that used them.

A job outlives the page that asked: after a reload, [\`jobs.get\`](#${anchor("jobs.get")}) with the same key tells how it ended. How a job ended
is data, not an error. \`final: false\` means that it may still change. Nothing of unknown outcome is repeated by itself.`;

function errors(): string {
  const rows = (Object.keys(ERROR_KINDS) as ErrorKind[]).map((kind) => {
    const { code: number, retryable, hint } = ERROR_KINDS[kind];
    return [code(kind), String(number), retryable ? "yes" : "no", hint, messagesVi[kind]];
  });
  return `## Errors

${json({
  jsonrpc: "2.0",
  id: 3,
  error: {
    code: ERROR_KINDS.cover_open.code,
    message: "cover open",
    data: { kind: "cover_open", retryable: true, hint: ERROR_KINDS.cover_open.hint, device: "receipt" },
  },
})}

Decide by \`data.kind\`. \`retryable\` says whether the same may be tried again without a person's decision; a single error
may differ from the table. \`hint\` is for the technician, the Vietnamese sentence for the citizen (the client library has
them).

Any method may answer with ${COMMON_ERRORS.map(code).join(", ")}. Its own are listed with it.

${table(["kind", "code", "retryable", "hint", "for the citizen"], rows)}`;
}

function methodSection(name: MethodName): string {
  const method = definition(name);
  const example = examples[name];
  const facts = [
    `**Roles:** ${method.roles.map(code).join(", ")}`,
    ...(method.stages ? [`**Stages:** ${method.stages.map(code).join(" · ")}`] : []),
    ...(method.errors.length > 0 ? [`**Errors:** ${method.errors.map(code).join(", ")}`] : []),
    ...(method.job ? ["**A [job](#jobs):** cancel and time-out only ask to stop"] : []),
  ];
  return `### ${name}

${method.summary}

${facts.join("  \n")}

Params:

${describeSchema(schemaOrReference(method.params))}

Result:

${describeSchema(schemaOrReference(method.result))}

Example:

${json({ jsonrpc: "2.0", id: 1, method: name, params: example.params })}

${json({ jsonrpc: "2.0", id: 1, result: example.result })}`;
}

const types = (): string =>
  `## Types

${Object.entries(namedSchemas())
  .map(([name, schema]) => `### ${name}\n\n${schema.description ? `${sentence(schema.description)}\n\n` : ""}${describeSchema(schema)}`)
  .join("\n\n")}`;

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const LIMIT_MEANING: Readonly<Record<keyof typeof LIMITS, string>> = {
  inboundMessageBytes: "largest message to the agent; a larger one ends the connection with 1009",
  binaryFrameBytes: "largest binary frame from the agent, with its header",
  helloWithinMs: "time for `session.hello` after the connection opens",
  pingEveryMs: "interval of pings; two missed end the connection",
  inFlightRequests: "open requests per connection; more are answered with `rate_limited`",
  outboundBufferBytes: "what may wait for a slow client",
  slowClientMs: "a client that stays over that limit for so long is closed with 1013",
  resumeWithinMs: "time in which a lost session can be resumed",
  jsonDepth: "levels of nesting in a message",
};

const limits = (): string => `## Limits

Told in the answer to \`session.hello\`, as \`limits\`.

${table(
  ["name", "value", "meaning"],
  (Object.keys(LIMITS) as (keyof typeof LIMITS)[]).map((name) => [code(name), String(LIMITS[name]), LIMIT_MEANING[name]]),
)}`;

/** The protocol's reference for people, in Markdown. */
export function protocolReference(): string {
  const sections = [introduction, connecting, roles, requests, progress, events, binaryFrames, devices, jobs, errors];
  return `${[...sections.map((section) => section()), "## Methods", ...names.map(methodSection), types(), limits()].join("\n\n")}\n`;
}
