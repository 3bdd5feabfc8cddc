/**
 * What manifests of each format version hold and inherit: the cases and values of Java's `TestManifestWriterVersions`, by their
 * names. Its files are Avro, ours Parquet; of version 1 there are only those that a list of a later version goes on naming.
 */
import { assert, describe, it } from "@effect/vitest"
import { decodeAvroFile } from "../../src/io/avro/AvroFile.ts"
import {
  decodeDeleteManifest,
  decodeManifest,
  encodeManifest,
  type ManifestLayout
} from "../../src/io/ManifestCodec.ts"
import { decodeManifestList, encodeManifestList, isCounted } from "../../src/io/ManifestListCodec.ts"
import type { DataFile, DeleteFile } from "../../src/spec/DataFile.ts"
import type { AnyEntry, ManifestEntry, ManifestFile } from "../../src/spec/Manifest.ts"
import { bindPartitionSpec, partitionSpec } from "../../src/spec/PartitionSpec.ts"
import { giveRowIds } from "../../src/spec/RowLineage.ts"
import { primitiveFromText } from "../../src/spec/Type.ts"
import type { TableSchema } from "../../src/spec/Schema.ts"

const schema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: (
    [
      ["id", "long"],
      ["timestamp", "timestamptz"],
      ["category", "string"],
      ["data", "string"],
      ["double", "double"]
    ] as const
  ).map(([name, type], i) => ({ id: i + 1, name, required: true, type: primitiveFromText(type, "test") }))
}

const spec = partitionSpec(schema, [
  { column: "category", transform: { _tag: "identity" } },
  { column: "timestamp", transform: { _tag: "hour" } },
  { column: "id", transform: { _tag: "bucket", buckets: 16 } }
])
const partition = bindPartitionSpec(spec, schema)

const sequenceNumber = 34n
const snapshotId = 987_134_631_982_734n
const firstRowId = 100n
const rows = 1_587n

const longs = (...values: ReadonlyArray<readonly [number, bigint]>) => new Map(values)
const bound = new Map([[1, Uint8Array.of(1, 0, 0, 0)]])

const dataFile: DataFile = {
  filePath: "s3://bucket/table/category=cheesy/timestamp_hour=10/id_bucket=3/file.parquet",
  fileFormat: "PARQUET",
  specId: 0,
  partition: ["cheesy", 10, 3],
  recordCount: rows,
  fileSizeInBytes: 150_972n,
  columnSizes: longs([1, 15n], [2, 122n], [3, 4_021n], [4, 9_411n], [5, 15n]),
  valueCounts: longs([1, 100n], [2, 100n], [3, 100n], [4, 100n], [5, 100n]),
  nullValueCounts: longs([1, 0n], [2, 0n], [3, 0n], [4, 0n], [5, 0n]),
  nanValueCounts: longs([5, 10n]),
  lowerBounds: bound,
  upperBounds: bound,
  splitOffsets: [4n],
  sortOrderId: 2
}

const deleteFile: DeleteFile = {
  ...dataFile,
  fileSizeInBytes: 22_905n,
  splitOffsets: [],
  content: "equality-deletes",
  equalityIds: [1],
  referencedDataFile: null,
  contentOffset: null,
  contentSizeInBytes: null
}

const added = <File extends DataFile | DeleteFile>(file: File): ManifestEntry<File> => ({
  status: "added",
  snapshotId,
  sequenceNumber: null,
  fileSequenceNumber: null,
  dataFile: file
})

/** As a manifest of version 1 has it once it was read: without numbers, all are 0. */
const rewritten: ManifestEntry = { ...added(dataFile), status: "existing", sequenceNumber: 0n, fileSequenceNumber: 0n }

const written = (formatVersion: 2 | 3, entries: ReadonlyArray<AnyEntry>, content: ManifestFile["content"] = "data") => {
  const layout: ManifestLayout = { formatVersion, schema, spec, partition }
  return encodeManifest(layout, entries, content)
}

/** The manifest as the list of a snapshot of this version gives it back. */
const listed = (formatVersion: 2 | 3, bytes: Uint8Array, manifest: Partial<ManifestFile> = {}): ManifestFile => {
  const file: ManifestFile = {
    manifestPath: "s3://bucket/table/manifest.avro",
    manifestLength: BigInt(bytes.length),
    partitionSpecId: 0,
    content: "data",
    sequenceNumber,
    minSequenceNumber: sequenceNumber,
    addedSnapshotId: snapshotId,
    addedFilesCount: 1,
    existingFilesCount: 0,
    deletedFilesCount: 0,
    addedRowsCount: rows,
    existingRowsCount: 0n,
    deletedRowsCount: 0n,
    partitions: null,
    keyMetadata: null,
    ...manifest
  }
  const owner = { snapshotId, parentSnapshotId: snapshotId - 1n, sequenceNumber }
  const list =
    formatVersion === 2
      ? encodeManifestList(owner, [file])
      : encodeManifestList({ ...owner, firstRowId }, giveRowIds([file], firstRowId).manifests)
  const [found] = decodeManifestList(list)
  assert.isTrue(found !== undefined && isCounted(found))
  // it was asked the line before
  return found as ManifestFile
}

