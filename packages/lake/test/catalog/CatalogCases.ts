/**
 * Cases of Java's `CatalogTests` that fit our catalogs, by their names: changes of structure that meet others', and are taken
 * back; and refs that others move.
 *
 * Java's clients fail where a requirement does not hold any more; our loop decides anew, so that the commit itself is asked.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog, type TableIdentifier } from "../../src/catalog/Catalog.ts"
import type { FileIO } from "../../src/io/FileIO.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { branchAt, type SnapshotRef } from "../../src/spec/Snapshot.ts"
import { currentSchema, defaultSortOrder, defaultSpec, type TableMetadata } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import {
  append,
  removeRef,
  removeSnapshots,
  replaceSortOrder,
  setProperties,
  setRef,
  type TableAction,
  updatePartitionSpec,
  updateSchema
} from "../../src/write/TableAction.ts"
import { eventFile } from "../LakeFixtures.ts"
import { takenAside } from "./TakenAside.ts"

type Test = (what: string, run: (identifier: TableIdentifier) => Effect.Effect<void, unknown, Catalog | FileIO>) => void

const addColumn = (name: string) => updateSchema({ _tag: "AddColumn", name, type: { _tag: "string" } })
const dropColumn = (column: string) => updateSchema({ _tag: "DropColumn", column })
const divide = (buckets: number) =>
  updatePartitionSpec({
    _tag: "AddPartitionField",
    column: "event_id",
    transform: { _tag: "bucket", buckets },
    name: `bucket_${buckets}`
  })
const undivide = (buckets: number) => updatePartitionSpec({ _tag: "RemovePartitionField", name: `bucket_${buckets}` })
const sortBy = (column: string) =>
  replaceSortOrder({ column, transform: { _tag: "identity" }, direction: "asc", nullOrder: "nulls-first" })

const commit = (table: TableIdentifier, ...actions: ReadonlyArray<TableAction>) =>
  commitTable({ table, actions: () => Effect.succeed(actions) })

/** One commit, which another meets on its first attempt. */
const meeting = (table: TableIdentifier, action: TableAction, other: TableAction) => {
  let attempts = 0
  return commitTable({
    table,
    actions: () => (++attempts === 1 ? Effect.as(commit(table, other), [action]) : Effect.succeed([action]))
  })
}

const columns = (metadata: TableMetadata) => currentSchema(metadata).fields.map(({ name }) => name)
const fields = (metadata: TableMetadata) => defaultSpec(metadata).fields.map(({ name }) => name)
const sorts = (metadata: TableMetadata) => defaultSortOrder(metadata).fields.map(({ sourceId }) => sourceId)

interface Structure {
  readonly of: string
  readonly reverted: string
  readonly conflict: string
  readonly state: (metadata: TableMetadata) => ReadonlyArray<unknown>
  readonly mine: TableAction
  readonly others: TableAction
  /** Comes and goes: leaves only numbers that are used up. */
  readonly passing?: readonly [TableAction, TableAction]
  /** Takes `mine` back. */
  readonly back: TableAction
}

const structures: ReadonlyArray<Structure> = [
  {
    of: "Schema",
    reverted: "testUpdateTableSchemaThenRevert",
    conflict: "testUpdateTableSchemaConflict",
    state: columns,
    mine: addColumn("mine"),
    others: addColumn("others"),
    passing: [addColumn("passing"), dropColumn("passing")],
    back: dropColumn("mine")
  },
  {
    of: "Spec",
    reverted: "testUpdateTableSpecThenRevert",
    conflict: "testUpdateTableSpecConflict",
    state: fields,
    mine: divide(16),
    others: divide(8),
    passing: [divide(4), undivide(4)],
    back: undivide(16)
  },
  {
    of: "SortOrder",
    reverted: "testUpdateTableOrderThenRevert",
    conflict: "a sort order on another, as testUpdateTableSpecConflict",
    state: sorts,
    mine: sortBy("event_id"),
    others: sortBy("amount"),
    back: replaceSortOrder()
  }
]

