/**
 * What every catalog promises, as tests: run on SQLite, on pointers in memory, and on a server of the REST protocol.
 *
 * Catalogs may be shared with other tests: each test has namespaces of its own, and looks at nothing else.
 */
import type { Storage } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { Catalog, identifierText, type TableCommit, type TableIdentifier } from "../../src/catalog/Catalog.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { LakeError } from "../../src/LakeError.ts"
import { readLong, readObject } from "../../src/spec/JsonRead.ts"
import { assertRef, assertStructure, assertTableUuid } from "../../src/spec/Requirement.ts"
import { schemaToJson } from "../../src/spec/Schema.ts"
import { branchAt } from "../../src/spec/Snapshot.ts"
import { currentSchema, currentSnapshot, defaultSortOrder, defaultSpec } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import {
  append,
  replaceSortOrder,
  setProperties,
  setRef,
  updatePartitionSpec,
  updateSchema
} from "../../src/write/TableAction.ts"
import { eventFile, eventSchema, eventSpec } from "../LakeFixtures.ts"
import { catalogCases } from "./CatalogCases.ts"

type Services = Catalog | FileIO | Storage

export interface CatalogUnderTest {
  readonly name: string
  readonly layer: Layer.Layer<Services, unknown>
  /** Begins every namespace of a test. */
  readonly prefix: string
}

let namespaces = 0

const fresh = (under: CatalogUnderTest): string => `${under.prefix}_${++namespaces}`

const create = (identifier: TableIdentifier, properties: ReadonlyMap<string, string> = new Map()) =>
  Catalog.use((catalog) =>
    catalog.createTable({ identifier, schema: eventSchema, partitionSpec: eventSpec, properties })
  )

const load = (identifier: TableIdentifier) => Catalog.use((catalog) => catalog.loadTable(identifier))

const appendTo = (table: TableIdentifier, name: string) =>
  commitTable({ table, actions: () => Effect.succeed([append([eventFile(name, 1, 0, 10)])]) })