const existing: Partial<ManifestFile> = {
  addedFilesCount: 0,
  addedRowsCount: 0n,
  existingFilesCount: 1,
  existingRowsCount: rows
}

const numbers = ({ fileSequenceNumber, sequenceNumber: data, status }: AnyEntry) => [status, data, fileSequenceNumber]

/** The numbers as they lie in the file. */
const raw = (bytes: Uint8Array) =>
  decodeAvroFile(bytes, (type) => type).values.map((value) => {
    // entries are records
    const entry = value as Readonly<Record<string, unknown>>
    return [entry["status"], entry["snapshot_id"], entry["sequence_number"], entry["file_sequence_number"]]
  })

describe("TestManifestWriterVersions", () => {
  for (const version of [2, 3] as const) {
    const rowIds = version === 3 ? { firstRowId } : {}

    it(`testV${version}Write`, () => {
      const file = { ...dataFile, ...rowIds }
      const bytes = written(version, [added(file)])
      assert.deepStrictEqual(raw(bytes), [[1, snapshotId, null, null]])
      assert.deepStrictEqual(decodeManifest(bytes, listed(version, bytes), partition)[0]?.dataFile, file)
    })

    it(`testV${version}WriteWithInheritance`, () => {
      const bytes = written(version, [added(dataFile)])
      const manifest = listed(version, bytes)
      assert.deepInclude(manifest, { sequenceNumber, minSequenceNumber: sequenceNumber, content: "data", ...rowIds })
      const [entry] = decodeManifest(bytes, manifest, partition)
      assert.deepStrictEqual(numbers(entry!), ["added", sequenceNumber, sequenceNumber])
      assert.deepStrictEqual(entry?.dataFile, { ...dataFile, ...rowIds })
    })

    it(`testV2PlusWriteDelete, testV2WriteDeleteWithInheritance, version ${version}`, () => {
      const bytes = written(version, [added(deleteFile)], "deletes")
      assert.deepStrictEqual(raw(bytes), [[1, snapshotId, null, null]])
      const manifest = listed(version, bytes, { content: "deletes" })
      assert.deepInclude(manifest, { content: "deletes", sequenceNumber, minSequenceNumber: sequenceNumber })
      assert.isUndefined(manifest.firstRowId)
      const [entry] = decodeDeleteManifest(bytes, manifest, partition)
      assert.deepStrictEqual(numbers(entry!), ["added", sequenceNumber, sequenceNumber])
      assert.deepStrictEqual(entry?.dataFile, deleteFile)
    })

    it(`testV${version}ManifestListRewriteWithInheritance`, () => {
      const bytes = written(version, [added(dataFile)])
      const manifest = listed(version, bytes, { sequenceNumber: 0n, minSequenceNumber: 0n })
      assert.deepInclude(manifest, { sequenceNumber: 0n, minSequenceNumber: 0n })
      const [entry] = decodeManifest(bytes, manifest, partition)
      assert.deepStrictEqual(numbers(entry!), ["added", 0n, 0n])
      assert.deepStrictEqual(entry?.dataFile, { ...dataFile, ...rowIds })
    })

    it(`testV${version}ManifestRewriteWithInheritance`, () => {
      const bytes = written(version, [rewritten])
      assert.deepStrictEqual(raw(bytes), [[0, snapshotId, 0n, 0n]])
      const manifest = listed(version, bytes, { ...existing, minSequenceNumber: 0n })
      assert.deepInclude(manifest, { sequenceNumber, minSequenceNumber: 0n, existingRowsCount: rows })
      const [entry] = decodeManifest(bytes, manifest, partition)
      assert.deepStrictEqual(numbers(entry!), ["existing", 0n, 0n])
      assert.deepStrictEqual(entry?.dataFile, { ...dataFile, ...rowIds })
    })

    it(`testDefaultManifestCompression, version ${version}`, () => {
      const { header } = decodeAvroFile(written(version, [added(dataFile)]), (type) => type)
      assert.strictEqual(header.get("avro.codec"), "deflate")
      assert.strictEqual(header.get("format-version"), String(version))
    })
  }

  it("testV3WriteFirstRowIdAssignment", () => {
    const bytes = written(3, [added(dataFile), added({ ...dataFile, filePath: `${dataFile.filePath}-2` })])
    const manifest = listed(3, bytes, { addedFilesCount: 2, addedRowsCount: 2n * rows })
    const given = decodeManifest(bytes, manifest, partition).map((entry) => entry.dataFile.firstRowId)
    assert.deepStrictEqual(given, [firstRowId, firstRowId + rows])
  })
})
