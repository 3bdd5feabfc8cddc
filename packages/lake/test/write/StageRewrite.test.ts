import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import type { DeleteFile } from "../../src/spec/DataFile.ts"
import { bindPartitionSpec } from "../../src/spec/PartitionSpec.ts"
import type { ManifestFile } from "../../src/spec/Manifest.ts"
import { branchAt, mainBranch, type Snapshot } from "../../src/spec/Snapshot.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { removeSnapshots, rewriteFiles } from "../../src/write/TableAction.ts"
import { eventFile, eventSchema, eventSpec } from "../LakeFixtures.ts"
import { appendRaw, createRaw, layerLake, loadRaw, raw, writeNow } from "../LakeHarness.ts"

const [a, b, c] = [eventFile("a", 20_000, 0, 10), eventFile("b", 20_000, 10, 5), eventFile("c", 20_001, 15, 1)]
const both = eventFile("both", 20_000, 0, 15)

const rewrite = (startingSequenceNumber: bigint, removed = [a, b], added = [both]) =>
  commitTable({
    table: raw,
    actions: () => Effect.succeed([rewriteFiles({ removed, added, startingSequenceNumber, summary: new Map() })])
  })

/** Another engine adds a delete file that means rows of `a`: a manifest of it, and a snapshot that lists it. */
const addDeletes = Effect.fnUntraced(function* (content: DeleteFile["content"], snapshotId: bigint) {
  const catalog = yield* Catalog
  const fileIO = yield* FileIO
  const base = yield* loadRaw
  const parent = currentSnapshot(base.metadata)
  const listed = yield* fileIO.readManifestList(parent?.manifestList ?? "")
  if (parent === undefined) return assert.fail("no snapshot")
  const sequenceNumber = base.metadata.lastSequenceNumber + 1n
  const { fileFormat, ...file } = a
  const dataFile: DeleteFile = {
    ...file,
    fileFormat,
    filePath: `file:///warehouse/d${snapshotId}.parquet`,
    content,
    recordCount: 1n,
    lowerBounds: new Map(),
    upperBounds: new Map(),
    equalityIds: content === "equality-deletes" ? [1] : [],
    referencedDataFile: content === "equality-deletes" ? null : a.filePath,
    contentOffset: null,
    contentSizeInBytes: null
  }
  const entry = { status: "added", snapshotId, sequenceNumber: null, fileSequenceNumber: null, dataFile } as const
  const layout = { schema: eventSchema, spec: eventSpec, partition: bindPartitionSpec(eventSpec, eventSchema) }
  const manifestPath = `file:///warehouse/d${snapshotId}.avro`
  const manifestLength = yield* writeNow(fileIO.stageManifest(manifestPath, layout, [entry], "deletes"))
  const deletes: ManifestFile = {
    ...listed[0]!,
    content: "deletes",
    manifestPath,
    manifestLength,
    sequenceNumber,
    minSequenceNumber: sequenceNumber,
    addedFilesCount: 1,
    addedRowsCount: 1n,
    existingFilesCount: 0,
    deletedFilesCount: 0
  }
  const manifestList = `${base.metadata.location}/metadata/snap-${snapshotId}.avro`
  const owner = { snapshotId, parentSnapshotId: parent.snapshotId, sequenceNumber }
  yield* writeNow(fileIO.stageManifestList(manifestList, owner, [...listed, deletes]))
  const snapshot: Snapshot = { ...parent, ...owner, manifestList, operation: "overwrite", summary: new Map() }
  yield* catalog.commit({
    base,
    requirements: [],
    updates: [
      { _tag: "AddSnapshot", snapshot },
      { _tag: "SetSnapshotRef", name: mainBranch, ref: branchAt(snapshotId) }
    ]
  })
})

