import { DeviceError, ERROR_KINDS, type ErrorKind, type Json } from "../kernel/errors.js";
import { z } from "../kernel/schema.js";
import { CitizenCardCode, PlainCode, Scan, VietQrCode } from "./barcode-scanner.js";
import { DeviceIdentity, DeviceSnapshot } from "./devices.js";
import { ErrorObjectSchema } from "./error-object.js";
import { EventNotification, eventData, ProgressNotification } from "./events.js";
import { examples } from "./examples.js";
import { Job, PrintJob } from "./jobs.js";
import { messagesVi } from "./messages.vi.js";
import { BlobReference, COMMON_ERRORS, DeviceId, IdempotencyKey, Instant, type MethodDefinition, ROLES } from "./method.js";
import { type MethodName, methods } from "./methods.js";
import { PrintBlock, PrintDocument, PrinterStatus } from "./printer.js";
import { SimulatorSnapshot } from "./simulators.js";
import { DEFAULT_PORT, LIMITS, PROTOCOL, SOCKET_PATH, SUBPROTOCOL } from "./version.js";

/** A JSON Schema as far as this protocol's schemas go. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly Json[];
  readonly const?: Json;
  readonly default?: Json;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly format?: string;
}

/** Schemas that have a name of their own in the documents: all that stand in more than one place, or are large. */
const NAMED: Readonly<Record<string, z.ZodType>> = {
  DeviceSnapshot,
  DeviceIdentity,
  ErrorObject: ErrorObjectSchema,
  BlobReference,
  Job,
  PrintJob,
  PrintDocument,
  PrintBlock,
  PrinterStatus,
  Scan,
  CitizenCardCode,
  VietQrCode,
  PlainCode,
  SimulatorSnapshot,
  DeviceId,
  Instant,
  IdempotencyKey,
};
const nameOf = new Map(Object.entries(NAMED).map(([name, schema]) => [schema as unknown, name]));

/** The name of a schema, also where it was only given another description (which makes a copy). */
function named(schema: z.core.$ZodType): string | undefined {
  return nameOf.get(schema) ?? nameOf.get(schema._zod.parent);
}

/** What the library adds and nobody needs to read: its recursive "any JSON", and the bounds of a safe integer. */
function tidy(node: unknown): Json {
  if (Array.isArray(node)) return node.map(tidy);
  if (typeof node !== "object" || node === null) return node as Json;
  const { $schema: _, $defs: __, ...rest } = node as Record<string, unknown>;
  if (typeof rest.$ref === "string" && rest.$ref.startsWith("#/$defs/")) {
    return typeof rest.description === "string" ? { description: rest.description } : {};
  }
  if (rest.maximum === Number.MAX_SAFE_INTEGER) delete rest.maximum;
  if (rest.minimum === Number.MIN_SAFE_INTEGER) delete rest.minimum;
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, tidy(value)]));
}

/** The schema as a sender writes it, so that results stay open for fields of later minor versions. */
function jsonSchema(schema: z.ZodType): JsonSchema {
  const generated = z.toJSONSchema(schema, {
    io: "input",
    override({ zodSchema, jsonSchema: node, path }) {
      const name = named(zodSchema);
      if (name === undefined || path.length === 0) return;
      for (const key of Object.keys(node)) if (key !== "description" || nameOf.has(zodSchema)) delete node[key];
      node.$ref = `#/components/schemas/${name}`;
    },
  });
  return tidy(generated) as JsonSchema;
}

/** The same, or a reference where the schema has a name. */
export function schemaOrReference(schema: z.ZodType): JsonSchema {
  const name = named(schema);
  if (name === undefined) return jsonSchema(schema);
  const description = nameOf.has(schema) ? undefined : schema.description;
  return { $ref: `#/components/schemas/${name}`, ...(description === undefined ? {} : { description }) };
}

/** The named schemas, by name. */
export function namedSchemas(): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(Object.entries(NAMED).map(([name, schema]) => [name, jsonSchema(schema)]));
}

/** Kinds that a method may answer with, its own before those of every method. */
export function errorsOf(method: MethodDefinition): readonly ErrorKind[] {
  return [...new Set([...method.errors, ...COMMON_ERRORS])];
}

function contentDescriptors(params: z.ZodType): Json {
  const { properties = {}, required = [] } = jsonSchema(params);
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    ...(description === undefined ? {} : { description }),
    required: required.includes(name),
    schema: schema as Json,
  }));
}

function openRpcMethod(name: MethodName): Json {
  const method: MethodDefinition = methods[name];
  const example = examples[name];
  return {
    name,
    summary: method.summary,
    paramStructure: "by-name",
    params: contentDescriptors(method.params),
    result: { name: "result", schema: schemaOrReference(method.result) as Json },
    errors: errorsOf(method).map((kind) => ({ $ref: `#/components/errors/${kind}` })),
    examples: [
      {
        name,
        params: Object.entries(example.params).map(([param, value]) => ({ name: param, value: value as Json })),
        result: { name: "result", value: example.result as Json },
      },
    ],
    "x-roles": [...method.roles],
    "x-errors": [...method.errors],
    ...(method.stages ? { "x-stages": [...method.stages] } : {}),
    ...(method.job ? { "x-job": true } : {}),
    ...(method.restricted
      ? { "x-restricted": Object.fromEntries(Object.entries(method.restricted).map(([field, roles]) => [field, [...roles]])) }
      : {}),
  };
}

function openRpcError(kind: ErrorKind): Json {
  const { code, retryable, hint } = ERROR_KINDS[kind];
  return { code, message: new DeviceError(kind).message, data: { kind, retryable, hint }, "x-message-vi": messagesVi[kind] };
}

/** The protocol as an OpenRPC 1.3 document. */
export function openRpcDocument(): Json {
  return {
    openrpc: "1.3.2",
    info: {
      title: "Station protocol",
      version: `${PROTOCOL.major}.${PROTOCOL.minor}`,
      description:
        "JSON-RPC 2.0 over a WebSocket to the device agent of a public-service station. See protocol.md for the rules of the wire.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ name: "station", url: `ws://127.0.0.1:${DEFAULT_PORT}${SOCKET_PATH}`, description: `Subprotocol ${SUBPROTOCOL}` }],
    methods: (Object.keys(methods) as MethodName[]).map(openRpcMethod),
    components: {
      schemas: namedSchemas() as Json,
      errors: Object.fromEntries((Object.keys(ERROR_KINDS) as ErrorKind[]).map((kind) => [kind, openRpcError(kind)])),
    },
    "x-roles": [...ROLES],
    "x-common-errors": [...COMMON_ERRORS],
    "x-limits": { ...LIMITS },
    "x-notifications": {
      toAgent: {
        "rpc.cancel": { type: "object", properties: { id: { anyOf: [{ type: "string" }, { type: "number" }] } }, required: ["id"] },
      },
      toClient: { "rpc.progress": jsonSchema(ProgressNotification) as Json, event: jsonSchema(EventNotification) as Json },
    },
    "x-events": Object.fromEntries(Object.entries(eventData).map(([topic, schema]) => [topic, schemaOrReference(schema) as Json])),
  };
}
