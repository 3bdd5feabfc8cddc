/**
 * Tables that Spark, Flink, PyIceberg and DuckDB wrote (`spec/vectors`), read without any of them: rows are those that the tests
 * of DuckDB's reader expect, whole and by a filter on what they are divided by.
 */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { layerLocal, Storage, type StorageShape } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result } from "effect"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import type { ContentFile } from "../../src/spec/DataFile.ts"
import type { ManifestEntry } from "../../src/spec/Manifest.ts"
import type { Filter } from "../../src/read/Filter.ts"
import { filterSql } from "../../src/read/FilterSql.ts"
import { readTable, type ReadOptions } from "../../src/read/ReadTable.ts"
import type { FormatError } from "../../src/spec/FormatError.ts"
import { currentSchema } from "../../src/spec/TableMetadata.ts"
import { tableMetadataFromBytes } from "../../src/spec/TableMetadataJson.ts"
import { vectorsFolder } from "../spec/Vectors.ts"

/** Where the tables say that they lie: paths, for their writers ran in a folder that had them. */
const prefixText = "data/persistent/"
const prefix = /^(?:file:\/\/)?data\/persistent\//

const moved = (near: StorageShape, folder: string): StorageShape => {
  const to = (uri: string) => uri.replace(prefix, `file://${folder}/`)
  return {
    ...near,
    read: (uri) => near.read(to(uri)),
    readRange: (uri, offset, length) => near.readRange(to(uri), offset, length),
    localFile: (uri, sizeBytes) => near.localFile(to(uri), sizeBytes),
    stat: (uri) => near.stat(to(uri))
  }
}

/** Files were made smaller, and paths in manifests shorter, since they were written: their sizes are those on disk. */
const sizesOfFiles = (real: FileIO["Service"], near: StorageShape): FileIO["Service"] => {
  const sizeOf = (uri: string) => Effect.orDie(Effect.map(near.stat(uri), ({ sizeBytes }) => BigInt(sizeBytes)))
  const sized = <Entry extends ManifestEntry<ContentFile>>(entries: ReadonlyArray<Entry>) =>
    Effect.forEach(entries, (entry) =>
      Effect.map(sizeOf(entry.dataFile.filePath), (fileSizeInBytes) => ({
        ...entry,
        dataFile: {
          ...entry.dataFile,
          filePath: entry.dataFile.filePath.replace(prefix, prefixText),
          fileSizeInBytes,
          // so are their columns: those of partitions were taken out
          columnSizes: new Map(),
          valueCounts: entry.dataFile.partition.length === 0 ? entry.dataFile.valueCounts : new Map()
        }
      }))
    )
  return {
    ...real,
    readManifestList: (uri) =>
      Effect.flatMap(real.readManifestList(uri), (manifests) =>
        Effect.forEach(manifests, (manifest) =>
          Effect.map(sizeOf(manifest.manifestPath), (manifestLength) => ({ ...manifest, manifestLength }))
        )
      ),
    readManifest: (...given) => Effect.flatMap(real.readManifest(...given), sized),
    readDeleteManifest: (...given) => Effect.flatMap(real.readDeleteManifest(...given), sized)
  }
}

const layerTables = Layer.unwrap(
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-tables-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    execFileSync("tar", ["xzf", join(vectorsFolder, "duckdb-iceberg-tables.tar.gz"), "-C", folder])
    const storage = Layer.effect(
      Storage,
      Effect.map(Storage, (near) => Storage.of(moved(near, folder)))
    ).pipe(Layer.provide(layerLocal(folder)))
    const fileIO = Layer.effect(
      FileIO,
      Effect.flatMap(FileIO, (real) => Effect.map(Storage, (near) => FileIO.of(sizesOfFiles(real, near))))
    ).pipe(Layer.provide(FileIO.layer))
    return Layer.merge(fileIO, DuckDb.layer({ dataDirectory: folder })).pipe(Layer.provideMerge(storage))
  })
)

/** A table's metadata, with what its authors changed by hand put right. */
const metadataOf = Effect.fnUntraced(function* (uri: string, { changed = [] }: Partial<Case>) {
  const text = new TextDecoder().decode(yield* Storage.use((storage) => storage.read(uri)))
  const json = changed.reduce((so, [from, to]) => so.replaceAll(from, to), text)
  return yield* Effect.try({
    try: () => tableMetadataFromBytes(new TextEncoder().encode(json)),
    // which is all that it throws
    catch: (error) => error as FormatError
  })
})