const reasonOf = <A, R>(effect: Effect.Effect<A, LakeError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

/** A test of a table of its own. */
const onTable =
  (under: CatalogUnderTest) =>
  (what: string, run: (identifier: TableIdentifier) => Effect.Effect<void, unknown, Services>) =>
    it.live(what, () =>
      Effect.suspend(() => run({ namespace: fresh(under), name: "raw" })).pipe(Effect.provide(under.layer))
    )

const namesAndTables = (test: ReturnType<typeof onTable>) => {
  test("makes, lists, loads and forgets tables, namespaces of several levels among them", (identifier) =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const created = yield* create(identifier)
      const loaded = yield* load(identifier)
      assert.deepStrictEqual(loaded, created)
      const deep = { namespace: `${identifier.namespace}.eu.north`, name: "orders" }
      yield* create(deep)
      yield* create({ ...identifier, name: "other" })
      const names = yield* catalog.listNamespaces
      assert.includeMembers([...names], [identifier.namespace, deep.namespace])
      assert.deepStrictEqual([...names], [...names].sort())
      assert.deepStrictEqual(
        (yield* catalog.listTables(identifier.namespace)).map(identifierText),
        ["other", "raw"].map((name) => `${identifier.namespace}.${name}`)
      )
      assert.deepStrictEqual(yield* catalog.listTables(deep.namespace), [deep])
      assert.includeMembers((yield* catalog.listTables()).map(identifierText), [identifierText(deep)])
      assert.deepStrictEqual(yield* catalog.listTables(`${identifier.namespace}_none`), [])
      yield* catalog.dropTable(identifier)
      assert.strictEqual(yield* reasonOf(load(identifier)), "TableMissing")
      assert.strictEqual(yield* reasonOf(catalog.dropTable(identifier)), "TableMissing")
      assert.strictEqual(yield* reasonOf(load({ namespace: "nowhere_at_all", name: "x" })), "TableMissing")
    }))

  test("keeps the field ids, the spec and the properties that a table is declared with", (identifier) =>
    Effect.gen(function* () {
      // ids with a hole, in no order: what a server would give by itself is another
      const fields = eventSchema.fields.map((field, i) => ({ ...field, id: [7, 3, 12, 5][i] ?? 0 }))
      const schema = { ...eventSchema, fields }
      const catalog = yield* Catalog
      const { metadata } = yield* catalog.createTable({
        identifier,
        schema,
        partitionSpec: { specId: 0, fields: eventSpec.fields.map((field) => ({ ...field, sourceId: 3 })) },
        properties: new Map([["frazil.mark.x.main.0", "1"]])
      })
      assert.deepStrictEqual(schemaToJson(currentSchema(metadata)), schemaToJson(schema))
      assert.deepStrictEqual(defaultSpec(metadata).fields[0]?.sourceId, 3)
      assert.strictEqual(metadata.lastColumnId, 12)
      assert.strictEqual(metadata.formatVersion, 2)
      assert.strictEqual(metadata.currentSnapshotId, null)
      assert.strictEqual(metadata.properties.get("frazil.mark.x.main.0"), "1")
      assert.strictEqual(metadata.properties.get("write.parquet.compression-codec"), "zstd")
    }))

  test("lets one of two creations win, and refuses what breaks the specification", (identifier) =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const results = yield* Effect.all(
        [1, 2, 3].map((mark) => create(identifier, new Map([["mark", `${mark}`]]))),
        {
          concurrency: "unbounded",
          mode: "result"
        }
      )
      assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 1)
      const reasons = results.flatMap((result) => (result._tag === "Failure" ? [result.failure.reason] : []))
      assert.deepStrictEqual(reasons, ["TableExists", "TableExists"])
      const winner = results.findIndex(({ _tag }) => _tag === "Success") + 1
      assert.strictEqual((yield* load(identifier)).metadata.properties.get("mark"), `${winner}`)
      const reserved = [{ id: 1, name: "_partition", required: false, type: { _tag: "string" as const } }]
      const wrong = { schemaId: 0, identifierFieldIds: [], fields: reserved }
      const other = { ...identifier, name: "reserved" }
      assert.strictEqual(yield* reasonOf(catalog.createTable({ identifier: other, schema: wrong })), "Invalid")
      assert.strictEqual(yield* reasonOf(create({ namespace: "..", name: "x/y" })), "Invalid")
    }))
}

