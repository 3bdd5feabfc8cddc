/** Table metadata of every format version, as the reference implementation's tests have it. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { tableMetadataFromBytes } from "../../src/spec/TableMetadataJson.ts"
import { currentSchema, defaultSortOrder, defaultSpec } from "../../src/spec/TableMetadata.ts"
import { parseJson } from "../../src/spec/Json.ts"
import { readObject } from "../../src/spec/JsonRead.ts"
import { inlineList, manifestsInline } from "../../src/spec/ManifestsInline.ts"
import { snapshotFromJson, snapshotToJson } from "../../src/spec/Snapshot.ts"

const bytesOf = (name: string) => readFileSync(join(import.meta.dirname, "metadata", `TableMetadata${name}.json`))

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
    const { "table-uuid": _, ...json } = readObject(parseJson(bytesOf("V1Valid").toString()), "metadata")
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

  for (const [name, message] of [
    ["V1MissingSchemaType", /schemas\[0\]\.type/],
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