/** The table of a metadata file: every column as text, sorted. */
const read = Effect.fnUntraced(function* (path: string, options: ReadOptions = {}, as: Partial<Case> = {}) {
  const metadataLocation = `data/persistent/${path}.metadata.json`
  const metadata = yield* metadataOf(metadataLocation, as)
  const table = { identifier: { namespace: "n", name: "t" }, metadataLocation, metadata }
  const columns = (as.columns ?? currentSchema(metadata).fields.map(({ name }) => name)).map((name) => `"${name}"`)
  const texts = columns.map((column) => `ifnull(${column}::VARCHAR, 'NULL')`).join(" || ' ' || ")
  const where = options.filter === undefined ? "" : `WHERE ${filterSql(options.filter, currentSchema(metadata))}`
  const query = `SELECT ${texts} AS line FROM t ${where} ORDER BY ${columns.join(", ")}`
  const { plan, rows } = yield* readTable(table, { query, ...options })
  return { lines: rows.map(({ line }) => line), files: plan.entries.length }
})

const is = (column: string, value: Extract<Filter, { readonly _tag: "Compare" }>["value"]): Filter => ({
  _tag: "Compare",
  column,
  operator: "=",
  value
})

/** Of metadata that has default values and says that it is of version 2, which has none. */
const version3 = [['"format-version": 2', '"format-version": 3, "next-row-id": 0']] as const

interface Case {
  readonly path: string
  readonly lines: ReadonlyArray<string>
  readonly changed?: ReadonlyArray<readonly [from: string, to: string]>
  /** All, unless it is said. */
  readonly columns?: ReadonlyArray<string>
  /** A filter that one file holds, and the row that it leaves. */
  readonly filtered?: readonly [filter: Filter, line: string]
}

const latest = "metadata/v2"
const defaults = (name: string, file: string) => `${name}/default.db/${name}/metadata/${file}`

