/**
 * Commits to two tables at once at Java's REST catalog: new snapshots, tags and what expires of both, or of neither; and when
 * the answer is lost, a look at one table tells. PyIceberg and DuckDB's reader see the same through that catalog.
 */
import { HttpCallError, HttpCalls, type HttpCallsShape } from "@frazil/core"
import { restServer } from "@frazil/sim/servers"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Catalog, identifierText, type TableIdentifier } from "../../src/catalog/Catalog.ts"
import { openRestClient } from "../../src/catalog/rest/RestClient.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { unpartitioned } from "../../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../../src/spec/Schema.ts"
import { branchAt } from "../../src/spec/Snapshot.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { removeSnapshots, setRef, type TableAction } from "../../src/write/TableAction.ts"
import { runPython } from "../foreign/ForeignReaders.ts"
import { folder, layerOverRest } from "../foreign/ForeignTable.ts"
import { commitAside, takenAside } from "./TakenAside.ts"

const orders = { namespace: "shop", name: "orders" }
const entries = { namespace: "shop", name: "entries" }
const both = [orders, entries] as const

const schema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: "id", required: true, type: { _tag: "long" } },
    { id: 2, name: "note", required: false, type: { _tag: "string" } }
  ]
}

const Found = Schema.Array(Schema.Struct({ id: Schema.String, note: Schema.String }))
const Answers = Schema.Struct({
  tables: Schema.Record(
    Schema.String,
    Schema.Struct({
      description: Schema.Struct({ snapshots: Schema.Array(Schema.String) }),
      pyiceberg: Schema.Struct({ rows: Found }),
      duckdb: Schema.Struct({ rows: Found })
    })
  )
})
type Rows = ReadonlyArray<ReadonlyArray<string>>

const lines = (rows: typeof Found.Type) => rows.map(({ id, note }) => `${id} ${note}`)

const load = (table: TableIdentifier) => Catalog.use((catalog) => catalog.loadTable(table))

/** Rows of orders and of entries, as we read them. */
const read = Effect.map(
  Effect.forEach(both, (table) =>
    Effect.flatMap(load(table), (loaded) =>
      readTable(loaded, { query: "SELECT id::VARCHAR AS id, note FROM t ORDER BY t.id" }).pipe(
        Effect.flatMap(({ rows }) => Schema.decodeUnknownEffect(Found)(rows))
      )
    )
  ),
  (tables): Rows => tables.map(lines)
)

/** The same and how many snapshots each has, as others do. */
const assertReadAbroad = Effect.fnUntraced(function* (rest: string, expected: Rows, snapshots: number) {
  const asked = { questions: [{ name: "rows", order: ["id"] }] }
  const answer = yield* runPython("foreign_readers.py", {
    rest,
    tables: both.map((table) => ({ table: identifierText(table), ...asked }))
  })
  const { tables } = yield* Schema.decodeUnknownEffect(Answers)(answer)
  for (const [i, table] of both.entries()) {
    const { description, duckdb, pyiceberg } = tables[identifierText(table)]!
    assert.deepStrictEqual(lines(pyiceberg.rows), expected[i], `PyIceberg, ${table.name}`)
    assert.deepStrictEqual(lines(duckdb.rows), expected[i], `DuckDB, ${table.name}`)
    assert.lengthOf(description.snapshots, snapshots, table.name)
  }
})

const rowSql = (id: number, note: string) => `SELECT ${id}::BIGINT AS id, '${note}' AS note`
/** A commit of one row to each table, taken aside. */
const rowInEach = (id: number, note: string) =>
  Effect.forEach(both, (table) => commitAside(appendRows(table, rowSql(id, note))))

const clientOver = (http: HttpCallsShape, url: string) => openRestClient(http, { url })

/** What is sent arrives and is done; the line breaks before the answer to a transaction. */
const losingAnswers = (http: HttpCallsShape): HttpCallsShape => ({
  call: (request) => {
    const called = http.call(request)
    if (!request.url.endsWith("/transactions/commit")) return called
    return Effect.andThen(called, Effect.fail(new HttpCallError({ reason: "Broken", message: "the line broke" })))
  }
})

