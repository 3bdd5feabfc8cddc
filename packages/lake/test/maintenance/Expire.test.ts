import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { expireSnapshots } from "../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../src/maintenance/RemoveOrphans.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append, setProperties } from "../../src/write/TableAction.ts"
import {
  aged,
  appendRows,
  createTable,
  figures,
  filesBelow,
  layerLake,
  load,
  rowsAt,
  rowsOf,
  table
} from "./MaintenanceFixture.ts"

/** Everything but the newest may go. */
const keepOne = { snapshotAgeMsMax: -1, snapshotsKeptMin: 1 }

const tag = (name: string, snapshotId: bigint) =>
  Effect.gen(function* () {
    const catalog = yield* Catalog
    const ref = {
      snapshotId,
      type: "tag",
      minSnapshotsToKeep: null,
      maxSnapshotAgeMs: null,
      maxRefAgeMs: null
    } as const
    yield* catalog.commit({ base: yield* load, requirements: [], updates: [{ _tag: "SetSnapshotRef", name, ref }] })
  })

describe("expireSnapshots", () => {
  it.live("forgets what a compaction replaced, deletes its files and nothing else, as its dry run said", () =>
    Effect.gen(function* () {
      yield* createTable()
      for (let i = 0; i < 5; i++) yield* appendRows(i * 20, 20, 1)
      yield* compactTable(table)
      yield* appendRows(200, 20, 1)
      const before = yield* rowsAt()
      const { metadata } = yield* load
      const options = { ...keepOne, snapshotsKeptMin: 2 }
      const dry = yield* expireSnapshots(table, { ...options, dryRun: true })
      const real = yield* expireSnapshots(table, options)
      assert.deepStrictEqual(figures(real), figures(dry))
      assert.deepInclude(real, { snapshotsExpired: 5, conflicts: 0, error: undefined })
      // 5 data files, 5 manifests of theirs, 5 lists
      assert.strictEqual(real.filesBefore - real.filesAfter, 15)
      assert.strictEqual(yield* rowsAt(), before)
      const kept = metadata.snapshots.slice(5)
      for (const { snapshotId } of kept) yield* rowsOf(snapshotId)
      const error = yield* Effect.flip(rowsOf(metadata.snapshots[0]?.snapshotId ?? 0n))
      assert.match(String(error), /it never was, or it has expired/)
      const now = yield* load
      assert.deepStrictEqual(
        now.metadata.snapshotLog.map(({ snapshotId }) => snapshotId),
        kept.map(({ snapshotId }) => snapshotId)
      )
      const past = yield* Effect.flip(rowsAt({ _tag: "Timestamp", timestampMs: (kept[0]?.timestampMs ?? 0) - 1 }))
      assert.match(String(past), /its history begins at/)
      const again = yield* expireSnapshots(table, options)
      assert.deepInclude(again, { snapshotsExpired: 0, filesBefore: real.filesAfter, filesAfter: real.filesAfter })
    }).pipe(Effect.provide(layerLake))
  )

  it.live("keeps 10 snapshots and what is younger than 3 days unless told otherwise", () =>
    Effect.gen(function* () {
      yield* createTable()
      for (let i = 0; i < 12; i++) yield* appendRows(i, 1, 1)
      assert.deepInclude(yield* expireSnapshots(table, { dryRun: true }), { snapshotsExpired: 0 })
      assert.deepInclude(yield* expireSnapshots(table, { dryRun: true, snapshotAgeMsMax: -1 }), { snapshotsExpired: 2 })
      yield* commitTable({
        table,
        actions: () => Effect.succeed([setProperties(new Map([["history.expire.min-snapshots-to-keep", "5"]]))])
      })
      assert.deepInclude(yield* expireSnapshots(table, { dryRun: true, snapshotAgeMsMax: -1 }), { snapshotsExpired: 7 })
    }).pipe(Effect.provide(layerLake))
  )

  it.live("keeps what a tag points to, with its files", () =>
    Effect.gen(function* () {
      yield* createTable()
      for (let i = 0; i < 5; i++) yield* appendRows(i * 20, 20, 1)
      const tagged = (yield* load).metadata.currentSnapshotId ?? 0n
      yield* tag("audit", tagged)
      const rows = yield* rowsOf(tagged)
      yield* compactTable(table)
      assert.deepInclude(yield* expireSnapshots(table, keepOne), { snapshotsExpired: 4 })
      assert.strictEqual(yield* rowsAt({ _tag: "Ref", name: "audit" }), rows)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("keeps the line down to the ancestor that carries the landing's marks", () =>
    Effect.gen(function* () {
      const marks = new Map([["frazil.mark.x.main.0", "mark"]])
      yield* createTable()
      yield* appendRows(0, 1, 1)
      yield* commitTable({ table, actions: () => Effect.succeed([append([], marks), setProperties(marks)]) })
      // another engine's commits, which carry none
      for (let i = 1; i < 4; i++) yield* appendRows(i, 1, 1)
      assert.deepInclude(yield* expireSnapshots(table, keepOne), { snapshotsExpired: 1 })
      const { metadata } = yield* load
      assert.strictEqual(metadata.snapshots.length, 4)
      assert.strictEqual(metadata.snapshots[0]?.summary.get("frazil.mark.x.main.0"), "mark")
    }).pipe(Effect.provide(layerLake))
  )

  it.live("removes metadata files that the log no longer names, once they are old", () =>
    Effect.gen(function* () {
      yield* createTable(new Map([["write.metadata.previous-versions-max", "2"]]))
      for (let i = 0; i < 6; i++) yield* appendRows(i, 1, 1)
      const metadataFiles = (yield* filesBelow(yield* load)).filter((uri) => uri.endsWith(".metadata.json"))
      assert.lengthOf(metadataFiles, 7)
      for (const uri of metadataFiles.slice(0, 3)) yield* aged(uri, 4 * 86_400_000)
      const report = yield* expireSnapshots(table)
      assert.deepStrictEqual(report.removed, metadataFiles.slice(0, 3))
      assert.deepInclude(report, { snapshotsExpired: 0, error: undefined })
      yield* rowsAt()
    }).pipe(Effect.provide(layerLake))
  )

  it.live("refuses a table whose files may be another's", () =>
    Effect.gen(function* () {
      yield* createTable(new Map([["gc.enabled", "false"]]))
      assert.match((yield* Effect.flip(expireSnapshots(table))).message, /gc\.enabled/)
      assert.match((yield* Effect.flip(removeOrphans(table))).message, /gc\.enabled/)
    }).pipe(Effect.provide(layerLake))
  )
})