const partitioned: ReadonlyArray<Case> = [
  {
    path: `partition_bigint/${latest}`,
    lines: ["-9223372036854775808 67890 purchase", "9223372036854775807 12345 click"],
    filtered: [is("partition_col", 9223372036854775807n), "9223372036854775807 12345 click"]
  },
  {
    path: `partition_binary/${latest}`,
    lines: ["\\x01\\x02\\x03 12345 click", "\\xAA\\xBB\\xCC 67890 purchase"],
    filtered: [is("partition_col", Uint8Array.of(0xaa, 0xbb, 0xcc)), "\\xAA\\xBB\\xCC 67890 purchase"]
  },
  {
    path: `partition_bool/${latest}`,
    lines: ["false 67890 purchase", "true 12345 click"],
    filtered: [is("partition_col", true), "true 12345 click"]
  },
  {
    path: "hive_partitioned_table/metadata/v4",
    lines: [
      "2024-01-01 12345 click",
      "2024-01-02 67890 purchase",
      "2024-01-03 13579 view",
      "2024-01-03 24680 click",
      "2024-01-04 86420 view",
      "2024-01-04 97531 purchase"
    ],
    filtered: [is("event_date", 19724), "2024-01-02 67890 purchase"]
  },
  {
    path: `partition_decimal_bigint/${latest}`,
    lines: [
      "-9876.54321098765 222333 view",
      "-5432.10987654321 654321 swipe",
      "-0.12345678901 888999 drag",
      "0.00000000000 987654 pinch",
      "0.00000000001 444555 scroll",
      "1.23456789012 67890 purchase",
      "42.56378901234 12345 click",
      "123.45678901234 123456 drop",
      "1234.54321098765 111213 delete",
      "9999.99999999999 666777 hover"
    ],
    filtered: [is("partition_col", 12345678901234n), "123.45678901234 123456 drop"]
  },
  {
    path: `partition_decimal_hugeint/${latest}`,
    lines: [
      "-1000000000000.00000000000000000001000 246802 rotate",
      "-5432109876.10987654321098765432109 654321 swipe",
      "-9876.54321098765432109876543 222333 view",
      "-2.71828182845904523536029 271828 doubletap",
      "-0.12345678901234567890123 888999 drag",
      "0.00000000000000000000000 987654 pinch",
      "0.00000000000000000000001 444555 scroll",
      "0.50000000000000000000000 975310 tap",
      "1.23456789012345678901234 67890 purchase",
      "3.14159265358979323846264 314159 longpress",
      "42.56378901234567890123456 12345 click",
      "1234.54321098765432109876543 111213 delete",
      "123456789.45678901234567890123456 123456 drop",
      "1000000000000.00000000000000000001000 135790 zoom",
      "9999999999999.99999999999999999999000 666777 hover"
    ],
    filtered: [is("partition_col", 314159265358979323846264n), "3.14159265358979323846264 314159 longpress"]
  },
  {
    path: `partition_decimal_integer/${latest}`,
    lines: ["1.2300 67890 purchase", "42.5630 12345 click", "1234.5432 111213 delete"],
    filtered: [is("partition_col", 425630n), "42.5630 12345 click"]
  },
  {
    path: `partition_decimal_smallint/${latest}`,
    lines: ["1.23 12345 click", "4.56 67890 purchase"],
    filtered: [is("partition_col", 123n), "1.23 12345 click"]
  },
  {
    path: `partition_float/${latest}`,
    lines: ["1.23 12345 click", "4.56 67890 purchase"],
    filtered: [is("partition_col", Math.fround(1.23)), "1.23 12345 click"]
  },
  {
    path: `partition_integer/${latest}`,
    lines: ["42 12345 click", "1337 67890 purchase"],
    filtered: [is("partition_col", 42), "42 12345 click"]
  },
  {
    path: defaults("partition_fixed_length_binary", "00001-b4b3d6d2-cac2-4480-952e-0e4b3b88b5d7"),
    lines: ["fixed value 67890 purchase", "hello world 12345 click"],
    filtered: [is("partition_col", new TextEncoder().encode("hello world")), "hello world 12345 click"]
  },
  {
    path: defaults("partition_time", "00001-44546aa6-1ee5-48c5-9e3b-bc6c0bc0a60c"),
    lines: ["08:21:09 67890 purchase", "12:34:56 12345 click"],
    filtered: [is("partition_col", 45_296_000_000n), "12:34:56 12345 click"]
  },
  {
    path: defaults("partition_timestamp", "00001-0c9938a5-103e-4185-b46d-331368ae4db7"),
    lines: ["2023-05-15 14:30:45 12345 click", "2023-08-22 09:15:20 67890 purchase"],
    filtered: [is("partition_col", 1_684_161_045_000_000n), "2023-05-15 14:30:45 12345 click"]
  },
  {
    path: defaults("partition_timestamptz", "00001-ffeadb58-2a9e-46ba-8b4f-f363f05de68c"),
    lines: ["2023-05-15 14:30:45+00 12345 click", "2023-08-22 09:15:20+00 67890 purchase"],
    filtered: [is("partition_col", 1_684_161_045_000_000n), "2023-05-15 14:30:45+00 12345 click"]
  }
]

const changed: ReadonlyArray<Case> = [
  { path: "equality_deletes/warehouse/mydb/mytable/metadata/v7", lines: ["4 d 2025-01-04", "5 e 2025-01-05"] },
  {
    path: "equality_deletes/warehouse/mydb/mytable_partitioned/metadata/v6",
    lines: ["1 a 2025-01-01", "4 d 2025-01-04", "5 e 2025-01-05"]
  },
  {
    // a vector that is in no Puffin file: it is where its manifest says, and whole
    path: "legacy_bare_deletion_vector/warehouse/default/legacy_bare_deletion_vector/metadata/00002-legacy-bare-dv",
    lines: ["1 legacy", "3 legacy"]
  }
]

const nulls: ReadonlyArray<Case> = [
  {
    path: "null_stats/default/test_nulls/metadata/00003-9d6a621e-8a72-4190-a880-f6ca02e32b86",
    lines: [
      "1 a 2024-03-01 13:33:20+00 true",
      "2 b 2024-03-02 17:20:00+00 false",
      "3 c 2024-03-03 21:06:40+00 true",
      "4 d 2024-03-05 00:53:20+00 NULL",
      "5 e 2024-03-06 04:40:00+00 NULL",
      "6 f 2024-03-07 08:26:40+00 true",
      "7 g 2024-03-08 12:13:20+00 NULL",
      "8 h 2024-03-09 16:00:00+00 NULL",
      "9 i 2024-03-10 19:46:40+00 NULL"
    ]
  },
  {
    path: "is_null_is_not_null/metadata/00001-43ceeb9a-cd0d-4556-b1e2-513b5bf88ff8",
    lines: ["1 NULL", "2 NULL", "3 NULL", "4 foo", "5 bar", "6 baz", "7 NULL", "8 blah"],
    filtered: [is("value", "blah"), "8 blah"]
  },
  {
    path: "map_stats/default.db/map_stats/metadata/00002-0e059d4b-e5e8-41af-a763-76cbf3a3d0bc",
    lines: ["2026-01-01 00:00:00+00 hello world {key=value1}", "2026-01-02 00:00:00+00 hello world {key=value1}"]
  },
  { path: "expression_filter/metadata/00001-19739cda-f528-4429-84cc-377ffdd24c75", lines: ["1 foo", "2 bar", "3 baz"] },
  { path: "custom_write_paths/metadata/00000-acdf842e-3a9d-4b9b-ad87-daf785831925", lines: [] }
]

