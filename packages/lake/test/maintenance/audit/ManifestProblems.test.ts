import { assert, describe, it } from "@effect/vitest"
import { manifestProblems } from "../../../src/maintenance/audit/ManifestProblems.ts"
import type { ManifestEntry, ManifestFile } from "../../../src/spec/Manifest.ts"
import type { BoundPartitionField } from "../../../src/spec/PartitionSpec.ts"
import { singleValueToBytes } from "../../../src/spec/SingleValue.ts"
import { eventFile } from "../../LakeFixtures.ts"

const uuid = { _tag: "uuid" } as const
const field: BoundPartitionField = {
  sourceId: 1,
  fieldId: 1000,
  name: "u",
  transform: { _tag: "identity" },
  sourceType: uuid,
  type: uuid
}
const entry = (value: string): ManifestEntry => ({
  status: "added",
  snapshotId: 1n,
  sequenceNumber: 1n,
  fileSequenceNumber: 1n,
  dataFile: { ...eventFile(value, 0, 0, 10), partition: [value] }
})
const [low, high] = ["0f0f0f0f-0000-4000-8000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]
const manifest: ManifestFile = {
  manifestPath: "file:///m.avro",
  manifestLength: 1n,
  partitionSpecId: 0,
  content: "data",
  sequenceNumber: 1n,
  minSequenceNumber: 1n,
  addedSnapshotId: 1n,
  addedFilesCount: 2,
  existingFilesCount: 0,
  deletedFilesCount: 0,
  addedRowsCount: 20n,
  existingRowsCount: 0n,
  deletedRowsCount: 0n,
  partitions: [
    {
      containsNull: false,
      containsNan: null,
      // as Java orders them: the sign comes first
      lowerBound: singleValueToBytes(uuid, high),
      upperBound: singleValueToBytes(uuid, low)
    }
  ],
  keyMetadata: null
}

describe("problems of manifests", () => {
  it("are none when UUIDs are summarised in Java's order", () => {
    assert.deepStrictEqual(manifestProblems(manifest, [entry(low), entry(high)], [field], 1n), [])
  })
})