const refsOf = Effect.forEach(both, (table) =>
  Effect.map(load(table), ({ metadata }) => [...metadata.refs.keys()].toSorted())
)
const heads = Effect.forEach(both, (table) => Effect.map(load(table), ({ metadata }) => metadata.currentSnapshotId!))

const now = (table: TableIdentifier, action: TableAction) =>
  commitTable({ table, actions: () => Effect.succeed([action]) })

const atServer = <A, E, R>(run: (url: string, http: HttpCallsShape) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const path = yield* folder
    const { url } = yield* restServer(8247, path)
    const http = yield* HttpCalls
    yield* Effect.gen(function* () {
      const catalog = yield* Catalog
      yield* Effect.forEach(both, (identifier) =>
        catalog.createTable({ identifier, schema, partitionSpec: unpartitioned })
      )
      yield* run(url, http)
    }).pipe(Effect.provide(layerOverRest(path, url)))
  }).pipe(Effect.provide(HttpCalls.layer), Effect.scoped)

describe("commits to two tables of Java's catalog", () => {
  it.live("append to both or to neither, and once when the answer is lost", () =>
    atServer(
      Effect.fnUntraced(function* (url, http) {
        const client = yield* clientOver(http, url)
        yield* client.commitTables(yield* rowInEach(1, "first"))
        assert.deepStrictEqual(yield* read, [["1 first"], ["1 first"]])

        for (const [i, table] of both.entries()) {
          const met = yield* rowInEach(10 + i, "too late")
          yield* appendRows(table, rowSql(20 + i, "between"))
          const conflict = yield* Effect.flip(client.commitTables(met))
          assert.strictEqual(conflict.reason, "CommitConflict")
        }
        const between: Rows = [
          ["1 first", "20 between"],
          ["1 first", "21 between"]
        ]
        assert.deepStrictEqual(yield* read, between)

        const lost = yield* rowInEach(30, "lost")
        const before = yield* heads
        const deaf = yield* clientOver(losingAnswers(http), url)
        const unknown = yield* Effect.flip(deaf.commitTables(lost))
        assert.strictEqual(unknown.reason, "OutcomeUnknown")
        // any of the two tells for both
        assert.isTrue((yield* heads).every((head, i) => head !== before[i]))
        const again = yield* Effect.flip(client.commitTables(lost))
        assert.strictEqual(again.reason, "CommitConflict")
        const expected = between.map((rows) => [...rows, "30 lost"])
        assert.deepStrictEqual(yield* read, expected)
        yield* assertReadAbroad(url, expected, 3)
      })
    )
  )

  it.live("expire a tag and its snapshot of both or of neither", () =>
    atServer(
      Effect.fnUntraced(function* (url, http) {
        const client = yield* clientOver(http, url)
        yield* client.commitTables(yield* rowInEach(1, "first"))
        const first = yield* heads
        const tags = both.map((table, i) => takenAside(table, setRef("v1", { ...branchAt(first[i]!), type: "tag" })))
        yield* client.commitTables(yield* Effect.all(tags))
        yield* client.commitTables(yield* rowInEach(2, "second"))
        assert.deepStrictEqual(yield* refsOf, [
          ["main", "v1"],
          ["main", "v1"]
        ])

        const expiry = yield* Effect.all(
          both.map((table, i) => takenAside(table, removeSnapshots([first[i]!], ["v1"])))
        )
        // what was to go is wanted again, in one of them
        yield* now(entries, setRef("v1", { ...branchAt((yield* heads)[1]!), type: "tag" }))
        const conflict = yield* Effect.flip(client.commitTables(expiry))
        assert.strictEqual(conflict.reason, "CommitConflict")
        assert.deepStrictEqual(yield* refsOf, [
          ["main", "v1"],
          ["main", "v1"]
        ])

        yield* client.commitTables(
          yield* Effect.all(both.map((table, i) => takenAside(table, removeSnapshots([first[i]!], ["v1"]))))
        )
        assert.deepStrictEqual(yield* refsOf, [["main"], ["main"]])
        const rows = ["1 first", "2 second"]
        yield* assertReadAbroad(url, [rows, rows], 1)
      })
    )
  )
})
