import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { setProperties } from "../../src/write/TableAction.ts"
import { appendRaw, layerLake, loadRaw, raw } from "../LakeHarness.ts"
import { eventFile, eventSchema, eventSpec } from "../LakeFixtures.ts"

describe("MergeManifests", () => {
  it.effect("keeps lists short over many small commits, and every file with its number and snapshot", () =>
    Effect.gen(function* () {
      const catalog = yield* Catalog
      yield* catalog.createTable({
        identifier: raw,
        schema: eventSchema,
        partitionSpec: eventSpec,
        properties: new Map([["commit.manifest.min-count-to-merge", "4"]])
      })
      const fileIO = yield* FileIO
      let longest = 0
      for (let i = 0; i < 30; i++) {
        const { snapshot } = yield* appendRaw([eventFile(`f${i}`, 20_000 + (i % 7), i, 1)])
        const list = yield* fileIO.readManifestList(snapshot?.manifestList ?? "")
        longest = Math.max(longest, list.length)
      }
      // Fewer than four manifests of each size (up to 9 files, up to 99), and the one just added.
      assert.isAtMost(longest, 7)
      const { metadata } = yield* loadRaw
      const plan = yield* planScan(yield* loadRaw)
      const found = new Map(plan.entries.map((entry) => [entry.dataFile.filePath.replace(/.*\//, ""), entry]))
      assert.strictEqual(found.size, 30)
      assert.strictEqual(plan.entries.length, 30)
      metadata.snapshots.forEach((snapshot, i) => {
        const entry = found.get(`f${i}.parquet`)
        assert.strictEqual(entry?.sequenceNumber, snapshot.sequenceNumber)
        assert.strictEqual(entry?.fileSequenceNumber, snapshot.sequenceNumber)
        assert.strictEqual(entry?.snapshotId, snapshot.snapshotId)
      })
      assert.strictEqual(currentSnapshot(metadata)?.summary.get("total-records"), "30")
      const early = yield* planScan(yield* loadRaw, {
        asOf: { _tag: "SnapshotId", snapshotId: metadata.snapshots[14]?.snapshotId ?? 0n }
      })
      assert.strictEqual(early.entries.length, 15)
    }).pipe(Effect.provide(layerLake))
  )

  /** How many manifests are listed after another append to a table of so many single ones, under these properties. */
  const listedAfter = (count: number, said: (bytes: number) => Readonly<Record<string, string>>) =>
    Effect.gen(function* () {
      yield* Catalog.use((catalog) =>
        catalog.createTable({ identifier: raw, schema: eventSchema, partitionSpec: eventSpec })
      )
      const fileIO = yield* FileIO
      for (let i = 0; i < count; i++) yield* appendRaw([eventFile(`f${i}`, 20_000, i, 1)])
      const list = currentSnapshot((yield* loadRaw).metadata)?.manifestList ?? ""
      const bytes = (yield* fileIO.readManifestList(list)).reduce((sum, each) => sum + Number(each.manifestLength), 0)
      const properties = new Map(Object.entries(said(bytes)))
      yield* commitTable({ table: raw, actions: () => Effect.succeed([setProperties(properties)]) })
      const { snapshot } = yield* appendRaw([eventFile("last", 20_000, count, 1)])
      assert.lengthOf((yield* planScan(yield* loadRaw)).entries, count + 1)
      return (yield* fileIO.readManifestList(snapshot?.manifestList ?? "")).length
    }).pipe(Effect.provide(Layer.fresh(layerLake)))

  it.effect("begins with as many manifests as the table says, two at least, or never", () =>
    Effect.gen(function* () {
      const least = (count: string) => () => ({ "commit.manifest.min-count-to-merge": count })
      assert.strictEqual(yield* listedAfter(3, least("4")), 4)
      assert.strictEqual(yield* listedAfter(4, least("4")), 2)
      assert.strictEqual(yield* listedAfter(5, least("4")), 2)
      assert.strictEqual(yield* listedAfter(1, least("1")), 2)
      assert.strictEqual(yield* listedAfter(2, least("1")), 2)
      assert.strictEqual(yield* listedAfter(2, least("0")), 2)
      assert.strictEqual(yield* listedAfter(4, least("many")), 5)
      const never = () => ({ ...least("2")(), "commit.manifest-merge.enabled": "false" })
      assert.strictEqual(yield* listedAfter(4, never), 5)
    })
  )

  it.effect("fills a manifest up to the target size and not beyond", () =>
    Effect.gen(function* () {
      const target = (less: number) => (bytes: number) => ({
        "commit.manifest.min-count-to-merge": "4",
        "commit.manifest.target-size-bytes": String(bytes - less)
      })
      assert.strictEqual(yield* listedAfter(4, target(0)), 2)
      // the oldest three
      assert.strictEqual(yield* listedAfter(4, target(1)), 3)
    })
  )
})
