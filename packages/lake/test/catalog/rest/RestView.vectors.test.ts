/** Metadata of views as the reference implementations' tests have them: read, or refused for what is wrong. */
import { assert, describe, it } from "@effect/vitest"
import { viewFromJson } from "../../../src/catalog/rest/RestView.ts"
import { vectors } from "../../spec/Vectors.ts"

const identifier = { namespace: "default", name: "event_agg" }
const read = (name: string) =>
  viewFromJson(identifier, { "metadata-location": "s3://b/v1.metadata.json", metadata: vectors(`views/${name}.json`) })

describe("views of other writers", () => {
  it("are read: versions, schemas, texts in several dialects", () => {
    const view = read("ValidViewMetadata")
    assert.deepInclude(view, {
      viewUuid: "fa6506c3-7681-40c8-86dc-e36561f83385",
      location: "s3://bucket/test/location",
      currentVersionId: 2
    })
    assert.deepStrictEqual(
      view.versions.map(({ schemaId, summary, texts, versionId }) => [versionId, schemaId, summary.get("user"), texts]),
      [
        [1, 0, "some-user", [{ sql: "select 'foo' foo", dialect: "spark-sql" }]],
        [2, 0, "some-user", [{ sql: "select 1 id, 'abc' data", dialect: "spark-sql" }]]
      ]
    )
    assert.strictEqual(read("ViewMetadataV1Valid").versions[0]?.defaultNamespace, "default")
    assert.lengthOf(read("ViewMetadataMultipleSQLsForDialect").versions[0]?.texts ?? [], 2)
  })

  for (const [name, message] of [
    ["ViewMetadataMissingLocation", /metadata\.location/],
    ["ViewMetadataMissingCurrentVersion", /current-version-id/],
    ["ViewMetadataV1MissingCurrentVersion", /current-version-id/],
    ["ViewMetadataInvalidCurrentVersion", /no version of this id/],
    ["ViewMetadataV1CurrentVersionNotFound", /no version of this id/],
    ["ViewMetadataInvalidCurrentSchema", /schema-id/],
    ["ViewMetadataV1SchemaNotFound", /schema-id/],
    ["ViewMetadataV1MissingSchema", /current-version-id/],
    ["ViewMetadataUnsupportedVersion", /format version/]
  ] as const) {
    it(`are refused with the reason: ${name}`, () => assert.throws(() => read(name), message))
  }
})
