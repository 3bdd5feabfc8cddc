import { assert, describe, it } from "@effect/vitest"
import { decodeManifest, encodeManifest, type ManifestLayout } from "../../src/io/ManifestCodec.ts"
import { decodeManifestList, encodeManifestList } from "../../src/io/ManifestListCodec.ts"
import { decodeAvroFile } from "../../src/io/avro/AvroFile.ts"
import { parseJson } from "../../src/spec/Json.ts"
import type { ManifestEntry, ManifestFile } from "../../src/spec/Manifest.ts"
import { bindPartitionSpec, partitionSpec } from "../../src/spec/PartitionSpec.ts"
import type { PartitionValue } from "../../src/spec/DataFile.ts"
import { schemaFromJson, type TableSchema } from "../../src/spec/Schema.ts"
import { singleValueToBytes } from "../../src/spec/SingleValue.ts"
import { eventFile, eventSchema, eventSpec } from "../LakeFixtures.ts"

const layout: ManifestLayout = {
  schema: eventSchema,
  spec: eventSpec,
  partition: bindPartitionSpec(eventSpec, eventSchema)
}

const day = singleValueToBytes({ _tag: "date" }, 20_000)

const snapshotId = 8744736658442914487n

const added = (name: string): ManifestEntry => ({
  status: "added",
  snapshotId,
  sequenceNumber: null,
  fileSequenceNumber: null,
  dataFile: eventFile(name, 20_000, 0, 10)
})

const listed = (bytes: Uint8Array, change: Partial<ManifestFile> = {}): ManifestFile => ({
  manifestPath: "file:///m.avro",
  manifestLength: BigInt(bytes.length),
  partitionSpecId: 0,
  content: "data",
  sequenceNumber: 7n,
  minSequenceNumber: 3n,
  addedSnapshotId: snapshotId,
  addedFilesCount: 1,
  existingFilesCount: 1,
  deletedFilesCount: 1,
  addedRowsCount: 10n,
  existingRowsCount: 10n,
  deletedRowsCount: 10n,
  partitions: [{ containsNull: false, containsNan: null, lowerBound: day, upperBound: day }],
  keyMetadata: null,
  ...change
})

const entries: ReadonlyArray<ManifestEntry> = [
  added("a"),
  { ...added("b"), status: "existing", snapshotId: 1n, sequenceNumber: 3n, fileSequenceNumber: 4n },
  { ...added("c"), status: "deleted", sequenceNumber: 2n, fileSequenceNumber: 2n }
]

