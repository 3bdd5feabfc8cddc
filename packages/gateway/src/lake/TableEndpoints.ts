/** What is in the lake: tables, their columns and partitions, their snapshots. */
import { nearestName } from "@frazil/analytics"
import {
  Catalog,
  currentSchema,
  currentSnapshot,
  defaultSpec,
  identifierText,
  listSnapshots,
  type Table,
  transformToText,
  typeToJson
} from "@frazil/lake"
import { Effect, Schema } from "effect"
import { type Endpoint, type GatewayRequest, jsonAnswer, notModified } from "../http/Endpoint.ts"
import { fromLakeError } from "../http/Problem.ts"
import { etagOf, reply } from "../http/Replies.ts"

const iso = (ms: number): string => new Date(ms).toISOString()

const total = (table: Table, name: string): number => Number(currentSnapshot(table.metadata)?.summary.get(name) ?? 0)

const Summary = Schema.Struct({
  table: Schema.String,
  rows: Schema.NullOr(Schema.Finite),
  files: Schema.NullOr(Schema.Finite),
  bytes: Schema.NullOr(Schema.Finite),
  snapshots: Schema.NullOr(Schema.Int),
  snapshot_id: Schema.NullOr(Schema.String),
  committed_at: Schema.NullOr(Schema.String),
  error: Schema.NullOr(Schema.String)
})

const Description = Schema.Struct({
  table: Schema.String,
  table_uuid: Schema.String,
  format_version: Schema.Int,
  location: Schema.String,
  rows: Schema.Finite,
  files: Schema.Finite,
  bytes: Schema.Finite,
  snapshot_id: Schema.NullOr(Schema.String),
  committed_at: Schema.NullOr(Schema.String),
  columns: Schema.Array(
    Schema.Struct({ id: Schema.Int, name: Schema.String, type: Schema.Unknown, required: Schema.Boolean })
  ),
  partition_spec: Schema.Array(Schema.Struct({ name: Schema.String, source_id: Schema.Int, transform: Schema.String })),
  properties: Schema.Record(Schema.String, Schema.String),
  refs: Schema.Record(Schema.String, Schema.Struct({ type: Schema.String, snapshot_id: Schema.String }))
})

const SnapshotDescription = Schema.Struct({
  snapshot_id: Schema.String,
  parent_id: Schema.NullOr(Schema.String),
  committed_at: Schema.String,
  operation: Schema.String,
  refs: Schema.Array(Schema.String),
  summary: Schema.Record(Schema.String, Schema.String)
})

const summaryOf = (name: string, table: Table): typeof Summary.Type => {
  const snapshot = currentSnapshot(table.metadata)
  return {
    table: name,
    rows: total(table, "total-records"),
    files: total(table, "total-data-files"),
    bytes: total(table, "total-files-size"),
    snapshots: table.metadata.snapshots.length,
    snapshot_id: snapshot === undefined ? null : String(snapshot.snapshotId),
    committed_at: snapshot === undefined ? null : iso(snapshot.timestampMs),
    error: null
  }
}

const damaged = (table: string, error: string): typeof Summary.Type => ({
  table,
  rows: null,
  files: null,
  bytes: null,
  snapshots: null,
  snapshot_id: null,
  committed_at: null,
  error
})

const describe = (table: Table): typeof Description.Type => {
  const { metadata } = table
  const {
    bytes,
    committed_at,
    files,
    rows,
    snapshot_id,
    table: name
  } = summaryOf(identifierText(table.identifier), table)
  return {
    table: name,
    table_uuid: metadata.tableUuid,
    format_version: metadata.formatVersion,
    location: metadata.location,
    rows: rows ?? 0,
    files: files ?? 0,
    bytes: bytes ?? 0,
    snapshot_id,
    committed_at,
    columns: currentSchema(metadata).fields.map(({ id, name: column, required, type }) => ({
      id,
      name: column,
      type: typeToJson(type),
      required
    })),
    partition_spec: defaultSpec(metadata).fields.map((field) => ({
      name: field.name,
      source_id: field.sourceId,
      transform: transformToText(field.transform)
    })),
    properties: Object.fromEntries(metadata.properties),
    refs: Object.fromEntries(
      [...metadata.refs].map(([ref, { snapshotId, type }]) => [ref, { type, snapshot_id: String(snapshotId) }])
    )
  }
}

/** The table that may have been meant. */
const nearTo = Effect.fnUntraced(function* (wanted: string) {
  const catalog = yield* Catalog
  const names = (yield* Effect.mapError(catalog.listTables(), (error) => fromLakeError(error))).map(identifierText)
  const near = nearestName(wanted, names)
  return near === undefined ? "GET /v1/tables lists them" : `did you mean ${near}?`
})

const load = Effect.fnUntraced(function* (request: GatewayRequest) {
  const catalog = yield* Catalog
  const identifier = { namespace: request.path("namespace"), name: request.path("name") }
  return yield* catalog
    .loadTable(identifier)
    .pipe(
      Effect.catch((error) =>
        error.reason === "TableMissing"
          ? Effect.flatMap(nearTo(identifierText(identifier)), (hint) => Effect.fail(fromLakeError(error, hint)))
          : Effect.fail(fromLakeError(error))
      )
    )
})

const listTables = Effect.fnUntraced(function* (request: GatewayRequest) {
  const catalog = yield* Catalog
  const identifiers = yield* Effect.mapError(catalog.listTables(), (error) => fromLakeError(error))
  const tables = yield* Effect.forEach(identifiers, (identifier) => {
    const name = identifierText(identifier)
    return Effect.match(catalog.loadTable(identifier), {
      onSuccess: (table) => summaryOf(name, table),
      onFailure: (error) => damaged(name, error.message)
    })
  })
  return yield* reply(request, { tables }, etagOf(...tables.map((table) => JSON.stringify(table))))
})

const parameters = [
  { name: "namespace", in: "path", required: true, description: "The table's namespace" },
  { name: "name", in: "path", required: true, description: "The table's name" }
] as const

export const tableEndpoints: ReadonlyArray<Endpoint<Catalog>> = [
  {
    method: "get",
    path: "/v1/tables",
    summary: "The tables of the catalog; one that cannot be read is listed with the reason",
    parameters: [],
    answers: [jsonAnswer("Tables, by name", Schema.Struct({ tables: Schema.Array(Summary) })), notModified],
    handle: listTables
  },
  {
    method: "get",
    path: "/v1/tables/{namespace}/{name}",
    summary: "A table's columns, partition spec, properties and refs",
    parameters,
    answers: [jsonAnswer("The table as it is now", Description), notModified],
    handle: Effect.fnUntraced(function* (request) {
      const table = yield* load(request)
      return yield* reply(request, describe(table), etagOf(table.metadataLocation))
    })
  },
  {
    method: "get",
    path: "/v1/tables/{namespace}/{name}/snapshots",
    summary: "A table's snapshots that have not expired, oldest first",
    parameters,
    answers: [jsonAnswer("Snapshots", Schema.Struct({ snapshots: Schema.Array(SnapshotDescription) })), notModified],
    handle: Effect.fnUntraced(function* (request) {
      const table = yield* load(request)
      const snapshots = listSnapshots(table.metadata).map((row): typeof SnapshotDescription.Type => ({
        snapshot_id: String(row.snapshotId),
        parent_id: row.parentSnapshotId === null ? null : String(row.parentSnapshotId),
        committed_at: iso(row.committedMs),
        operation: row.operation,
        refs: row.refs,
        summary: Object.fromEntries(row.summary)
      }))
      return yield* reply(request, { snapshots }, etagOf(table.metadataLocation))
    })
  }
]
