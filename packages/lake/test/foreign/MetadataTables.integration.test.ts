/**
 * Metadata tables as PyIceberg's `inspect` has them: the same rows of the same table, now and at every snapshot.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { metadataTables } from "../../src/read/inspect/MetadataTable.ts"
import { readMetadataTable } from "../../src/read/inspect/ReadMetadataTable.ts"
import { branchAt } from "../../src/spec/Snapshot.ts"
import { partitionSpec } from "../../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../../src/spec/Schema.ts"
import type { PrimitiveType } from "../../src/spec/Type.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { rollback, setRef, updatePartitionSpec, updateSchema } from "../../src/write/TableAction.ts"
import { runPython } from "./ForeignReaders.ts"
import { folder, layerAt } from "./ForeignTable.ts"

const table = { namespace: "test", name: "inspected" }

const column = (id: number, name: string, type: PrimitiveType) => ({ id, name, required: false, type })

const schema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    column(1, "id", { _tag: "long" }),
    column(2, "country", { _tag: "string" }),
    column(3, "balance", { _tag: "decimal", precision: 12, scale: 2 }),
    column(4, "at", { _tag: "timestamptz" }),
    column(5, "local", { _tag: "timestamp" }),
    column(6, "born", { _tag: "date" }),
    column(7, "clock", { _tag: "time" }),
    column(8, "ratio", { _tag: "double" }),
    column(9, "good", { _tag: "boolean" }),
    column(10, "small", { _tag: "int" }),
    column(11, "raw", { _tag: "binary" }),
    {
      id: 12,
      name: "address",
      required: false,
      type: { _tag: "struct", fields: [column(13, "city", { _tag: "string" })] }
    }
  ]
}

const rowsSql = (from: number, to: number): string => `
  SELECT i::BIGINT AS id, CASE WHEN i % 5 = 0 THEN NULL ELSE ['DE', 'FR', 'Österreich'][1 + i % 3] END AS country,
    (i * 100.25 - 700)::DECIMAL(12, 2) AS balance,
    TIMESTAMPTZ '1969-12-31 22:00:00.000001+00' + to_hours(i) AS at, TIMESTAMP '2026-01-01 00:00:00.5' + to_days(i) AS local,
    DATE '2026-01-01' - i::INTEGER AS born, TIME '01:02:03.000004' + to_seconds(i) AS clock,
    CASE WHEN i % 7 = 0 THEN NULL ELSE i / 8 END AS ratio, i % 2 = 0 AS good, (i - 10)::INTEGER AS small,
    encode('b' || i) AS raw, CASE WHEN i % 4 = 0 THEN NULL ELSE {'city': 'c' || i} END AS address
  FROM range(${from}, ${to}) t(i)`

const load = Catalog.use((catalog) => catalog.loadTable(table))

/** A table with a history: two specs, deletes by position and by files, a tag, a branch, a rollback, a new column. */
const makeTable = Effect.gen(function* () {
  const catalog = yield* Catalog
  const by = partitionSpec(schema, [
    { column: "at", transform: { _tag: "day" } },
    { column: "country", transform: { _tag: "identity" } },
    { column: "id", transform: { _tag: "bucket", buckets: 2 } }
  ])
  const properties = new Map([["write.delete.mode", "merge-on-read"]])
  yield* catalog.createTable({ identifier: table, schema, partitionSpec: by, properties })
  yield* appendRows(table, rowsSql(0, 30))
  yield* deleteRows(table, { _tag: "Compare", column: "id", operator: "<", value: 7n })
  const { metadata } = yield* load
  const change = [
    setRef("audited", { ...branchAt(metadata.currentSnapshotId!), type: "tag", maxRefAgeMs: 1_000_000_000_000n }),
    setRef("trial", { ...branchAt(metadata.snapshots[0]!.snapshotId), minSnapshotsToKeep: 3, maxSnapshotAgeMs: 7n }),
    updateSchema({ _tag: "AddColumn", name: "note", type: { _tag: "string" } }),
    updatePartitionSpec(
      { _tag: "RemovePartitionField", name: "at_day" },
      { _tag: "AddPartitionField", column: "local", transform: { _tag: "month" } },
      { _tag: "AddPartitionField", column: "born", transform: { _tag: "year" } },
      { _tag: "AddPartitionField", column: "raw", transform: { _tag: "truncate", width: 2 } }
    )
  ]
  yield* commitTable({ table, actions: () => Effect.succeed(change) })
  yield* appendRows(table, `SELECT *, 'n' || id AS note FROM (${rowsSql(30, 40)})`)
  yield* commitTable({ table, actions: () => Effect.succeed([rollback(metadata.currentSnapshotId!)]) })
  yield* appendRows(table, `SELECT *, NULL AS note FROM (${rowsSql(40, 44)})`)
  yield* deleteRows(table, { _tag: "IsNull", column: "country" })
  return yield* load
})