const versions: ReadonlyArray<Case> = [
  {
    path: "iceberg_v1_deprecated/default/legacy_v1/metadata/v2",
    lines: ["1 alpha 10", "2 beta 20", "3 alpha NULL"],
    filtered: [is("category", "beta"), "2 beta 20"]
  },
  {
    path: "iceberg_v1_repro/repro/merch_v1/metadata/00004-v3-upgraded-v1-null-counts",
    lines: ["2 nba 20", "3 mlb 30", "4 nhl 40", "6 nba 60"]
  },
  {
    path: defaults("add_columns_with_defaults", "00003-3f1801a5-7dfb-4072-b14a-39cd12f9279b"),
    changed: version3,
    columns: ["boolean", "integer", "long", "float", "double", "decimal", "date", "time", "timestamp", "timestamptz"]
      .concat("string", "fixed", "binary")
      .map((type) => `col_${type}`),
    lines: [
      "false 453243 328725092345834 23.34342 23.343424523423433 3423434.23 0011-03-05 12:06:45 0011-03-05 12:06:45 2023-05-15 14:30:45+00 World \\x80\\x00\\x80\\x00\\x80 \\x80\\x00\\x80",
      ...Array.from(
        { length: 2 },
        () =>
          "true 342342 -9223372036854775808 0.34234 0.342343242342342 12345.00 2003-10-20 00:00:00.012345 1970-01-01 00:00:00.012345 1970-01-01 00:00:00.012345+00 HELLO \\x01\\x02\\x03\\xFF\\x03 \\x01\\x02"
      )
    ]
  },
  {
    path: defaults("add_columns_with_defaults_in_struct", "00003-21a957f9-c2ee-431a-9d18-bf257b561198"),
    changed: version3,
    lines: [
      "{'col1': test, 'col_boolean': false, 'col_integer': 453243, 'col_long': 328725092345834, 'col_float': 23.34342, 'col_double': 23.343424523423433, 'col_decimal': 3423434.23, 'col_date': 0011-03-05, 'col_time': '12:06:45', 'col_timestamp': '0011-03-05 12:06:45', 'col_timestamptz': NULL, 'col_string': World, 'col_uuid': NULL, 'col_fixed': NULL, 'col_binary': \\x80\\x00\\x80}",
      "{'col1': test, 'col_boolean': true, 'col_integer': 342342, 'col_long': -9223372036854775808, 'col_float': 0.34234, 'col_double': 0.342343242342342, 'col_decimal': 12345.00, 'col_date': 2003-10-20, 'col_time': '00:00:00.012345', 'col_timestamp': '1970-01-01 00:00:00.012345', 'col_timestamptz': '1970-01-01 00:00:00.012345+00', 'col_string': HELLO, 'col_uuid': f79c3e09-677c-4bbd-a479-3f349cb785e7, 'col_fixed': \\x01\\x02\\x03\\xFF\\x03, 'col_binary': \\x01\\x02}"
    ]
  }
]

const uuids: Case = {
  path: "uuid/metadata/00001-43fda1f4-1c96-4376-ad16-91beb71d0759",
  lines: [
    "1571effb-facd-42a3-90e9-0af522e9b6c2",
    "160a53fe-3d8b-443d-bd36-ad66287f585a",
    "37afa09a-f496-48a8-89a9-61ea7ccd85d5",
    "3ef257b8-e9c6-4c53-9c22-973729e1043f",
    "7fae299c-cf05-4777-9b42-57a52e1415ed",
    "8dc314d8-3fd4-4b3a-8bf5-c008f363c2e4",
    "a217c09f-06fa-4e91-8315-ff44753c4a54",
    "abd6f939-9b99-4e1d-9cda-0dc8ce60a161",
    "e6218567-354b-4a9c-8cd7-3d4b6a2470f8",
    "f9f28465-51cf-45f1-8985-e01d9a82253c"
  ]
}

