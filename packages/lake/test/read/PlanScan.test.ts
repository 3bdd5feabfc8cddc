import { Storage } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import type { AsOf } from "../../src/read/AsOf.ts"
import type { Filter } from "../../src/read/Filter.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { positionsRelation } from "../../src/read/TableRelation.ts"
import { listHistory, listSnapshots } from "../../src/read/TableHistory.ts"
import { branchAt } from "../../src/spec/Snapshot.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { appendRaw, createRaw, layerLake, loadRaw } from "../LakeHarness.ts"
import { eventFile } from "../LakeFixtures.ts"

const dayMicros = 86_400_000_000n

const names = Effect.fnUntraced(function* (options: { readonly asOf?: AsOf; readonly filter?: Filter }) {
  const plan = yield* planScan(yield* loadRaw, options)
  return plan.entries.map((entry) => entry.dataFile.filePath.replace(/.*\/(.*)\.parquet/, "$1")).sort()
})

const three = Effect.gen(function* () {
  yield* createRaw
  for (const [i, name] of ["a", "b", "c"].entries()) {
    yield* TestClock.adjust("10 seconds")
    yield* appendRaw([eventFile(name, 20_000 + i, i * 10, 10)])
  }
  return (yield* loadRaw).metadata
})

describe("planScan", () => {
  it.effect("gives the files of now, of a snapshot, of a moment, of a branch or tag", () =>
    Effect.gen(function* () {
      const metadata = yield* three
      const [first, second] = metadata.snapshots
      assert.deepStrictEqual(yield* names({}), ["a", "b", "c"])
      assert.deepStrictEqual(yield* names({ asOf: { _tag: "SnapshotId", snapshotId: second?.snapshotId ?? 0n } }), [
        "a",
        "b"
      ])
      const at = (timestampMs: number) => names({ asOf: { _tag: "Timestamp", timestampMs } })
      assert.deepStrictEqual(yield* at(10_000), ["a"])
      assert.deepStrictEqual(yield* at(19_999), ["a"])
      assert.deepStrictEqual(yield* at(20_000), ["a", "b"])
      assert.deepStrictEqual(yield* at(9_000_000), ["a", "b", "c"])
      assert.deepStrictEqual(yield* names({ asOf: { _tag: "Ref", name: "main" } }), ["a", "b", "c"])

      const catalog = yield* Catalog
      const ref = { ...branchAt(first?.snapshotId ?? 0n), type: "tag" as const }
      yield* catalog.commit({
        base: yield* loadRaw,
        requirements: [],
        updates: [{ _tag: "SetSnapshotRef", name: "start", ref }]
      })
      assert.deepStrictEqual(yield* names({ asOf: { _tag: "Ref", name: "start" } }), ["a"])
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("says what there is when the moment is not", () =>
    Effect.gen(function* () {
      yield* three
      const missing = (asOf: AsOf) => Effect.flip(names({ asOf }))
      assert.match((yield* missing({ _tag: "SnapshotId", snapshotId: 1n })).message, /never was, or it has expired/)
      const early = yield* missing({ _tag: "Timestamp", timestampMs: 9_999 })
      assert.match(early.message, /history begins at 1970-01-01T00:00:10/)
      assert.match((yield* missing({ _tag: "Ref", name: "x" })).message, /it has main/)
      assert.strictEqual(early.reason, "SnapshotMissing")
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("follows the log after a rollback: what was current then", () =>
    Effect.gen(function* () {
      const metadata = yield* three
      const catalog = yield* Catalog
      yield* TestClock.adjust("10 seconds")
      yield* catalog.commit({
        base: yield* loadRaw,
        requirements: [],
        updates: [{ _tag: "SetSnapshotRef", name: "main", ref: branchAt(metadata.snapshots[0]?.snapshotId ?? 0n) }]
      })
      assert.deepStrictEqual(yield* names({}), ["a"])
      assert.deepStrictEqual(yield* names({ asOf: { _tag: "Timestamp", timestampMs: 35_000 } }), ["a", "b", "c"])
      assert.deepStrictEqual(yield* names({ asOf: { _tag: "Timestamp", timestampMs: 40_000 } }), ["a"])
      const history = listHistory((yield* loadRaw).metadata)
      assert.deepStrictEqual(
        history.map((row) => [row.madeCurrentMs, row.currentAncestor]),
        [
          [10_000, true],
          [20_000, false],
          [30_000, false],
          [40_000, true]
        ]
      )
      const snapshots = listSnapshots((yield* loadRaw).metadata)
      assert.deepStrictEqual(
        snapshots.map((row) => row.refs),
        [["main"], [], []]
      )
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("gives no files for a table without snapshot", () =>
    Effect.gen(function* () {
      yield* createRaw
      const plan = yield* planScan(yield* loadRaw)
      assert.deepStrictEqual([plan.entries.length, plan.filesTotal, plan.snapshot], [0, 0, undefined])
      assert.lengthOf(plan.schema.fields, 4)
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("leaves out files by partition and by bounds", () =>
    Effect.gen(function* () {
      yield* three
      const compare = (column: string, operator: "=" | "<" | "<=" | ">" | ">=", value: bigint): Filter => ({
        _tag: "Compare",
        column,
        operator,
        value
      })
      const where = (filter: Filter) => names({ filter })
      const midday = 20_001n * dayMicros + 43_200_000_000n
      assert.deepStrictEqual(yield* where(compare("event_timestamp", "=", midday)), ["b"])
      assert.deepStrictEqual(yield* where(compare("event_timestamp", "<", 20_001n * dayMicros)), ["a"])
      assert.deepStrictEqual(yield* where(compare("event_timestamp", "<=", 20_001n * dayMicros)), ["a", "b"])
      assert.deepStrictEqual(yield* where(compare("event_timestamp", ">=", midday)), ["b", "c"])
      assert.deepStrictEqual(yield* where(compare("source_offset", "=", 19n)), ["b"])
      assert.deepStrictEqual(yield* where(compare("source_offset", ">", 19n)), ["c"])
      assert.deepStrictEqual(yield* where(compare("source_offset", "<=", 10n)), ["a", "b"])
      assert.deepStrictEqual(yield* where({ _tag: "IsNull", column: "source_offset" }), [])
      assert.deepStrictEqual(yield* where({ _tag: "NotNull", column: "event_timestamp" }), ["a", "b", "c"])
      assert.deepStrictEqual(
        yield* where({
          _tag: "Or",
          filters: [compare("source_offset", "=", 0n), compare("event_timestamp", ">", 20_002n * dayMicros)]
        }),
        ["a", "c"]
      )
      assert.deepStrictEqual(
        yield* where({
          _tag: "And",
          filters: [compare("source_offset", "=", 0n), compare("event_timestamp", ">", 20_002n * dayMicros)]
        }),
        []
      )
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("finds rows by their places in one scan, whatever the number of files", () =>
    Effect.gen(function* () {
      yield* three
      const plan = yield* planScan(yield* loadRaw)
      assert.lengthOf(plan.entries, 3)
      const relation = yield* Effect.fromResult(positionsRelation(plan))
      assert.lengthOf(relation.match(/read_parquet/g) ?? [], 1)
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("gives an error that names the file for every missing, cut or swapped part, never fewer files", () =>
    Effect.gen(function* () {
      yield* three
      const storage = yield* Storage
      const { metadata } = yield* loadRaw
      const list = currentSnapshot(metadata)?.manifestList ?? ""
      const fileIO = yield* FileIO
      const manifests = yield* fileIO.readManifestList(list)
      const earlier = yield* storage.read(metadata.snapshots[0]?.manifestList ?? "")
      const parts = [list, ...manifests.map((manifest) => manifest.manifestPath)]
      for (const uri of parts) {
        const whole = yield* storage.read(uri)
        const flipped = whole.slice()
        flipped[whole.length - 20] = (flipped[whole.length - 20] ?? 0) ^ 0xff
        const damages = [
          undefined,
          whole.slice(0, whole.length - 1),
          whole.slice(0, whole.length / 2),
          flipped,
          earlier
        ]
        for (const damage of damages) {
          yield* storage.delete(uri)
          if (damage !== undefined) yield* storage.writeNew(uri, damage)
          // A process that has read nothing yet.
          const error = yield* Effect.flip(names({}).pipe(Effect.provide(Layer.fresh(FileIO.layer))))
          assert.strictEqual(error.reason, "Corrupt")
          assert.include(error.message, uri)
        }
        yield* storage.delete(uri)
        yield* storage.writeNew(uri, whole)
      }
      assert.deepStrictEqual(yield* names({}).pipe(Effect.provide(Layer.fresh(FileIO.layer))), ["a", "b", "c"])
    }).pipe(Effect.provide(layerLake))
  )
})
