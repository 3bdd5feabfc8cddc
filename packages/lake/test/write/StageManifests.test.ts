import { createHash } from "node:crypto"
import { FaultPoint } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Catalog } from "../../src/catalog/Catalog.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { compactManifests } from "../../src/maintenance/CompactManifests.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import type { DeleteFile } from "../../src/spec/DataFile.ts"
import { bindPartitionSpec } from "../../src/spec/PartitionSpec.ts"
import { singleValueFromBytes } from "../../src/spec/SingleValue.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { changeRows, rewriteFiles, setProperties } from "../../src/write/TableAction.ts"
import { eventFile, eventSchema, eventSpec } from "../LakeFixtures.ts"
import { appendRaw, createRaw, layerLake, loadRaw, raw, storedUris } from "../LakeHarness.ts"

/** Names that no compression makes short. */
const named = (i: number) => createHash("sha256").update(String(i)).digest("hex")

const partition = bindPartitionSpec(eventSpec, eventSchema)

const listed = Effect.gen(function* () {
  const fileIO = yield* FileIO
  const snapshot = currentSnapshot((yield* loadRaw).metadata)
  return yield* fileIO.readManifestList(snapshot?.manifestList ?? "")
})

/** What the table says of each live file, by what the manifests say. */
const filesOf = Effect.gen(function* () {
  const { entries } = yield* planScan(yield* loadRaw)
  const told = entries.map(({ dataFile, fileSequenceNumber, sequenceNumber, snapshotId }) => {
    const { filePath, partition: values, recordCount } = dataFile
    return [filePath, values, recordCount, sequenceNumber, fileSequenceNumber, snapshotId] as const
  })
  return told.sort(([a], [b]) => (a < b ? -1 : 1))
})

/** Ten commits of three files each, spread over the same three days. */
const scattered = Effect.gen(function* () {
  yield* createRaw
  for (let i = 0; i < 10; i++) yield* appendRaw([0, 1, 2].map((day) => eventFile(`f${i}-${day}`, 20_000 + day, i, 1)))
})

const bytesTarget = (bytes: number) =>
  commitTable({
    table: raw,
    actions: () => Effect.succeed([setProperties(new Map([["commit.manifest.target-size-bytes", String(bytes)]]))])
  })

/** Appends one file, undisturbed, when a fault point is first crossed. */
const appendsAt = <A, E, R>(effect: Effect.Effect<A, E, R>, point: string) =>
  Effect.gen(function* () {
    const context = yield* Effect.context<Catalog | FileIO>()
    let done = false
    return yield* Effect.provideService(effect, FaultPoint, {
      hit: (name) => {
        if (name !== point || done) return Effect.void
        done = true
        return appendRaw([eventFile("beside", 20_001, 99, 1)]).pipe(
          Effect.provideService(FaultPoint, { hit: () => Effect.void }),
          Effect.provide(context),
          Effect.orDie,
          Effect.asVoid
        )
      }
    })
  })