const mapped: ReadonlyArray<Case> = [
  {
    path: "column_mapping/warehouse/default.db/my_table/metadata/00001-75643dae-a7a7-46ae-ab30-ea80d3793f3f",
    lines: [
      "1 Alice 25 {height=5.5, weight=130} [85, 90] {'email': alice@example.com, 'verified': true}",
      "2 Bob 30 {height=6.0, weight=180} [78, 82, 88] {'email': bob@example.com, 'verified': false}",
      "3 Charlie 35 {height=5.8, weight=160} [92] {'email': charlie@example.com, 'verified': true}"
    ]
  }
]

const suites: ReadonlyArray<readonly [what: string, cases: ReadonlyArray<Case>]> = [
  ["divided by values of every type, which files leave out", partitioned],
  ["with rows deleted by equality and by vectors", changed],
  ["with nulls, maps and no rows at all", nulls],
  ["of versions 1 and 3, and with default values", versions],
  ["of UUIDs", [uuids]],
  ["whose files have no field ids", mapped]
]

describe("tables of other writers", () => {
  for (const [what, cases] of suites) {
    it.live(`are read as their readers' tests expect: ${what}`, () =>
      Effect.gen(function* () {
        for (const each of cases) {
          const { filtered, lines, path } = each
          const all = yield* read(path, {}, each)
          assert.deepStrictEqual<unknown>(all.lines, lines, path)
          if (filtered === undefined) continue
          const [filter, line] = filtered
          const some = yield* read(path, { filter })
          assert.deepStrictEqual(some.lines, [line], path)
          assert.isBelow(some.files, all.files, path)
        }
      }).pipe(Effect.provide(layerTables))
    )
  }

  it.live("find columns by a name mapping as long as it names them", () =>
    Effect.gen(function* () {
      const [first, second] = [6597550917742534971n, 2651609110244230974n]
      for (const [version, snapshotId, where] of [
        ["3", first, "b IS NOT NULL"],
        // b is not in the mapping any more, then nothing is
        ["3.1", first, "b IS NULL"],
        ["3.2", first, "a IS NULL AND b IS NULL"],
        // b is not in the schema any more, then in neither
        ["4", first, "b IS NOT NULL"],
        ["4.1", first, "b IS NULL"],
        // b is another column of the same name
        ["7", second, "b IS NULL"]
      ] as const) {
        const path = `name_mapping/warehouse_1/mydb/t1/metadata/v${version}`
        const query = `SELECT count(*)::INTEGER AS line FROM t WHERE ${where}`
        const { lines } = yield* read(path, { query, asOf: { _tag: "SnapshotId", snapshotId } })
        assert.deepStrictEqual(lines, [10_000], version)
      }
    }).pipe(Effect.provide(layerTables))
  )

  it.live("are refused where they contradict themselves, the format or DuckDB", () =>
    Effect.gen(function* () {
      for (const [path, message] of [
        [
          defaults("add_columns_with_defaults", "00003-3f1801a5-7dfb-4072-b14a-39cd12f9279b"),
          /default value.*version 2/
        ],
        // made by hand: ids beyond 64 bits
        ["equality_delete_extra_column/warehouse/ns/t/metadata/vfinal", /current-snapshot-id/],
        ["equality_delete_cross_partition/warehouse/ns/t/metadata/vfinal", /current-snapshot-id/],
        // counts that contradict the entries
        [
          "iceberg_v1_repro/repro/merch_v1/metadata/00003-8d01e4aa-d143-49c9-898e-b5e477577b70",
          /4 rows that are existing/
        ],
        // names that differ in case only are one name in DuckDB
        [defaults("case_sensitive_names", "00001-a7a3a44c-4aac-4619-bebd-11be37b27351"), /uSeR_Id/]
      ] as const) {
        assert.match((yield* Effect.flip(read(path))).message, message)
      }
      const nanoseconds = yield* Effect.result(read("timestamptz_ns/metadata/v1"))
      if (Result.isFailure(nanoseconds)) assert.match(nanoseconds.failure.message, /timestamptz_ns/)
      else assert.deepStrictEqual(nanoseconds.success.lines, [])
    }).pipe(Effect.provide(layerTables))
  )
})
