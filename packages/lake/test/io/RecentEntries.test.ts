/** What is remembered of small manifests against decoding them: its slow twin. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Storage } from "@frazil/core"
import { FileIO } from "../../src/io/FileIO.ts"
import { decodeManifest } from "../../src/io/ManifestCodec.ts"
import type { ManifestFile } from "../../src/spec/Manifest.ts"
import { type BoundPartitionField, bindPartitionSpec } from "../../src/spec/PartitionSpec.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { eventFile, eventSchema, eventSpec } from "../LakeFixtures.ts"
import { appendRaw, createRaw, layerLake, loadRaw } from "../LakeHarness.ts"

const partition = bindPartitionSpec(eventSpec, eventSchema)

const listed = Effect.gen(function* () {
  yield* createRaw
  yield* appendRaw([eventFile("a", 20_000, 0, 10), eventFile("b", 20_001, 10, 5)])
  const { manifestList } = currentSnapshot((yield* loadRaw).metadata) ?? assert.fail("no snapshot")
  const [manifest] = yield* (yield* FileIO).readManifestList(manifestList)
  return manifest ?? assert.fail("no manifest")
})

/** Decoded anew, as nobody remembers it. */
const decoded = Effect.fnUntraced(function* (manifest: ManifestFile, fields: ReadonlyArray<BoundPartitionField>) {
  const bytes = yield* Storage.use((storage) => storage.read(manifest.manifestPath))
  return decodeManifest(bytes, manifest, fields)
})

describe("entries of small manifests", () => {
  it.effect("are remembered, and are what decoding gives", () =>
    Effect.gen(function* () {
      const fileIO = yield* FileIO
      const manifest = yield* listed
      const first = yield* fileIO.readManifest(manifest, partition)
      assert.deepStrictEqual(first, yield* decoded(manifest, partition))
      // another list that says the same of it
      const partitions = manifest.partitions?.map((summary) => ({ ...summary })) ?? null
      assert.strictEqual(yield* fileIO.readManifest({ ...manifest, partitions }, [...partition]), first)
      // of which a scan picks for itself
      const none = () => false
      const pick = { columnIds: new Set<number>(), summaries: none, partition: none, file: none, ranges: [] }
      assert.strictEqual(yield* fileIO.readManifest(manifest, partition, pick), first)
    }).pipe(Effect.provide(layerLake))
  )

  it.effect("are decoded anew when the list or the spec says another thing of them", () =>
    Effect.gen(function* () {
      const fileIO = yield* FileIO
      const manifest = yield* listed
      const first = yield* fileIO.readManifest(manifest, partition)
      const later = { ...manifest, sequenceNumber: manifest.sequenceNumber + 5n }
      const inherited = yield* fileIO.readManifest(later, partition)
      assert.deepStrictEqual(inherited, yield* decoded(later, partition))
      assert.notDeepEqual(inherited, first)
      const promoted = partition.map((field): BoundPartitionField => ({ ...field, type: { _tag: "long" } }))
      assert.deepStrictEqual(
        (yield* fileIO.readManifest(manifest, promoted)).map(({ dataFile }) => dataFile.partition),
        [[20_000n], [20_001n]]
      )
      const [summary] = manifest.partitions ?? []
      if (summary === undefined) return assert.fail("no summary")
      for (const [what, wrong] of [
        ["entries", { ...manifest, addedFilesCount: 1 }],
        ["rows", { ...manifest, addedRowsCount: 16n }],
        ["partition", { ...manifest, partitions: [{ ...summary, upperBound: summary.lowerBound }] }]
      ] as const) {
        yield* fileIO.readManifest(manifest, partition)
        const error = yield* Effect.flip(fileIO.readManifest(wrong, partition))
        assert.strictEqual(error.reason, "Corrupt", what)
      }
      return undefined
    }).pipe(Effect.provide(layerLake))
  )
})
