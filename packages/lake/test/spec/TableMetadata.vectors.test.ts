/** Table metadata of every format version, as the reference implementation's tests have it. */
import { assert, describe, it } from "@effect/vitest"
import { tableMetadataFromBytes, tableMetadataToBytes } from "../../src/spec/TableMetadataJson.ts"
import { currentSchema, currentSnapshot, defaultSortOrder, defaultSpec } from "../../src/spec/TableMetadata.ts"
import { unzipMetadata } from "../../src/io/UnzipMetadata.ts"
import { parseJson, printJson } from "../../src/spec/Json.ts"
import { readObject } from "../../src/spec/JsonRead.ts"
import { inlineList, manifestsInline } from "../../src/spec/ManifestsInline.ts"
import { snapshotFromJson, snapshotToJson } from "../../src/spec/Snapshot.ts"

import { vectorBytes } from "./Vectors.ts"

const bytesOf = (name: string) => vectorBytes(`metadata/TableMetadata${name}.json`)

describe("table metadata of other writers", () => {
  it("has in version 1 what version 2 requires, from its singular forms", () => {
    const metadata = tableMetadataFromBytes(bytesOf("V1Valid"))
    assert.strictEqual(metadata.formatVersion, 1)
    assert.strictEqual(metadata.lastSequenceNumber, 0n)
    assert.deepStrictEqual(
      currentSchema(metadata).fields.map(({ id, name }) => [id, name]),
      [
        [1, "x"],
        [2, "y"],
        [3, "z"]
      ]
    )
    assert.deepStrictEqual(defaultSpec(metadata).fields, [
      { sourceId: 1, fieldId: 1000, name: "x", transform: { _tag: "identity" } }
    ])
    assert.strictEqual(metadata.lastPartitionId, 1000)
    assert.deepStrictEqual(defaultSortOrder(metadata), { orderId: 0, fields: [] })
    assert.isNull(metadata.currentSnapshotId)
  })

  it("gives a table of version 1 without UUID the same one each time, and another for another location", () => {
    const { "table-uuid": _, ...json } = readObject(parseJson(new TextDecoder().decode(bytesOf("V1Valid"))), "metadata")
    const uuidAt = (location: string) =>
      tableMetadataFromBytes(Buffer.from(JSON.stringify({ ...json, location }))).tableUuid
    assert.match(uuidAt("s3://a"), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.strictEqual(uuidAt("s3://a"), uuidAt("s3://a"))
    assert.notStrictEqual(uuidAt("s3://a"), uuidAt("s3://b"))
  })

  it("keeps the manifests that a snapshot names itself", () => {
    const json = { "snapshot-id": 1, "timestamp-ms": 2, manifests: ["s3://b/m 1.avro", 's3://b/ü,"m".avro'] }
    const snapshot = snapshotFromJson(json, "snapshot")
    assert.deepStrictEqual(manifestsInline(snapshot.manifestList), json.manifests)
    assert.deepStrictEqual(snapshotToJson(snapshot)["manifests"], json.manifests)
    assert.isUndefined(manifestsInline("s3://b/snap.avro"))
    assert.deepStrictEqual(manifestsInline(inlineList([])), [])
  })

  it("has of the least version 2 what it need not have", () => {
    const metadata = tableMetadataFromBytes(bytesOf("V2ValidMinimal"))
    assert.deepInclude(metadata, { lastColumnId: 3, lastPartitionId: 1000, snapshots: [], currentSnapshotId: null })
    assert.strictEqual(metadata.properties.size, 0)
  })

  it("has of version 1 the schema that `schema` says, and the newest spec, where ids in force are left out", () => {
    const schema = tableMetadataFromBytes(bytesOf("V1SchemasWithoutCurrentId"))
    assert.strictEqual(currentSchema(schema).schemaId, 0)
    const spec = tableMetadataFromBytes(bytesOf("V1PartitionSpecsWithoutDefaultId"))
    assert.deepStrictEqual([defaultSpec(spec).specId, defaultSpec(spec).fields[0]?.name], [2, "y"])
  })

  it("is read of a table of version 1 that an engine in the cloud writes", () => {
    const metadata = tableMetadataFromBytes(bytesOf("V1Compat"))
    assert.strictEqual(metadata.currentSnapshotId, 917896971991367610n)
    assert.strictEqual(currentSnapshot(metadata)?.summary.get("total-records"), "3")
    assert.strictEqual(metadata.metadataLog.length, 1)
  })

  it("keeps statistics files of tables and partitions when it is written again", () => {
    for (const [name, key, paths] of [
      ["StatisticsFiles", "statistics", ["s3://a/b/stats.puffin"]],
      ["PartitionStatisticsFiles", "partitionStatistics", ["s3://a/b/partition-stats.parquet"]],
      [
        "V3WithPartitionStatistics",
        "partitionStatistics",
        [3051729675574597004n, 3055729675574597004n].map(
          (id) => `s3://bucket/test/location/metadata/partition-stats/snap-${id}.parquet`
        )
      ]
    ] as const) {
      const metadata = tableMetadataFromBytes(bytesOf(name))
      const pathsOf = (read: typeof metadata) =>
        read[key].map((each) => readObject(each, "statistics file")["statistics-path"])
      assert.deepStrictEqual<unknown>(pathsOf(metadata), paths, name)
      assert.deepStrictEqual<unknown>(pathsOf(tableMetadataFromBytes(tableMetadataToBytes(metadata))), paths, name)
    }
  })

  it("is read when it is compressed with gzip, whatever its name", () => {
    const metadata = tableMetadataFromBytes(unzipMetadata(vectorBytes("metadata/lineitem.metadata.json.gz")))
    assert.deepInclude(metadata, { formatVersion: 1, location: "./lineitem_iceberg_gz", lastColumnId: 16 })
    const cut = vectorBytes("metadata/lineitem.metadata.json.gz").slice(0, 400)
    assert.throws(() => unzipMetadata(cut), /does not unpack/)
    const zstd = vectorBytes("metadata/TableMetadataV2Valid.metadata.json.zst")
    assert.throws(() => unzipMetadata(zstd), /compressed with zstd: gzip is read here/)
  })

  it("is refused when it has no schema that is in force", () => {
    const json = readObject(parseJson(new TextDecoder().decode(bytesOf("V2CurrentSchemaNotFound"))), "metadata")
    const bytes = new TextEncoder().encode(printJson({ ...json, "last-partition-id": 1000 }))
    assert.throws(() => tableMetadataFromBytes(bytes), /schema 2 is not in it/)
  })

  for (const [name, message] of [
    ["V1MissingSchemaType", /schemas\[0\]\.type/],
    ["V1NoValidSchema", /current-schema-id/],
    ["V2CurrentSchemaNotFound", /last-partition-id/],
    ["V3ValidEncryption", /encryption-keys/],
    ["V2MissingSchemas", /schemas/],
    ["V2MissingPartitionSpecs", /partition-specs/],
    ["V2MissingSortOrder", /sort-orders/],
    ["V2MissingLastPartitionId", /last-partition-id/],
    ["UnsupportedVersion", /format version \d+: tables of versions 1 to 3/]
  ] as const) {
    it(`is refused with its reason: ${name}`, () => {
      assert.throws(() => tableMetadataFromBytes(bytesOf(name)), message)
    })
  }
})