const commits = (test: ReturnType<typeof onTable>) => {
  test("commits snapshots with 64-bit ids, properties and refs, and loads what was committed", (identifier) =>
    Effect.gen(function* () {
      yield* create(identifier)
      const first = yield* appendTo(identifier, "a")
      yield* commitTable({
        table: identifier,
        actions: () =>
          Effect.succeed([append([eventFile("b", 2, 10, 5)]), setProperties(new Map([["mark", "15"]]), ["none"])])
      })
      const { metadata } = yield* load(identifier)
      assert.strictEqual(metadata.snapshots.length, 2)
      assert.isTrue(metadata.snapshots.some(({ snapshotId }) => snapshotId === first.snapshot?.snapshotId))
      assert.isAbove(Number(first.snapshot?.snapshotId), 2 ** 53)
      assert.strictEqual(currentSnapshot(metadata)?.parentSnapshotId, first.snapshot?.snapshotId)
      assert.strictEqual(currentSnapshot(metadata)?.summary.get("total-records"), "15")
      assert.strictEqual(metadata.properties.get("mark"), "15")
      assert.strictEqual(metadata.lastSequenceNumber, 2n)
    }))

  test("lets one of two commits on a head win, and the loop bring both in", (identifier) =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const base = yield* create(identifier)
      yield* appendTo(identifier, "a")
      const late = catalog.commit({
        base,
        requirements: [assertTableUuid(base.metadata.tableUuid), assertRef("main", null)],
        updates: [{ _tag: "SetProperties", properties: new Map([["late", "1"]]) }]
      })
      assert.strictEqual(yield* reasonOf(late), "CommitConflict")
      yield* Effect.all([appendTo(identifier, "b"), appendTo(identifier, "c")], { concurrency: "unbounded" })
      const { metadata } = yield* load(identifier)
      assert.strictEqual(metadata.snapshots.length, 3)
      assert.strictEqual(metadata.snapshotLog.length, 3)
      assert.isFalse(metadata.properties.has("late"))
    }))

  test("has a commit's files written before it puts anything in force, once, and nothing when that fails", (identifier) =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const fileIO = yield* FileIO
      const base = yield* create(identifier)
      const seen: Array<boolean> = []
      const isIn = Effect.map(catalog.loadTable(identifier), ({ metadata }) => metadata.properties.has("written"))
      const commitWith = (write: NonNullable<TableCommit["write"]>) =>
        catalog.commit({
          base,
          requirements: [assertTableUuid(base.metadata.tableUuid)],
          updates: [{ _tag: "SetProperties", properties: new Map([["written", "1"]]) }],
          write
        })
      const full = new LakeError({ reason: "Full", message: "the disk is full" })
      assert.strictEqual(yield* reasonOf(commitWith(() => Effect.fail(full))), "Full")
      assert.isFalse(yield* isIn)
      yield* commitWith((last) =>
        Effect.gen(function* () {
          seen.push(yield* isIn)
          yield* fileIO.write(last)
        })
      )
      assert.deepStrictEqual(seen, [false])
      assert.isTrue(yield* isIn)
    }))

  test("refuses a requirement that the base does not meet, and a table that went or was made anew", (identifier) =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      const base = yield* create(identifier)
      const commit = catalog.commit({
        base,
        requirements: [assertTableUuid(base.metadata.tableUuid)],
        updates: [{ _tag: "SetProperties", properties: new Map([["a", "1"]]) }]
      })
      const unmet = catalog.commit({ base, requirements: [assertRef("main", 7n)], updates: [] })
      assert.strictEqual(yield* reasonOf(unmet), "RequirementFailed")
      yield* catalog.dropTable(identifier)
      assert.strictEqual(yield* reasonOf(commit), "TableMissing")
      yield* create(identifier)
      assert.strictEqual(yield* reasonOf(commit), "CommitConflict")
      assert.isFalse((yield* load(identifier)).metadata.properties.has("a"))
    }))

  test("fails a commit of the loop whose table is replaced beside it, with the new table as it was", (identifier) =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      yield* create(identifier)
      let attempts = 0
      const replaced = commitTable({
        table: identifier,
        actions: () =>
          Effect.gen(function* () {
            if (++attempts === 1) {
              yield* catalog.dropTable(identifier)
              yield* create(identifier)
            }
            return [append([eventFile("lost", 1, 0, 10)])]
          })
      })
      assert.strictEqual(yield* reasonOf(replaced), "TableReplaced")
      assert.strictEqual((yield* load(identifier)).metadata.snapshots.length, 0)
    }))

  test("removes snapshots and refs", (identifier) =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      yield* create(identifier)
      const { snapshot, table: base } = yield* appendTo(identifier, "a")
      assert.isDefined(snapshot)
      const ref = { type: "tag" as const, minSnapshotsToKeep: null, maxSnapshotAgeMs: null, maxRefAgeMs: 1_000n }
      const updates = [
        { _tag: "SetSnapshotRef" as const, name: "kept", ref: { ...ref, snapshotId: snapshot.snapshotId } }
      ]
      const tagged = yield* catalog.commit({ base, requirements: [], updates })
      assert.strictEqual(tagged.metadata.refs.get("kept")?.maxRefAgeMs, 1_000n)
      yield* appendTo(identifier, "b")
      const remove = { _tag: "RemoveSnapshots" as const, snapshotIds: [snapshot.snapshotId] }
      const removed = yield* catalog.commit({
        base: yield* load(identifier),
        requirements: [],
        updates: [{ _tag: "RemoveSnapshotRef", name: "kept" }, remove]
      })
      assert.deepStrictEqual([...removed.metadata.refs.keys()], ["main"])
      assert.strictEqual(removed.metadata.snapshots.length, 1)
      assert.deepStrictEqual((yield* load(identifier)).metadata.refs, removed.metadata.refs)
    }))
}

