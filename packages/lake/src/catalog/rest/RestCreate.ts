/**
 * Making a table in a REST catalog with our own ids: staged, then committed with `assert-create`.
 *
 * A plain creation lets the server give new field ids, which the landing's files must not depend on. Staging asks the
 * server what it would make (its location above all); the commit says every id. **Guarantees**: the table carries a UUID
 * of ours, so that a creation whose answer was lost is looked up, never assumed.
 */
import { normaliseUri } from "@frazil/core"
import { Effect } from "effect"
import { randomUuid } from "../../io/RandomIds.ts"
import { LakeError } from "../../LakeError.ts"
import { printJson } from "../../spec/Json.ts"
import { readObject, readString, stringMapToJson } from "../../spec/JsonRead.ts"
import { formatVersionProperty } from "../../spec/FormatVersion.ts"
import type { MetadataUpdate } from "../../spec/MetadataUpdate.ts"
import { partitionSpecToJson } from "../../spec/PartitionSpec.ts"
import { highestFieldId, schemaToJson } from "../../spec/Schema.ts"
import { sortOrderToJson } from "../../spec/SortOrder.ts"
import { lastAdded } from "../../spec/StructureUpdate.ts"
import { currentSchema } from "../../spec/TableMetadata.ts"
import { identifierText, type CreateTable, type Table, type TableIdentifier } from "../Catalog.ts"
import { newTable, type DeclaredTable, type NewParts } from "../NewTable.ts"
import { updatesToJson } from "./CommitJson.ts"
import type { RestCalls, RestQuestion } from "./RestCalls.ts"
import { levelsOf, type RestPaths } from "./RestPaths.ts"
import { readAnswer, readTable } from "./RestReads.ts"

const subjectOf = (identifier: TableIdentifier, commits: boolean): RestQuestion["subject"] => ({
  what: `table ${identifierText(identifier)}`,
  kind: "table",
  commits
})

const exists = (place: string, identifier: TableIdentifier): LakeError =>
  new LakeError({ reason: "TableExists", message: `table ${identifierText(identifier)} is in ${place} already` })

/** Makes the namespace, and those above it, where they are missing. */
export const makeNamespace = Effect.fnUntraced(function* (
  calls: RestCalls,
  paths: RestPaths,
  namespace: string
): Effect.fn.Return<void, LakeError> {
  const levels = levelsOf(namespace)
  for (let depth = 1; depth <= levels.length; depth++) {
    const each = levels.slice(0, depth)
    yield* calls.askOr(
      {
        method: "POST",
        path: paths.namespaces,
        body: { namespace: each, properties: {} },
        subject: { what: `namespace ${each.join(".")}`, kind: "namespace", commits: false }
      },
      ({ status }) => (status === 409 ? "exists" : undefined)
    )
  }
})

/** Where the server would put the table; its namespace is made if need be. */
const stage = Effect.fnUntraced(function* (
  calls: RestCalls,
  paths: RestPaths,
  identifier: TableIdentifier,
  parts: NewParts,
  properties: NewParts["properties"],
  location: string | undefined
): Effect.fn.Return<string, LakeError> {
  const question: RestQuestion = {
    method: "POST",
    path: paths.tables(identifier.namespace),
    body: {
      name: identifier.name,
      ...(location === undefined ? {} : { location }),
      schema: schemaToJson(parts.schema),
      "partition-spec": partitionSpecToJson(parts.partitionSpec),
      "write-order": sortOrderToJson(parts.sortOrder),
      "stage-create": true,
      properties: stringMapToJson(properties)
    },
    subject: subjectOf(identifier, false)
  }
  const missing = ({ status }: { readonly status: number }) => (status === 404 ? ("no namespace" as const) : undefined)
  let staged = yield* calls.askOr(question, missing)
  if (staged === "no namespace") {
    yield* makeNamespace(calls, paths, identifier.namespace)
    staged = yield* calls.ask(question)
  }
  const answer = staged
  return yield* readAnswer(`table ${identifierText(identifier)}`, calls.place, () =>
    readString(readObject(answer["metadata"], "metadata")["location"], "metadata.location").replace(/\/+$/, "")
  )
})

