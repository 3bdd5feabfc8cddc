/** What other writers' tables may have and this library has not: each is refused by its name, before anything is read wrongly. */
import { assert, describe, it } from "@effect/vitest"
import { avroLayout, decodeAvroFile, encodeAvroFile } from "../../src/io/avro/AvroFile.ts"
import type { AvroRecord } from "../../src/io/avro/AvroValue.ts"
import { decodeManifest, encodeManifest, type ManifestLayout } from "../../src/io/ManifestCodec.ts"
import { decodeManifestList, encodeManifestList } from "../../src/io/ManifestListCodec.ts"
import { parseJson } from "../../src/spec/Json.ts"
import type { ManifestFile } from "../../src/spec/Manifest.ts"
import { bindPartitionSpec } from "../../src/spec/PartitionSpec.ts"
import { primitiveFromText } from "../../src/spec/Type.ts"
import { eventFile, eventSchema, eventSpec } from "../LakeFixtures.ts"

const layout: ManifestLayout = {
  schema: eventSchema,
  spec: eventSpec,
  partition: bindPartitionSpec(eventSpec, eventSchema)
}

const list: ManifestFile = {
  manifestPath: "file:///m.avro",
  manifestLength: 0n,
  partitionSpecId: 0,
  content: "data",
  sequenceNumber: 1n,
  minSequenceNumber: 1n,
  addedSnapshotId: 1n,
  addedFilesCount: 1,
  existingFilesCount: 0,
  deletedFilesCount: 0,
  addedRowsCount: 10n,
  existingRowsCount: 0n,
  deletedRowsCount: 0n,
  partitions: null,
  keyMetadata: null
}

/** A manifest of one file, with other values in its `data_file`. */
const decodeWith = (change: AvroRecord) => {
  const entry = {
    status: "added" as const,
    snapshotId: 1n,
    sequenceNumber: null,
    fileSequenceNumber: null,
    dataFile: eventFile("a", 20_000, 0, 10)
  }
  const { header, values } = decodeAvroFile(encodeManifest(layout, [entry]), (type) => type)
  const changed = values.map((value) => {
    const record = value as AvroRecord // a manifest's entries are records
    return { ...record, data_file: { ...(record["data_file"] as AvroRecord), ...change } }
  })
  const rest = new Map([...header].filter(([name]) => !name.startsWith("avro.")))
  const bytes = encodeAvroFile(
    avroLayout(parseJson(header.get("avro.schema")!), (type) => type),
    rest,
    changed
  )
  return decodeManifest(bytes, { ...list, manifestLength: BigInt(bytes.length) }, layout.partition)
}

describe("what is not read here", () => {
  it("is read when nothing is foreign about it", () => {
    assert.lengthOf(decodeWith({}), 1)
  })

  for (const [what, change, message] of [
    ["Avro data files", { file_format: "AVRO" }, /a data file of format AVRO; Parquet is read here/],
    ["ORC data files", { file_format: "orc" }, /a data file of format ORC; Parquet is read here/],
    ["encrypted data files", { key_metadata: Uint8Array.of(1) }, /an encrypted file \(it has key_metadata\)/],
    ["delete files among data files", { content: 1 }, /a delete file among data files/]
  ] as const) {
    it(`is said of ${what}`, () => {
      assert.throws(() => decodeWith(change), message)
    })
  }

  it("is said of encrypted manifests", () => {
    const owner = { snapshotId: 1n, parentSnapshotId: null, sequenceNumber: 1n }
    const bytes = encodeManifestList(owner, [{ ...list, keyMetadata: Uint8Array.of(1) }])
    assert.throws(() => decodeManifestList(bytes), /manifest 0: an encrypted manifest \(it has key_metadata\)/)
  })

  it("is said of types by their names", () => {
    for (const type of ["variant", "geometry", "geography(srid:4326, spherical)"]) {
      assert.throws(() => primitiveFromText(type, "column"), type)
    }
  })
})