const structure = (test: ReturnType<typeof onTable>) => {
  test("changes schema, partition spec and sort order in one commit, once, and keeps those before", (identifier) =>
    Effect.gen(function* () {
      const base = yield* create(identifier)
      const { table } = yield* commitTable({
        table: identifier,
        actions: () =>
          Effect.succeed([
            updateSchema({ _tag: "AddColumn", name: "note", type: { _tag: "string" } }),
            updatePartitionSpec({
              _tag: "AddPartitionField",
              column: "event_id",
              transform: { _tag: "bucket", buckets: 4 }
            }),
            replaceSortOrder({
              column: "event_id",
              transform: { _tag: "identity" },
              direction: "desc",
              nullOrder: "nulls-last"
            })
          ])
      })
      const { metadata } = yield* load(identifier)
      assert.deepStrictEqual(metadata, table.metadata)
      assert.deepStrictEqual(currentSchema(metadata).fields.at(-1)?.id, 5)
      assert.strictEqual(metadata.schemas.length, 2)
      assert.strictEqual(metadata.partitionSpecs.length, 2)
      assert.strictEqual(defaultSpec(metadata).fields.length, 2)
      assert.deepStrictEqual(defaultSortOrder(metadata).fields[0]?.sourceId, 1)
      // computed on a base that is no more
      const late = Catalog.use((catalog) =>
        catalog.commit({
          base,
          requirements: assertStructure(base.metadata),
          updates: [{ _tag: "SetCurrentSchema", schemaId: 0 }]
        })
      )
      assert.strictEqual(yield* reasonOf(late), "CommitConflict")
    }))

  test("commits to a branch beside main, and keeps statistics files", (identifier) =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      yield* create(identifier)
      const { snapshot } = yield* appendTo(identifier, "a")
      assert.isDefined(snapshot)
      const branch = { ...branchAt(snapshot.snapshotId), minSnapshotsToKeep: 3 }
      yield* commitTable({ table: identifier, actions: () => Effect.succeed([setRef("audit", branch)]) })
      const beside = yield* commitTable({
        table: identifier,
        branch: "audit",
        actions: () => Effect.succeed([append([eventFile("b", 1, 10, 10)])])
      })
      const statistics = {
        "snapshot-id": snapshot.snapshotId,
        "statistics-path": "file:///warehouse/stats.puffin",
        "file-size-in-bytes": 413,
        "file-footer-size-in-bytes": 42,
        "blob-metadata": []
      }
      yield* catalog.commit({
        base: yield* load(identifier),
        requirements: [],
        updates: [{ _tag: "SetStatistics", statistics }]
      })
      const { metadata } = yield* load(identifier)
      assert.strictEqual(metadata.currentSnapshotId, snapshot.snapshotId)
      assert.strictEqual(metadata.refs.get("audit")?.snapshotId, beside.snapshot?.snapshotId)
      assert.strictEqual(metadata.refs.get("audit")?.minSnapshotsToKeep, 3)
      const stored = metadata.statistics.map((each) => readLong(readObject(each, "it")["snapshot-id"], "id"))
      assert.deepStrictEqual(stored, [snapshot.snapshotId])
    }))
}

/** The promises of `Catalog`, on this one. */
export const catalogConformance = (under: CatalogUnderTest): void => {
  describe(`Catalog: ${under.name}`, () => {
    namesAndTables(onTable(under))
    commits(onTable(under))
    structure(onTable(under))
    catalogCases(onTable(under), create)
  })
}
