import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { planScan } from "../../src/read/PlanScan.ts"
import type { AsOf } from "../../src/read/AsOf.ts"
import { branchAt } from "../../src/spec/Snapshot.ts"
import { currentSchema, currentSnapshot, defaultSortOrder, defaultSpec } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import {
  append,
  removeRef,
  replaceSortOrder,
  rollback,
  setProperties,
  setRef,
  updatePartitionSpec,
  updateSchema,
  type TableAction
} from "../../src/write/TableAction.ts"
import { eventFile } from "../LakeFixtures.ts"
import { appendRaw, createRaw, layerLake, loadRaw, raw } from "../LakeHarness.ts"

const change = (...actions: ReadonlyArray<TableAction>) =>
  commitTable({ table: raw, actions: () => Effect.succeed(actions) })

const file = (name: string) => eventFile(name, 20_000, 0, 10)

const filesAt = Effect.fnUntraced(function* (asOf: AsOf) {
  const plan = yield* planScan(yield* loadRaw, { asOf })
  return plan.entries.map(({ dataFile }) => dataFile.filePath.replace(/.*\//, "")).sort()
})
const main: AsOf = { _tag: "Current" }
const ref = (name: string): AsOf => ({ _tag: "Ref", name })

describe("changes of a table's structure", () => {
  it.effect("makes schema, spec and sort order current, and keeps those before", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* appendRaw([file("a")])
      const { snapshot, table } = yield* change(
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
        }),
        setProperties(new Map([["owner", "risk"]]))
      )
      assert.isUndefined(snapshot)
      const { metadata } = table
      assert.deepStrictEqual(currentSchema(metadata).fields.at(-1), {
        id: 5,
        name: "note",
        required: false,
        type: { _tag: "string" }
      })
      assert.deepStrictEqual(
        [metadata.schemas, metadata.partitionSpecs, metadata.sortOrders].map(({ length }) => length),
        [2, 2, 2]
      )
      assert.deepStrictEqual([metadata.lastColumnId, metadata.lastPartitionId], [5, 1001])
      assert.lengthOf(defaultSpec(metadata).fields, 2)
      assert.strictEqual(defaultSortOrder(metadata).orderId, 1)
      assert.strictEqual(metadata.properties.get("owner"), "risk")
      // what was written before is read on, by the new schema
      assert.deepStrictEqual(yield* filesAt(main), ["a.parquet"])
      const back = yield* change(
        updateSchema({ _tag: "DropColumn", column: "note" }),
        updatePartitionSpec({ _tag: "RemovePartitionField", name: "event_id_bucket" }),
        replaceSortOrder()
      )
      const after = back.table.metadata
      assert.deepStrictEqual([after.currentSchemaId, after.defaultSpecId, after.defaultSortOrderId], [0, 0, 0])
      assert.deepStrictEqual([after.lastColumnId, after.lastPartitionId], [5, 1001])
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("refuses a schema that the spec in force cannot go with, and says why", () =>
    Effect.gen(function* () {
      yield* createRaw
      const error = yield* Effect.flip(change(updateSchema({ _tag: "DropColumn", column: "event_timestamp" })))
      assert.strictEqual(error.reason, "Invalid")
      assert.match(error.message, /^table transactions\.raw: .*event_timestamp_day.*not in the schema/)
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("commits to a branch that begins where main is, and main does not see it", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* appendRaw([file("a")])
      const actions = () => Effect.succeed([append([file("b")])])
      yield* commitTable({ table: raw, branch: "audit", actions })
      yield* commitTable({ table: raw, branch: "audit", actions: () => Effect.succeed([append([file("c")])]) })
      yield* appendRaw([file("d")])
      assert.deepStrictEqual(yield* filesAt(main), ["a.parquet", "d.parquet"])
      assert.deepStrictEqual(yield* filesAt(ref("audit")), ["a.parquet", "b.parquet", "c.parquet"])
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("makes, moves and removes branches and tags, and goes back to an ancestor", () =>
    Effect.gen(function* () {
      yield* createRaw
      const first = (yield* appendRaw([file("a")])).snapshot!.snapshotId
      yield* appendRaw([file("b")])
      yield* change(setRef("v1", { ...branchAt(first), type: "tag" }), setRef("dev", branchAt(first)))
      assert.deepStrictEqual(yield* filesAt(ref("v1")), ["a.parquet"])
      const gone = yield* change(rollback(first), removeRef("dev"))
      assert.deepStrictEqual(Array.from(gone.table.metadata.refs.keys()).sort(), ["main", "v1"])
      assert.strictEqual(currentSnapshot(gone.table.metadata)?.snapshotId, first)
      assert.deepStrictEqual(yield* filesAt(main), ["a.parquet"])
      yield* appendRaw([file("c")])
      assert.deepStrictEqual(yield* filesAt(main), ["a.parquet", "c.parquet"])
      const refused: ReadonlyArray<readonly [RegExp, TableAction]> = [
        [/main cannot be removed/, removeRef("main")],
        [/no branch or tag dev/, removeRef("dev")],
        [/v1 is a tag and cannot become a branch/, setRef("v1", branchAt(first))],
        [/no snapshot 7/, setRef("x", branchAt(7n))],
        [/no ancestor of main/, rollback(7n)]
      ]
      for (const [message, action] of refused) {
        const error = yield* Effect.flip(change(action))
        assert.strictEqual(error.reason, "Invalid")
        assert.match(error.message, message)
      }
      const toTag = yield* Effect.flip(
        commitTable({ table: raw, branch: "v1", actions: () => Effect.succeed([append([file("d")])]) })
      )
      assert.match(toTag.message, /v1 is a tag/)
    }).pipe(Effect.provide(layerLake))
  )
})