/** `create` makes a table; each case has one of its own. */
export const catalogCases = (
  test: Test,
  create: (table: TableIdentifier) => Effect.Effect<unknown, unknown, Catalog>
) => {
  const load = (table: TableIdentifier) =>
    Effect.map(
      Catalog.use((catalog) => catalog.loadTable(table)),
      ({ metadata }) => metadata
    )
  for (const { back, conflict, mine, of, others, passing, reverted: revertedCase, state } of structures) {
    test(`testUpdateTable${of}, ${revertedCase}`, (table) =>
      Effect.gen(function* () {
        yield* create(table)
        const before = yield* load(table)
        const after = (yield* commit(table, mine)).table.metadata
        assert.notDeepEqual(state(after), state(before))
        assert.deepStrictEqual(state(yield* load(table)), state(after))
        yield* commit(table, back)
        const reverted = yield* load(table)
        assert.deepStrictEqual(state(reverted), state(before))
        // the one that was before is in force again, and none was made for it
        const idOf = ({ currentSchemaId, defaultSortOrderId, defaultSpecId }: TableMetadata) => [
          currentSchemaId,
          defaultSpecId,
          defaultSortOrderId
        ]
        assert.deepStrictEqual(idOf(reverted), idOf(before))
        const count = ({ partitionSpecs, schemas, sortOrders }: TableMetadata) =>
          [schemas, partitionSpecs, sortOrders].map(({ length }) => length)
        assert.deepStrictEqual(count(reverted), count(after))
      }))

    test(`testUpdateTable${of}ServerSideRetry`, (table) =>
      Effect.gen(function* () {
        yield* create(table)
        yield* meeting(table, mine, setProperties(new Map([["another-key", "another-value"]])))
        const metadata = yield* load(table)
        assert.strictEqual(metadata.properties.get("another-key"), "another-value")
        yield* commit(table, back)
        assert.notDeepEqual(state(metadata), state(yield* load(table)))
      }))

    test(conflict, (table) =>
      Effect.gen(function* () {
        yield* create(table)
        const stale = yield* takenAside(table, mine)
        yield* commit(table, others)
        const before = state(yield* load(table))
        const error = yield* Effect.flip(Catalog.use((catalog) => catalog.commit(stale)))
        assert.strictEqual(error.reason, "CommitConflict")
        assert.deepStrictEqual(state(yield* load(table)), before)
      })
    )

    if (passing === undefined) continue
    test(`testUpdateTable${of === "Schema" ? "SchemaAssignment" : "AssignmentSpec"}Conflict`, (table) =>
      Effect.gen(function* () {
        yield* create(table)
        const stale = yield* takenAside(table, mine)
        const before = state(yield* load(table))
        yield* commit(table, passing[0])
        yield* commit(table, passing[1])
        assert.deepStrictEqual(state(yield* load(table)), before)
        const error = yield* Effect.flip(Catalog.use((catalog) => catalog.commit(stale)))
        assert.strictEqual(error.reason, "CommitConflict")
        assert.deepStrictEqual(state(yield* load(table)), before)
      }))
  }

  for (const [name, first] of [
    ["testConcurrentAppendEmptyTable", []],
    ["testConcurrentAppendNonEmptyTable", ["a"]]
  ] as const) {
    test(name, (table) =>
      Effect.gen(function* () {
        yield* create(table)
        const file = (each: string) => append([eventFile(each, 1, 0, 10)])
        yield* Effect.forEach(first, (each) => commit(table, file(each)))
        yield* meeting(table, file("b"), file("c"))
        const { entries } = yield* planScan(yield* Catalog.use((catalog) => catalog.loadTable(table)))
        const names = entries.map(({ dataFile }) => dataFile.filePath.replace(/.*\/|\.parquet/g, "")).sort()
        assert.deepStrictEqual(names, [...first, "b", "c"])
      })
    )
  }

  const tagOf = (snapshotId: bigint): SnapshotRef => ({ ...branchAt(snapshotId), type: "tag" })
  for (const [what, mine] of [
    ["a tag that moves", (_: bigint, last: bigint) => setRef("v1", tagOf(last))],
    ["a tag that goes", () => removeRef("v1")],
    ["a snapshot that expires", (first: bigint) => removeSnapshots([first])]
  ] as const) {
    test(`${what}, decided before another moved the tag`, (table) =>
      Effect.gen(function* () {
        yield* create(table)
        for (const name of ["a", "b", "c"]) yield* commit(table, append([eventFile(name, 1, 0, 10)]))
        const [first, second, last] = (yield* load(table)).snapshots.map(({ snapshotId }) => snapshotId)
        yield* commit(table, setRef("v1", tagOf(second!)))
        const stale = yield* takenAside(table, mine(first!, last!))
        yield* commit(table, setRef("v1", tagOf(first!)))
        const error = yield* Effect.flip(Catalog.use((catalog) => catalog.commit(stale)))
        assert.strictEqual(error.reason, "CommitConflict")
        const { refs, snapshots } = yield* load(table)
        assert.deepStrictEqual([refs.get("v1")?.snapshotId, snapshots.length], [first, 3])
      }))
  }

  test("testUUIDValidation", (table) =>
    Effect.gen(function* () {
      yield* create(table)
      const stale = yield* takenAside(table, append([eventFile("a", 1, 0, 10)]))
      const catalog = yield* Catalog
      yield* catalog.dropTable(table)
      yield* create(table)
      assert.strictEqual((yield* Effect.flip(catalog.commit(stale))).reason, "CommitConflict")
      assert.lengthOf((yield* load(table)).snapshots, 0)
    }))
}