const creation = (
  { formatVersion, parts }: DeclaredTable,
  uuid: string,
  location: string
): ReadonlyArray<MetadataUpdate> => [
  { _tag: "AssignUuid", uuid },
  { _tag: "UpgradeFormatVersion", formatVersion },
  { _tag: "AddSchema", schema: parts.schema, lastColumnId: highestFieldId(parts.schema) },
  { _tag: "SetCurrentSchema", schemaId: lastAdded },
  { _tag: "AddPartitionSpec", spec: parts.partitionSpec },
  { _tag: "SetDefaultSpec", specId: lastAdded },
  { _tag: "AddSortOrder", sortOrder: parts.sortOrder },
  { _tag: "SetDefaultSortOrder", sortOrderId: lastAdded },
  { _tag: "SetLocation", location },
  { _tag: "SetProperties", properties: parts.properties }
]

/** Some servers give their own ids all the same: files written by ours would be misread. */
const checkIds = (table: Table, parts: NewParts, place: string): Effect.Effect<Table, LakeError> => {
  const made = printJson(schemaToJson({ ...currentSchema(table.metadata), schemaId: 0 })["fields"] ?? null)
  if (made === printJson(schemaToJson(parts.schema)["fields"] ?? null)) return Effect.succeed(table)
  return Effect.fail(
    new LakeError({
      reason: "Unsupported",
      message: `table ${identifierText(table.identifier)}: ${place} made it with other field ids or types than it was told; it was left there, drop it`
    })
  )
}

export const createRestTable = Effect.fnUntraced(function* (
  calls: RestCalls,
  paths: RestPaths,
  tablesUri: string | undefined,
  load: (identifier: TableIdentifier) => Effect.Effect<Table, LakeError>,
  declared: CreateTable
): Effect.fn.Return<Table, LakeError> {
  const { identifier } = declared
  const table = newTable(declared)
  const { formatVersion, parts, problems } = table
  if (problems.length > 0) {
    const message = `table ${identifierText(identifier)} cannot be made: ${problems.join("; ")}`
    return yield* new LakeError({ reason: "Invalid", message })
  }
  const folder = `${levelsOf(identifier.namespace).join("/")}/${identifier.name}`
  const usual = tablesUri === undefined ? undefined : `${tablesUri.replace(/\/+$/, "")}/${folder}`
  const asked = declared.location ?? usual
  // a staged creation asks for its version by a property, as Java does
  const properties =
    formatVersion === 2
      ? parts.properties
      : new Map([...parts.properties, [formatVersionProperty, String(formatVersion)]])
  const below = asked === undefined ? undefined : normaliseUri(asked)
  const location = yield* stage(calls, paths, identifier, parts, properties, below)
  const uuid = yield* randomUuid
  // the commit point of a creation
  const committed = calls.askOr(
    {
      method: "POST",
      path: paths.table(identifier),
      body: {
        identifier: { namespace: levelsOf(identifier.namespace), name: identifier.name },
        requirements: [{ type: "assert-create" }],
        updates: updatesToJson(creation(table, uuid, location))
      },
      subject: subjectOf(identifier, true)
    },
    ({ status }) => (status === 409 ? ("exists" as const) : undefined)
  )
  const made = yield* committed.pipe(
    Effect.flatMap((answer) =>
      answer === "exists"
        ? Effect.fail(exists(calls.place, identifier))
        : readAnswer(`table ${identifierText(identifier)}`, calls.place, () => readTable(identifier, answer))
    ),
    Effect.catch((error): Effect.Effect<Table, LakeError> => {
      if (error.reason !== "OutcomeUnknown" && error.reason !== "TableExists") return Effect.fail(error)
      // looked up instead of assumed: the table is ours (a repeated call meets its own), another's, or not there
      return load(identifier).pipe(
        Effect.mapError((again) => (again.reason === "TableMissing" ? error : again)),
        Effect.flatMap((found) =>
          found.metadata.tableUuid === uuid ? Effect.succeed(found) : Effect.fail(exists(calls.place, identifier))
        )
      )
    })
  )
  return yield* checkIds(made, parts, calls.place)
})