const Rows = Schema.Array(Schema.Record(Schema.String, Schema.Unknown))

const isEntry = (each: unknown): each is { readonly key: unknown; readonly value: unknown } =>
  typeof each === "object" && each !== null && "key" in each && "value" in each

const instant = /^(-?\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?$/
const blob = /^(\\x[0-9A-Fa-f]{2}|[ -~])*$/

/** As the Python script writes values: numbers as text, maps as objects, instants with six digits. Undefined and empty: nothing. */
const plain = (value: unknown, path: string): unknown => {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every(isEntry)) {
      return Object.fromEntries(value.map((each) => [String(each.key), plain(each.value, `${path}[]`)]))
    }
    return value.length === 0 ? null : value.map((each) => plain(each, path))
  }
  if (typeof value === "object") {
    const fields = Object.entries(value).map(([key, each]) => [key, plain(each, `${path}.${key}`)] as const)
    return fields.length === 0 ? null : Object.fromEntries(fields)
  }
  if (typeof value !== "string") return typeof value === "boolean" ? value : String(Number(value))
  const time = instant.exec(value)
  if (time !== null) return `${time[1]}.${(time[2] ?? "").padEnd(6, "0")}`
  return value
}

const isBlob = (path: string): boolean => /er_bounds\[\]|\.raw\.(low|upp)er_bound|raw_trunc/.test(path)

/** DuckDB's text of bytes as digits. */
const withHex = (value: unknown, path: string): unknown => {
  if (typeof value === "string" && isBlob(path) && blob.test(value)) {
    return value.replace(/\\x([0-9A-Fa-f]{2})|[^]/g, (text, digits?: string) =>
      digits === undefined ? text.charCodeAt(0).toString(16).padStart(2, "0") : digits.toLowerCase()
    )
  }
  if (Array.isArray(value)) return value.map((each) => withHex(each, path))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      withHex(each, path.endsWith("_bounds") ? `${path}[]` : `${path}.${key}`)
    ])
  )
}

/** What of ours PyIceberg has too; numbers in one spelling. */
const shared = (ours: unknown, theirs: unknown): unknown => {
  if (
    typeof ours === "object" &&
    ours !== null &&
    typeof theirs === "object" &&
    theirs !== null &&
    !Array.isArray(ours)
  ) {
    const known = Object.keys(theirs)
    const at = ours as Readonly<Record<string, unknown>>
    return Object.fromEntries(known.map((key) => [key, shared(at[key] ?? null, (theirs as typeof at)[key])]))
  }
  if (Array.isArray(ours) && Array.isArray(theirs)) return ours.map((each, i) => shared(each, theirs[i]))
  return ours
}

const number = /^-?\d+\.\d+$/
/** Without the metrics of a struct, which has none there: here its fields have them, as in Java. */
const spelled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(spelled)
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .filter(([key]) => key !== "address")
      .map(([key, each]) => [key, spelled(each)] as const)
    return entries.length === 0 ? null : Object.fromEntries(entries)
  }
  return typeof value === "string" && number.test(value) ? String(Number(value)) : value
}

describe("metadata tables", () => {
  it.live(
    "have the rows of PyIceberg's inspect, now and at every snapshot",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        yield* Effect.gen(function* () {
          const made = yield* makeTable
          const snapshots = made.metadata.snapshots.map(({ snapshotId }) => String(snapshotId))
          const answers = yield* runPython("pyiceberg_inspect.py", {
            catalogName: "frazil",
            catalogFile: join(path, "catalog.db"),
            warehouse: `file://${path}/warehouse`,
            table: "test.inspected",
            snapshots
          }).pipe(Effect.flatMap(Schema.decodeUnknownEffect(Schema.Record(Schema.String, Rows))))
          for (const [question, theirs] of Object.entries(answers)) {
            const [name, snapshot] = question.split("@")
            const known = metadataTables.find((each) => each === name)!
            const asOf =
              snapshot === undefined ? {} : { asOf: { _tag: "SnapshotId", snapshotId: BigInt(snapshot) } as const }
            const ours = yield* readMetadataTable(made, known, asOf)
            assert.isAbove(theirs.length, known === "delete_files" ? -1 : 0, question)
            assert.strictEqual(ours.length, theirs.length, question)
            ours.forEach((row, i) => {
              const expected = spelled(theirs[i]) as Readonly<Record<string, unknown>>
              const found = spelled(shared(withHex(plain(row, ""), ""), expected))
              assert.deepStrictEqual(found, expected, `${question} ${i}`)
            })
          }
          assert.deepStrictEqual(
            Object.keys(answers).filter((question) => question.includes("@")).length,
            snapshots.length * 5
          )
        }).pipe(Effect.provide(layerAt(path)))
      }).pipe(Effect.scoped),
    600_000
  )
})
