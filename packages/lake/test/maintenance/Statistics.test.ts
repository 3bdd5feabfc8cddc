/** Statistics files of other writers: kept by our commits, gone with their snapshot, never taken for orphans. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { compactManifests } from "../../src/maintenance/CompactManifests.ts"
import { expireSnapshots } from "../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../src/maintenance/RemoveOrphans.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { removeStatistics, setProperties, setStatistics, type TableAction } from "../../src/write/TableAction.ts"
import { aged, appendRows, createTable, filesBelow, layerLake, load, stray, table } from "./MaintenanceFixture.ts"

const day = 86_400_000

const commit = (...actions: ReadonlyArray<TableAction>) =>
  commitTable({ table, actions: () => Effect.succeed(actions) })

const entry = (snapshotId: bigint, uri: string) => ({
  "snapshot-id": snapshotId,
  "statistics-path": uri,
  "file-size-in-bytes": 5,
  "file-footer-size-in-bytes": 2,
  "blob-metadata": [{ type: "apache-datasketches-theta-v1", "snapshot-id": snapshotId, fields: [1] }]
})

const namedIn = (entries: ReadonlyArray<unknown>) =>
  entries.map((each) => String(Reflect.get(Object(each), "statistics-path")))

const named = Effect.map(load, ({ metadata }) =>
  [...namedIn(metadata.statistics), ...namedIn(metadata.partitionStatistics)].sort()
)

/** A table whose first and last snapshots have statistics files, of the table and of its partitions. */
const withStatistics = Effect.gen(function* () {
  yield* createTable()
  for (let i = 0; i < 5; i++) yield* appendRows(i * 10, 10, 1)
  const { metadata } = yield* load
  const [first, last] = [metadata.snapshots[0]!.snapshotId, metadata.snapshots.at(-1)!.snapshotId]
  const files = ["first.stats", "first.parquet", "last.stats", "last.parquet"].map(
    (name) => `${metadata.location}/metadata/${name}`
  )
  for (const uri of files) yield* stray(uri, 0)
  const [a, b, c, d] = files
  yield* commit(setStatistics("table", entry(first, a!)), setStatistics("partitions", entry(first, b!)))
  yield* commit(setStatistics("table", entry(last, c!)), setStatistics("partitions", entry(last, d!)))
  return { files, first, last }
})

describe("statistics files", () => {
  it.live("stay through commits of every kind, as they were written", () =>
    Effect.gen(function* () {
      const { files } = yield* withStatistics
      const { metadata } = yield* load
      yield* appendRows(100, 10, 1)
      yield* compactManifests(table)
      yield* compactTable(table)
      yield* commit(setProperties(new Map([["a", "b"]])))
      const after = (yield* load).metadata
      assert.deepStrictEqual(
        [after.statistics, after.partitionStatistics],
        [metadata.statistics, metadata.partitionStatistics]
      )
      assert.deepStrictEqual(yield* named, files.toSorted())
    }).pipe(Effect.provide(layerLake))
  )

  it.live("go with their snapshot, and are no orphans before", () =>
    Effect.gen(function* () {
      const { files } = yield* withStatistics
      for (const uri of yield* filesBelow(yield* load)) yield* aged(uri, 10 * day)
      assert.deepInclude(yield* removeOrphans(table), { filesBefore: 0 })
      yield* expireSnapshots(table, { snapshotAgeMsMax: 0, snapshotsKeptMin: 1 })
      assert.deepStrictEqual(yield* named, files.slice(2).toSorted())
      const below = yield* filesBelow(yield* load)
      assert.deepStrictEqual(
        files.map((uri) => below.includes(uri)),
        [false, false, true, true]
      )
    }).pipe(Effect.provide(layerLake))
  )

  it.live("are replaced and removed by actions, which leave the files to orphan removal", () =>
    Effect.gen(function* () {
      const { files, last } = yield* withStatistics
      const { metadata } = yield* load
      const other = yield* stray(`${metadata.location}/metadata/other.stats`, 0)
      yield* commit(setStatistics("table", entry(last, other)))
      assert.deepStrictEqual(yield* named, [files[0]!, files[1]!, files[3]!, other].sort())
      yield* commit(removeStatistics(last))
      assert.deepStrictEqual(yield* named, [files[0]!, files[1]!].sort())
      for (const uri of yield* filesBelow(yield* load)) yield* aged(uri, 10 * day)
      const { removed } = yield* removeOrphans(table)
      assert.deepStrictEqual(removed, [files[2]!, files[3]!, other].sort())
      const error = yield* Effect.flip(commit(setStatistics("table", entry(5n, other))))
      assert.match(error.message, /statistics: it has no snapshot 5/)
    }).pipe(Effect.provide(layerLake))
  )
})