describe("ManifestCodec", () => {
  it("keeps every entry, and lets added ones inherit the list's sequence number", () => {
    const bytes = encodeManifest(layout, entries)
    const read = decodeManifest(bytes, listed(bytes), layout.partition)
    assert.deepStrictEqual(read, [
      { ...entries[0], sequenceNumber: 7n, fileSequenceNumber: 7n },
      ...entries.slice(1)
    ] as ReadonlyArray<ManifestEntry>)
  })

  it("writes the header keys that the specification requires", () => {
    const { header } = decodeAvroFile(encodeManifest(layout, entries), (type) => type)
    assert.strictEqual(header.get("schema-id"), "0")
    assert.strictEqual(header.get("partition-spec-id"), "0")
    assert.strictEqual(header.get("format-version"), "2")
    assert.strictEqual(header.get("content"), "data")
    assert.deepStrictEqual(schemaFromJson(parseJson(header.get("schema") ?? ""), "schema"), eventSchema)
    assert.deepStrictEqual(JSON.parse(header.get("partition-spec") ?? ""), [
      { name: "event_timestamp_day", transform: "day", "source-id": 2, "field-id": 1000 }
    ])
  })

  it("gives every field, element, key and value its id, and maps their logical type", () => {
    const { header } = decodeAvroFile(encodeManifest(layout, entries), (type) => type)
    const text = header.get("avro.schema") ?? ""
    const ids = Array.from(text.matchAll(/"(?:field|element)-id":(\d+)/g), (match) => Number(match[1]))
    for (const id of [0, 1, 2, 3, 4, 134, 100, 101, 102, 1000, 103, 104, 131, 132, 133, 135, 136, 140]) {
      assert.include(ids, id)
    }
    for (const id of [108, 117, 118, 109, 119, 120, 110, 121, 122, 137, 138, 139, 125, 126, 127, 128, 129, 130]) {
      assert.include(ids, id)
    }
    assert.strictEqual(Array.from(text.matchAll(/"logicalType":"map"/g)).length, 6)
    assert.include(text, '{"type":"int","logicalType":"date"}')
  })

  it("refuses an existing entry without a sequence number", () => {
    const bytes = encodeManifest(layout, [{ ...added("b"), status: "existing" }])
    const manifest = listed(bytes, { addedFilesCount: 0, existingFilesCount: 1, deletedFilesCount: 0 })
    assert.throws(() => decodeManifest(bytes, manifest, layout.partition), /null in an entry that is existing/)
  })

  it("refuses a manifest of another length or with other counts than the list says", () => {
    const bytes = encodeManifest(layout, entries)
    assert.throws(() => decodeManifest(bytes, listed(bytes, { manifestLength: 1n }), layout.partition), /list says 1/)
    assert.throws(() => decodeManifest(bytes, listed(bytes, { addedFilesCount: 2 }), layout.partition), /list says 2/)
  })

  it("keeps partition values of every type", () => {
    const types: ReadonlyArray<readonly [string, PartitionValue]> = [
      ["boolean", true],
      ["int", -5],
      ["long", 2n ** 60n],
      ["float", 0.5],
      ["double", -1.25],
      ["date", -1],
      ["time", 1n],
      ["timestamp", -1n],
      ["timestamptz", 1n],
      ["string", "a/b=c é"],
      ["uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7"],
      ["decimal(9, 2)", -12345n],
      ["decimal(38, 10)", 10n ** 37n],
      ["decimal(9, 2)", 1n],
      ["fixed[2]", Uint8Array.of(1, 2)],
      ["binary", Uint8Array.of(3)]
    ]
    const schema: TableSchema = schemaFromJson(
      {
        type: "struct",
        "schema-id": 0,
        fields: types.map(([type], i) => ({ id: i + 1, name: `c-${i}`, required: false, type }))
      },
      "schema"
    )
    const spec = partitionSpec(
      schema,
      types.map((_, i) => ({ column: `c-${i}`, transform: { _tag: "identity" } }))
    )
    const wide: ManifestLayout = { schema, spec, partition: bindPartitionSpec(spec, schema) }
    for (const partition of [types.map(([, value]) => value), types.map(() => null)]) {
      const entry = { ...added("a"), dataFile: { ...eventFile("a", 0, 0, 1), partition } }
      const bytes = encodeManifest(wide, [entry])
      const manifest = listed(bytes, {
        existingFilesCount: 0,
        deletedFilesCount: 0,
        addedRowsCount: 1n,
        existingRowsCount: 0n,
        deletedRowsCount: 0n,
        partitions: null
      })
      const [read] = decodeManifest(bytes, manifest, wide.partition)
      assert.deepStrictEqual(read?.dataFile.partition, partition)
    }
  })
})

describe("ManifestListCodec", () => {
  it("keeps every field, and an empty list", () => {
    const owner = { snapshotId, parentSnapshotId: null, sequenceNumber: 7n }
    const manifests = [listed(new Uint8Array(9)), listed(new Uint8Array(8), { content: "deletes", partitions: null })]
    assert.deepStrictEqual(decodeManifestList(encodeManifestList(owner, manifests)), manifests)
    assert.deepStrictEqual(decodeManifestList(encodeManifestList(owner, [])), [])
  })
})