describe("compactManifests", () => {
  it.live("lists every file once more as it was, existing and with explicit numbers, in one manifest", () =>
    Effect.gen(function* () {
      yield* scattered
      const before = yield* filesOf
      assert.lengthOf(before, 30)
      const stored = yield* storedUris
      const dry = yield* compactManifests(raw, { dryRun: true })
      assert.deepStrictEqual(yield* storedUris, stored)
      const real = yield* compactManifests(raw)
      const told = ({ bytesAfter, bytesBefore, conflicts, filesAfter, filesBefore }: typeof real) => [
        filesBefore,
        filesAfter,
        bytesBefore,
        bytesAfter,
        conflicts
      ]
      assert.deepStrictEqual(told(real), told(dry))
      assert.deepInclude(real, { filesBefore: 10, filesAfter: 1, conflicts: 0 })
      assert.deepStrictEqual(yield* filesOf, before)
      const [manifest] = yield* listed
      assert.deepInclude(manifest, {
        addedFilesCount: 0,
        existingFilesCount: 30,
        deletedFilesCount: 0,
        existingRowsCount: 30n,
        minSequenceNumber: 1n,
        sequenceNumber: 11n
      })
      const fileIO = yield* FileIO
      // whatever number the list has to inherit, each entry still has its own
      const bare = { ...manifest!, sequenceNumber: 99n, addedSnapshotId: -1n }
      const entries = yield* fileIO.readManifest(bare, partition)
      assert.deepStrictEqual(
        entries.map(({ sequenceNumber }) => sequenceNumber),
        [0, 1, 2].flatMap(() => Array.from({ length: 10 }, (_, i) => BigInt(i + 1)))
      )
      const { snapshots } = (yield* loadRaw).metadata
      assert.deepInclude(snapshots.at(-1), { operation: "replace" })
      assert.deepInclude(Object.fromEntries(snapshots.at(-1)?.summary ?? []), {
        "manifests-created": "1",
        "manifests-replaced": "10",
        "manifests-kept": "0",
        "entries-processed": "30",
        "total-data-files": "30"
      })
      assert.deepInclude(yield* compactManifests(raw), { filesBefore: 1, filesAfter: 1, snapshotId: undefined })
    }).pipe(Effect.provide(layerLake))
  )

  it.live(
    "divides by partition at the target size, so that a day is in few manifests; repeated runs come to an end",
    () =>
      Effect.gen(function* () {
        yield* scattered
        const before = yield* filesOf
        const bytes = (yield* listed).reduce((sum, manifest) => sum + Number(manifest.manifestLength), 0)
        yield* bytesTarget(Math.ceil(bytes / 3))
        const { filesAfter } = yield* compactManifests(raw)
        assert.strictEqual(filesAfter, 3)
        const days = (yield* listed).map(({ partitions }) => {
          const { lowerBound, upperBound } = partitions![0]!
          return [lowerBound!, upperBound!].map((bound) => singleValueFromBytes({ _tag: "int" }, bound))
        })
        assert.deepStrictEqual(days, [
          [20_000, 20_000],
          [20_001, 20_001],
          [20_002, 20_002]
        ])
        assert.deepStrictEqual(yield* filesOf, before)
        let runs = 0
        while ((yield* compactManifests(raw)).snapshotId !== undefined) runs++
        // what the headers took is gone: a target of some kilobytes holds more files than was thought
        assert.isAtMost(runs, 2)
        assert.deepStrictEqual(yield* filesOf, before)
      }).pipe(Effect.provide(layerLake))
  )

  it.live("leaves large manifests alone beside many small ones, and rewrites all when asked", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* appendRaw(Array.from({ length: 1000 }, (_, i) => eventFile(named(i), 20_000 + (i % 50), i, 1)))
      const [large] = yield* listed
      for (let i = 0; i < 5; i++) yield* appendRaw([eventFile(`small${i}`, 20_000, i, 1)])
      yield* bytesTarget(Number(large?.manifestLength))
      assert.deepInclude(yield* compactManifests(raw), { filesBefore: 6, filesAfter: 2 })
      const path = (manifest: { readonly manifestPath: string } | undefined) => manifest?.manifestPath ?? ""
      assert.include((yield* listed).map(path), path(large))
      yield* compactManifests(raw, { all: true })
      assert.notInclude((yield* listed).map(path), path(large))
    }).pipe(Effect.provide(layerLake))
  )

  it.live("leaves out entries that tell of deletes", () =>
    Effect.gen(function* () {
      yield* createRaw
      const files = [0, 1, 2, 3].map((i) => eventFile(`f${i}`, 20_000, i, 1))
      yield* appendRaw(files)
      const gone = rewriteFiles({
        removed: files.slice(0, 3),
        added: [],
        startingSequenceNumber: 1n,
        summary: new Map()
      })
      yield* commitTable({ table: raw, actions: () => Effect.succeed([gone]) })
      assert.deepInclude((yield* listed)[0], { deletedFilesCount: 3, existingFilesCount: 1 })
      yield* compactManifests(raw)
      const [manifest] = yield* listed
      assert.deepInclude(manifest, { deletedFilesCount: 0, existingFilesCount: 1, minSequenceNumber: 1n })
      const fileIO = yield* FileIO
      assert.lengthOf(yield* fileIO.readManifest(manifest!, partition), 1)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("keeps delete files in manifests of their own, with what they apply to", () =>
    Effect.gen(function* () {
      yield* createRaw
      const files = [0, 1, 2].map((i) => eventFile(`f${i}`, 20_000, i, 4))
      yield* appendRaw(files)
      for (const [i, file] of files.entries()) {
        const { splitOffsets, ...rest } = file
        const dataFile: DeleteFile = {
          ...rest,
          splitOffsets,
          filePath: `file:///warehouse/transactions/raw/data/d${i}.parquet`,
          content: "position-deletes",
          recordCount: 1n,
          lowerBounds: new Map(),
          upperBounds: new Map(),
          equalityIds: [],
          referencedDataFile: file.filePath,
          contentOffset: null,
          contentSizeInBytes: null
        }
        const { metadata } = yield* loadRaw
        const change = changeRows({
          removed: [],
          added: [],
          deletes: [dataFile],
          replacedDeletes: [],
          readSnapshotId: metadata.currentSnapshotId,
          isolation: "snapshot",
          summary: new Map()
        })
        yield* commitTable({ table: raw, actions: () => Effect.succeed([change]) })
      }
      const appliesTo = Effect.map(Effect.flatMap(loadRaw, planScan), ({ deletes, entries }) =>
        entries.map((entry) =>
          deletes.get(entry)?.map((each) => [each.dataFile.filePath, each.sequenceNumber, each.fileSequenceNumber])
        )
      )
      const before = yield* appliesTo
      assert.isTrue(before.every((each) => each?.length === 1))
      assert.deepInclude(yield* compactManifests(raw), { filesBefore: 4, filesAfter: 2 })
      assert.deepStrictEqual(yield* appliesTo, before)
      assert.deepStrictEqual((yield* listed).map(({ content }) => content).sort(), ["data", "deletes"])
    }).pipe(Effect.provide(layerLake))
  )

  it.live("keeps an append that was first, and writes its manifests only once", () =>
    Effect.gen(function* () {
      yield* scattered
      const before = yield* filesOf
      const report = yield* appendsAt(compactManifests(raw), "before-swap")
      assert.deepInclude(report, { filesBefore: 11, filesAfter: 2, conflicts: 1 })
      const after = yield* filesOf
      assert.deepStrictEqual(
        after.filter(([path]) => !path.endsWith("/beside.parquet")),
        before
      )
      assert.lengthOf(after, 31)
      assert.lengthOf(
        (yield* storedUris).filter((uri) => uri.endsWith("-m1.avro")),
        1
      )
    }).pipe(Effect.provide(layerLake))
  )
})
