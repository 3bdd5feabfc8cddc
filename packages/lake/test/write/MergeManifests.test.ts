import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
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
})