describe("rewriteFiles", () => {
  it.effect("keeps other files with their numbers, and marks the replaced ones as deleted", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* appendRaw([a, c])
      yield* appendRaw([b])
      const { snapshot } = yield* rewrite(2n)
      const { entries } = yield* planScan(yield* loadRaw)
      assert.deepStrictEqual(
        new Map(entries.map((entry) => [entry.dataFile.filePath, [entry.sequenceNumber, entry.fileSequenceNumber]])),
        new Map([
          [c.filePath, [1n, 1n]],
          [both.filePath, [2n, 3n]]
        ])
      )
      const fileIO = yield* FileIO
      const listed = yield* fileIO.readManifestList(snapshot?.manifestList ?? "")
      assert.strictEqual(
        listed.reduce((count, manifest) => count + manifest.deletedFilesCount, 0),
        2
      )
      // a later commit drops what only tells of deletes
      yield* appendRaw([eventFile("d", 20_001, 16, 1)])
      const later = yield* fileIO.readManifestList(currentSnapshot((yield* loadRaw).metadata)?.manifestList ?? "")
      assert.isTrue(later.every((manifest) => manifest.addedFilesCount + manifest.existingFilesCount > 0))
    }).pipe(Effect.provide(layerLake))
  )

  it.live("tells in one manifest what it took of manifests of which nothing is left, whoever commits beside it", () =>
    Effect.gen(function* () {
      yield* createRaw
      const small = Array.from({ length: 4 }, (_, i) => eventFile(`small${i}`, 20_000 + i, i, 1))
      const [stays, goes, beside] = [c, eventFile("goes", 20_000, 5, 1), eventFile("beside", 20_000, 6, 1)]
      for (const file of small) yield* appendRaw([file])
      yield* appendRaw([stays, goes])
      const removed = [...small, goes]
      const action = rewriteFiles({ removed, added: [both], startingSequenceNumber: 5n, summary: new Map() })
      let asked = 0
      const { attempts, snapshot } = yield* commitTable({
        table: raw,
        // the first swap loses against an append
        actions: () => Effect.as(asked++ === 0 ? appendRaw([beside]) : Effect.void, [action])
      })
      assert.strictEqual(attempts, 2)
      const fileIO = yield* FileIO
      const listed = yield* fileIO.readManifestList(snapshot?.manifestList ?? "")
      const counts = listed.map(
        ({ addedFilesCount, deletedFilesCount, existingFilesCount }) =>
          `${addedFilesCount} added, ${existingFilesCount} existing, ${deletedFilesCount} deleted`
      )
      assert.sameMembers(counts, [
        "1 added, 0 existing, 0 deleted",
        "1 added, 0 existing, 0 deleted",
        "0 added, 1 existing, 1 deleted",
        "0 added, 0 existing, 4 deleted"
      ])
      const partition = bindPartitionSpec(eventSpec, eventSchema)
      const read = yield* Effect.forEach(listed, (manifest) => fileIO.readManifest(manifest, partition))
      const entries = read.flat()
      const deleted = entries.filter(({ status }) => status === "deleted")
      assert.sameMembers(
        deleted.map(({ dataFile }) => dataFile.filePath),
        removed.map(({ filePath }) => filePath)
      )
      assert.isTrue(deleted.every(({ snapshotId }) => snapshotId === snapshot?.snapshotId))
      assert.deepStrictEqual(
        deleted
          .map(({ dataFile, sequenceNumber }) => `${/[^/]+$/.exec(dataFile.filePath)?.[0]} ${sequenceNumber}`)
          .sort(),
        ["goes.parquet 5", ...small.map((_, i) => `small${i}.parquet ${i + 1}`)]
      )
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("refuses when a replaced file has gone", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* appendRaw([a, b])
      yield* rewrite(1n)
      const error = yield* Effect.flip(rewrite(1n))
      assert.strictEqual(error.reason, "RequirementFailed")
      assert.match(error.message, /2 of 2 files to be replaced have gone/)
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("refuses when deletes came after the rows were read, not when they were there before", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* appendRaw([a, b])
      yield* addDeletes("position-deletes", 77n)
      const error = yield* Effect.flip(rewrite(1n))
      assert.strictEqual(error.reason, "RequirementFailed")
      assert.match(error.message, /rows of 1 files to be replaced were deleted/)
      const { snapshot } = yield* rewrite(2n)
      assert.strictEqual(snapshot?.summary.get("total-delete-files"), "1")
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("drops delete files that apply to nothing, as all data that stays is younger, and no others", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* appendRaw([a])
      yield* appendRaw([b])
      yield* addDeletes("equality-deletes", 77n)
      yield* addDeletes("position-deletes", 78n)
      const left = Effect.fnUntraced(function* (snapshot: Snapshot | undefined) {
        const fileIO = yield* FileIO
        const listed = yield* fileIO.readManifestList(snapshot?.manifestList ?? "")
        const partition = bindPartitionSpec(eventSpec, eventSchema)
        const deletes = listed.filter(({ content }) => content === "deletes")
        const read = yield* Effect.forEach(deletes, (manifest) => fileIO.readDeleteManifest(manifest, partition))
        return read
          .flat()
          .map(({ dataFile, sequenceNumber, status }) => `${dataFile.content} ${sequenceNumber} ${status}`)
      })
      const summary = (snapshot: Snapshot | undefined) =>
        [...(snapshot?.summary ?? [])]
          .filter(([key]) => /removed-.*delete|total-delete/.test(key))
          .map((each) => each.join(" "))
      const [a2, b2] = [eventFile("a2", 20_000, 0, 10), eventFile("b2", 20_000, 10, 5)]

      // what they mean is gone, but data that is older than they are might be meant too
      const first = yield* rewrite(4n, [a], [a2])
      assert.sameMembers(yield* left(first.snapshot), ["position-deletes 4 added", "equality-deletes 3 added"])
      assert.deepStrictEqual(summary(first.snapshot), ["total-delete-files 2"])
      // equality deletes say nothing of data that is as old as they are
      const second = yield* rewrite(3n, [b], [b2])
      assert.sameMembers(yield* left(second.snapshot), ["position-deletes 4 added", "equality-deletes 3 deleted"])
      assert.includeMembers(summary(second.snapshot), ["removed-equality-delete-files 1", "total-delete-files 1"])
      // position deletes would say something of data of their own commit
      const third = yield* rewrite(5n, [a2, b2], [both])
      assert.include(yield* left(third.snapshot), "position-deletes 4 deleted")
      assert.includeMembers(summary(third.snapshot), ["removed-position-delete-files 1", "total-delete-files 0"])
    }).pipe(Effect.provide(layerLake))
  )
})

describe("removeSnapshots", () => {
  it.effect("forgets snapshots, their place in the history and their statistics; never one that a ref needs", () =>
    Effect.gen(function* () {
      yield* createRaw
      for (const file of [a, b, c]) yield* appendRaw([file])
      const ids = (yield* loadRaw).metadata.snapshots.map(({ snapshotId }) => snapshotId)
      const [first = 0n, second = 0n, third = 0n] = ids
      const forget = (id: bigint) => commitTable({ table: raw, actions: () => Effect.succeed([removeSnapshots([id])]) })
      // the line is cut in the middle: what was current before can no longer be told
      const { table } = yield* forget(second)
      assert.deepStrictEqual(
        table.metadata.snapshots.map(({ snapshotId }) => snapshotId),
        [first, third]
      )
      assert.deepStrictEqual(
        table.metadata.snapshotLog.map(({ snapshotId }) => snapshotId),
        [third]
      )
      assert.match(String(yield* Effect.flip(Effect.sandbox(forget(third)))), /main points to it/)
    }).pipe(Effect.provide(layerLake))
  )
})
