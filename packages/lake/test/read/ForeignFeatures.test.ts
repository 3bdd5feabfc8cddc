/**
 * What a table of another writer may have and this library has not, met by who reads the table: Unsupported, with the feature by
 * its name and the file, or the column, that has it. Never a part of the rows.
 */
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { avroLayout, decodeAvroFile, encodeAvroFile } from "../../src/io/avro/AvroFile.ts"
import type { AvroRecord } from "../../src/io/avro/AvroValue.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { parseJson } from "../../src/spec/Json.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { appendRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { folder, layerAt } from "../foreign/ForeignTable.ts"
import { byCountry, createAccounts, load, rowsSql, table } from "../write/change/ChangeFixture.ts"

interface Files {
  readonly metadata: string
  readonly list: string
  readonly manifest: string
  readonly deletes: string
  readonly data: string
  readonly deleted: string
}

/** A table with a data file and position deletes; where its files are. */
const makeTable = Effect.gen(function* () {
  yield* createAccounts(byCountry, [["write.delete.mode", "merge-on-read"]])
  const rows = [1, 2, 3].map((id) => ({ id, country: "de", cents: id }))
  yield* appendRows(table, rowsSql(rows))
  yield* deleteRows(table, { _tag: "Compare", column: "id", operator: "=", value: 2n })
  const loaded = yield* load
  const { manifestList: list } = currentSnapshot(loaded.metadata)!
  const manifests = yield* (yield* FileIO).readManifestList(list)
  const of = (content: string) => manifests.find((each) => each.content === content)!.manifestPath
  const { deletes, entries } = yield* planScan(loaded)
  return {
    metadata: loaded.metadataLocation,
    list,
    manifest: of("data"),
    deletes: of("deletes"),
    data: entries[0]!.dataFile.filePath,
    deleted: [...deletes.values()][0]![0]!.dataFile.filePath
  } satisfies Files
})

/** Writes the records of an Avro file anew, each as `change` has it. */
const changeAvro = (uri: string, change: (record: AvroRecord) => AvroRecord): void => {
  const path = localPath(uri)!
  const { header, values } = decodeAvroFile(Uint8Array.from(readFileSync(path)), (type) => type)
  const rest = new Map([...header].filter(([name]) => !name.startsWith("avro.")))
  const layout = avroLayout(parseJson(header.get("avro.schema")!), (type) => type)
  // a manifest's entries, and a list's, are records
  writeFileSync(
    path,
    encodeAvroFile(
      layout,
      rest,
      values.map((value) => change(value as AvroRecord))
    )
  )
}

/** Writes the files that a manifest names with other facts, and the list with the manifest's new length. */
const changeFiles =
  (of: "manifest" | "deletes", change: AvroRecord) =>
  (files: Files): void => {
    changeAvro(files[of], (entry) => ({ ...entry, data_file: { ...(entry["data_file"] as AvroRecord), ...change } }))
    const length = BigInt(statSync(localPath(files[of])!).size)
    changeAvro(files.list, (each) =>
      each["manifest_path"] === files[of] ? { ...each, manifest_length: length } : each
    )
  }

/** Writes the metadata with another text in it. */
const changeMetadata =
  (...changes: ReadonlyArray<readonly [from: string, to: string]>) =>
  ({ metadata }: Files): void => {
    const path = localPath(metadata)!
    const text = changes.reduce(
      (so, [from, to]) => {
        assert.include(so, from)
        return so.replaceAll(from, to)
      },
      readFileSync(path, "utf8")
    )
    writeFileSync(path, text)
  }

/** As format version 3, which has what version 2 has not. */
const version3 = ['"format-version":2', '"format-version":3,"next-row-id":0'] as const

const countryOf = (type: string) =>
  changeMetadata(version3, [
    '{"id":2,"name":"country","required":false,"type":"string"}',
    `{"id":2,"name":"country","required":false,"type":${type}}`
  ])

interface Feature {
  readonly what: string
  readonly change: (files: Files) => void
  readonly says: RegExp
  /** The file that has it. */
  readonly at: keyof Files
}

const key = Uint8Array.of(1, 2, 3)

const features: ReadonlyArray<Feature> = [
  ...["timestamptz_ns", "variant", "geometry", "geometry(OGC:CRS84)", "geography", "unknown"].map((type): Feature => ({
    what: `a column of type ${type}`,
    change: countryOf(JSON.stringify(type)),
    says: new RegExp(`\\(country\\)\\.type: type ${type.replace(/[()]/g, "\\$&")} `),
    at: "metadata"
  })),
  {
    what: "a variant within a list",
    change: countryOf('{"type":"list","element-id":9,"element":"variant","element-required":false}'),
    says: /\(country\)\.type\.element: type variant /,
    at: "metadata"
  },
  {
    what: "a partition by several columns",
    change: changeMetadata(version3, ['"source-id":2', '"source-ids":[1,2]']),
    says: /partition-specs\[0\]\.fields\[0\].*several columns \(source-ids\)/,
    at: "metadata"
  },
  {
    what: "an order by several columns",
    change: changeMetadata(version3, [
      '"sort-orders":[{"order-id":0,"fields":[]}',
      '"sort-orders":[{"order-id":0,"fields":[]},{"order-id":1,"fields":[{"transform":"bucket[4]","source-ids":[1,2],"direction":"asc","null-order":"nulls-first"}]}'
    ]),
    says: /sort-orders\[1\]\.fields\[0\].*several columns \(source-ids\)/,
    at: "metadata"
  },
  {
    what: "keys of encryption",
    change: changeMetadata(version3, [
      '"partition-specs":',
      '"encryption-keys":[{"key-id":"k","encrypted-key-metadata":"AQID"}],"partition-specs":'
    ]),
    says: /encrypted tables \(encryption-keys\)/,
    at: "metadata"
  },
  {
    what: "a later format version",
    change: changeMetadata(['"format-version":2', '"format-version":4']),
    says: /format version 4/,
    at: "metadata"
  },
  {
    what: "an encrypted manifest",
    change: ({ list, manifest }) =>
      changeAvro(list, (each) => (each["manifest_path"] === manifest ? { ...each, key_metadata: key } : each)),
    says: /an encrypted manifest \(it has key_metadata\)/,
    at: "manifest"
  },
  {
    what: "an encrypted data file",
    change: changeFiles("manifest", { key_metadata: key }),
    says: /an encrypted file \(it has key_metadata\)/,
    at: "data"
  },
  {
    what: "an ORC data file",
    change: changeFiles("manifest", { file_format: "ORC" }),
    says: /a data file of format ORC/,
    at: "data"
  },
  {
    what: "an Avro data file",
    change: changeFiles("manifest", { file_format: "avro" }),
    says: /a data file of format AVRO/,
    at: "data"
  },
  {
    what: "an ORC delete file",
    change: changeFiles("deletes", { file_format: "ORC" }),
    says: /a delete file of format ORC/,
    at: "deleted"
  },
  {
    what: "an encrypted delete file",
    change: changeFiles("deletes", { key_metadata: key }),
    says: /an encrypted file \(it has key_metadata\)/,
    at: "deleted"
  }
]

/** A process that has read nothing yet: the rows of the table. */
const readAt = (path: string) =>
  Effect.gen(function* () {
    const loaded = yield* Catalog.use((catalog) => catalog.loadTable(table))
    return (yield* readTable(loaded, { query: "SELECT id FROM t ORDER BY id" })).rows
  }).pipe(Effect.provide(Layer.fresh(layerAt(path))))

const makeAt = (path: string) => makeTable.pipe(Effect.provide(Layer.fresh(layerAt(path))))

describe("a table with what is not read here", () => {
  it.live("is read when nothing is foreign about it, however it was written anew", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const files = yield* makeAt(path)
      changeFiles("manifest", {})(files)
      changeFiles("deletes", {})(files)
      changeMetadata(version3)(files)
      assert.deepStrictEqual<unknown>(yield* readAt(path), [{ id: "1" }, { id: "3" }])
    }).pipe(Effect.scoped)
  )

  for (const { at, change, says, what } of features) {
    it.live(`is refused by the name of it: ${what}`, () =>
      Effect.gen(function* () {
        const path = yield* folder
        const files = yield* makeAt(path)
        change(files)
        const error = yield* Effect.flip(readAt(path))
        assert.strictEqual(error.reason, "Unsupported", error.message)
        assert.match(error.message, says)
        assert.include(error.message, files[at])
      }).pipe(Effect.scoped)
    )
  }
})
