/** Every wrong fact is found by its kind and, where it follows from files, repaired: made by our codec, told by DuckDB. */
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { FileIO } from "../../../src/io/FileIO.ts"
import { auditFacts } from "../../../src/maintenance/audit/AuditFacts.ts"
import type { FactKind } from "../../../src/maintenance/audit/FactProblem.ts"
import { repairFacts } from "../../../src/maintenance/audit/RepairFacts.ts"
import { planScan } from "../../../src/read/PlanScan.ts"
import type { DataFile, DeleteFile } from "../../../src/spec/DataFile.ts"
import type { ManifestEntry, ManifestFile } from "../../../src/spec/Manifest.ts"
import { bindInTable } from "../../../src/spec/PartitionSpec.ts"
import { singleValueToBytes } from "../../../src/spec/SingleValue.ts"
import { currentSchema, currentSnapshot, defaultSpec } from "../../../src/spec/TableMetadata.ts"
import type { NestedField } from "../../../src/spec/Type.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { appendRows as appendSql } from "../../../src/write/change/AppendRows.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { append, rewriteManifests, setProperties, setStatistics } from "../../../src/write/TableAction.ts"
import { createAccounts, readAccounts, rowsSql, table as accounts } from "../../write/change/ChangeFixture.ts"
import { appendRows, createTable, layerLake, load, rowsAt, table } from "../MaintenanceFixture.ts"

interface Damage {
  /** Of the first file. */
  readonly file?: (file: DataFile) => DataFile
  readonly entry?: (entry: ManifestEntry) => ManifestEntry
  /** What the list says of the one manifest. */
  readonly list?: (manifest: ManifestFile) => ManifestFile
  readonly summary?: ReadonlyArray<readonly [string, string]>
}

const same = <A>(value: A): A => value

/** A writer with a fault: the table's one manifest, its list and a snapshot, with wrong facts in them. */
const damaged = Effect.fnUntraced(function* ({ entry = same, file = same, list = same, summary = [] }: Damage) {
  yield* createTable()
  yield* appendRows(0, 20)
  yield* commitTable({ table, actions: () => Effect.succeed([rewriteManifests({ all: true, summary: new Map() })]) })
  const base = yield* load
  const { metadata } = base
  const fileIO = yield* FileIO
  const parent = currentSnapshot(metadata)!
  const [manifest] = yield* fileIO.readManifestList(parent.manifestList)
  const spec = defaultSpec(metadata)
  const partition = bindInTable(spec, metadata.schemas)
  const entries = yield* fileIO.readManifest(manifest!, partition)
  const wrong = entries.map((each, i) => (i === 0 ? entry({ ...each, dataFile: file(each.dataFile) }) : each))
  const manifestPath = `${metadata.location}/metadata/wrong-m0.avro`
  const layout = { schema: currentSchema(metadata), spec, partition }
  const manifestLength = yield* fileIO.writeManifest(manifestPath, layout, wrong)
  const rows = wrong.reduce((sum, { dataFile }) => sum + dataFile.recordCount, 0n)
  const sequenceNumber = metadata.lastSequenceNumber + 1n
  const listed = list({ ...manifest!, manifestPath, manifestLength, existingRowsCount: rows, sequenceNumber })
  const manifestList = `${metadata.location}/metadata/wrong-list.avro`
  const owner = { snapshotId: 77n, parentSnapshotId: parent.snapshotId, sequenceNumber }
  yield* fileIO.writeManifestList(manifestList, owner, [listed])
  const snapshot = { ...parent, ...owner, manifestList, summary: new Map([...parent.summary, ...summary]) }
  const catalog = yield* Catalog
  yield* catalog.commit({
    base,
    requirements: [],
    updates: [
      { _tag: "AddSnapshot", snapshot },
      { _tag: "SetSnapshotRef", name: "main", ref: { ...metadata.refs.get("main")!, snapshotId: 77n } }
    ]
  })
})

/** Lists the files of the accounts anew, of data or of deletes, with facts that are not so. */
const relisted = Effect.fnUntraced(function* (
  content: ManifestFile["content"],
  wrong: <Entry extends ManifestEntry | ManifestEntry<DeleteFile>>(entry: Entry) => Entry
) {
  const catalog = yield* Catalog
  const base = yield* catalog.loadTable(accounts)
  const { metadata } = base
  const fileIO = yield* FileIO
  const parent = currentSnapshot(metadata)!
  const spec = defaultSpec(metadata)
  const partition = bindInTable(spec, metadata.schemas)
  const layout = { formatVersion: metadata.formatVersion, schema: currentSchema(metadata), spec, partition }
  const listed: Array<ManifestFile> = []
  for (const manifest of yield* fileIO.readManifestList(parent.manifestList)) {
    if (manifest.content !== content) listed.push(manifest)
    else {
      const entries =
        content === "data"
          ? (yield* fileIO.readManifest(manifest, partition)).map(wrong)
          : (yield* fileIO.readDeleteManifest(manifest, partition)).map(wrong)
      const manifestPath = `${metadata.location}/metadata/wrong-${listed.length}.avro`
      const manifestLength = yield* fileIO.writeManifest(manifestPath, layout, entries, content)
      const rows = entries.reduce((sum, { dataFile }) => sum + dataFile.recordCount, 0n)
      listed.push({ ...manifest, manifestPath, manifestLength, addedRowsCount: rows })
    }
  }
  const manifestList = `${metadata.location}/metadata/wrong-list.avro`
  const owner = {
    snapshotId: 77n,
    parentSnapshotId: parent.snapshotId,
    sequenceNumber: metadata.lastSequenceNumber + 1n,
    ...(parent.firstRowId === undefined ? {} : { firstRowId: metadata.nextRowId, addedRows: 0n })
  }
  yield* fileIO.writeManifestList(manifestList, owner, listed)
  yield* catalog.commit({
    base,
    requirements: [],
    updates: [
      { _tag: "AddSnapshot", snapshot: { ...parent, ...owner, manifestList } },
      { _tag: "SetSnapshotRef", name: "main", ref: { ...metadata.refs.get("main")!, snapshotId: 77n } }
    ]
  })
})

const wrongFacts = (wrong: (file: DataFile) => DataFile) =>
  relisted("data", (entry) => ({ ...entry, dataFile: wrong(entry.dataFile as DataFile) })) // of a manifest of data

const wrongDeletes = (wrong: (file: DeleteFile) => DeleteFile) =>
  relisted("deletes", (entry) => ({ ...entry, dataFile: wrong(entry.dataFile as DeleteFile) })) // of a manifest of deletes

const liveDeletes = Effect.gen(function* () {
  const plan = yield* planScan(yield* Catalog.use((catalog) => catalog.loadTable(accounts)))
  return [...plan.deletes.values()].flat().map(({ dataFile }) => dataFile)
})

const kinds = Effect.map(auditFacts(table), ({ problems }) => [...new Set(problems.map(({ kind }) => kind))])

/** Rows of the table before a snapshot that lies about them. */
const truth = Effect.gen(function* () {
  const { metadata } = yield* load
  return yield* rowsAt({ _tag: "SnapshotId", snapshotId: metadata.snapshots[0]?.snapshotId ?? 0n })
})

const swapped = (file: DataFile): DataFile => ({
  ...file,
  lowerBounds: file.upperBounds,
  upperBounds: file.lowerBounds
})

const withCounts = (counts: ReadonlyMap<number, bigint>) =>
  new Map(Array.from(counts, ([id, count]) => [id, count + 1n] as const))

const repairableDamages: ReadonlyArray<readonly [string, Damage, ReadonlyArray<FactKind>]> = [
  [
    "a size that is too small",
    { file: (file) => ({ ...file, fileSizeInBytes: file.fileSizeInBytes - 1n }) },
    ["file-size"]
  ],
  ["too many rows", { file: (file) => ({ ...file, recordCount: file.recordCount + 1n }) }, ["record-count"]],
  [
    "nulls that are none",
    { file: (file) => ({ ...file, nullValueCounts: withCounts(file.nullValueCounts) }) },
    ["value-count"]
  ],
  [
    "values that are none",
    { file: (file) => ({ ...file, valueCounts: withCounts(file.valueCounts) }) },
    ["value-count"]
  ],
  ["bounds the wrong way round", { file: swapped }, ["bounds"]],
  [
    "a list that says too few files",
    { list: (manifest) => ({ ...manifest, existingFilesCount: 0 }) },
    ["manifest-counts"]
  ],
  [
    "a list that says too many rows",
    { list: (manifest) => ({ ...manifest, existingRowsCount: 999n }) },
    ["manifest-counts"]
  ],
  ["a list with another length", { list: (manifest) => ({ ...manifest, manifestLength: 9n }) }, ["manifest-length"]],
  [
    "a list whose least sequence number is too high",
    { list: (manifest) => ({ ...manifest, minSequenceNumber: 3n }) },
    ["manifest-summary"]
  ],
  [
    "a summary of partitions that leaves some out",
    {
      list: (manifest) => {
        const lowerBound = singleValueToBytes({ _tag: "int" }, 99_999)
        return { ...manifest, partitions: manifest.partitions!.map((each) => ({ ...each, lowerBound })) }
      }
    },
    ["manifest-summary"]
  ],
  ["a snapshot that says other totals", { summary: [["total-data-files", "9"]] }, ["summary"]]
]

describe("auditFacts", () => {
  for (const [what, damage, expected] of repairableDamages) {
    it.live(`finds ${what}, says what it would do, and repairs it in one commit`, () =>
      Effect.gen(function* () {
        yield* damaged(damage)
        const rows = yield* truth
        const { metadataLocation } = yield* load
        const dry = yield* repairFacts(table, { dryRun: true })
        assert.deepStrictEqual([...new Set(dry.before.problems.map(({ kind }) => kind))], expected)
        assert.deepStrictEqual(dry.repaired, dry.before.problems)
        assert.strictEqual((yield* load).metadataLocation, metadataLocation)
        const snapshots = (yield* load).metadata.snapshots.length
        const real = yield* repairFacts(table)
        assert.deepStrictEqual([real.repaired, real.after.problems], [dry.repaired, []])
        assert.strictEqual((yield* load).metadata.snapshots.length, snapshots + 1)
        assert.strictEqual(yield* rowsAt(), rows)
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.live("names every column whose bounds are wrong", () =>
    Effect.gen(function* () {
      const wrong: Array<number> = []
      yield* damaged({
        file: (file) => {
          for (const [id, lower] of file.lowerBounds) {
            if (Buffer.compare(lower, file.upperBounds.get(id) ?? lower) !== 0) wrong.push(id)
          }
          return swapped(file)
        }
      })
      const { fields } = currentSchema((yield* load).metadata)
      const { problems } = yield* auditFacts(table)
      const named = new Set(problems.map(({ message }) => / values of (\S+) are /.exec(message)?.[1]))
      const expected = fields.filter(({ id }) => wrong.includes(id)).map(({ name }) => name)
      assert.isAtLeast(expected.length, 6)
      assert.sameMembers([...named], expected)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("finds what cannot be repaired, and leaves it alone", () =>
    Effect.gen(function* () {
      yield* damaged({ entry: (entry) => ({ ...entry, sequenceNumber: 99n, fileSequenceNumber: 98n }) })
      assert.deepStrictEqual(yield* kinds, ["sequence"])
      assert.deepStrictEqual((yield* repairFacts(table)).repaired, [])
    }).pipe(Effect.provide(layerLake))
  )

  it.live("finds files that are missing or no Parquet, and manifests and lists that are gone", () =>
    Effect.gen(function* () {
      yield* damaged({})
      assert.deepStrictEqual(yield* kinds, [])
      const fileIO = yield* FileIO
      const { metadata } = yield* load
      const [manifest] = yield* fileIO.readManifestList(currentSnapshot(metadata)!.manifestList)
      const entries = yield* fileIO.readManifest(manifest!, bindInTable(defaultSpec(metadata), metadata.schemas))
      const [first, second] = entries.map(({ dataFile }) => dataFile)
      rmSync(localPath(first!.filePath)!)
      writeFileSync(localPath(second!.filePath)!, Buffer.alloc(Number(second!.fileSizeInBytes), 7))
      const files = (yield* auditFacts(table)).problems
      assert.deepStrictEqual(
        files.map(({ kind, where }) => [kind, where]),
        [
          ["file", first!.filePath],
          ["file", second!.filePath]
        ]
      )
      rmSync(localPath(metadata.snapshots[0]!.manifestList)!)
      rmSync(localPath(manifest!.manifestPath)!)
      const { problems } = yield* auditFacts(table)
      assert.sameMembers(
        problems.filter(({ kind }) => kind === "manifest").map(({ where }) => where),
        [metadata.snapshots[0]!.manifestList, manifest!.manifestPath]
      )
      const repair = yield* repairFacts(table)
      assert.isTrue(repair.repaired.every(({ kind }) => kind === "summary"))
    }).pipe(Effect.provide(layerLake))
  )

  it.live("finds a file that is there twice, edited marks, and statistics without their file; drops the last", () =>
    Effect.gen(function* () {
      yield* createTable(new Map([["frazil.mark.x.main.0", "old"]]))
      const { snapshot } = yield* appendRows(0, 20, 1)
      const base = yield* load
      const fileIO = yield* FileIO
      const [manifest] = yield* fileIO.readManifestList(snapshot!.manifestList)
      const partition = bindInTable(defaultSpec(base.metadata), base.metadata.schemas)
      const [entry] = yield* fileIO.readManifest(manifest!, partition)
      const statistics = {
        "snapshot-id": snapshot!.snapshotId,
        "statistics-path": `${base.metadata.location}/metadata/gone.stats`,
        "file-size-in-bytes": 10
      }
      const mark = new Map([["frazil.mark.x.main.0", "true"]])
      yield* commitTable({
        table,
        actions: () => Effect.succeed([append([entry!.dataFile], mark), setStatistics("table", statistics)])
      })
      assert.deepStrictEqual(yield* kinds, ["marks", "statistics", "path"])
      const { after, repaired } = yield* repairFacts(table)
      assert.deepStrictEqual(
        [repaired, after.problems].map((problems) => problems.map(({ kind }) => kind)),
        [["statistics"], ["marks", "path"]]
      )
      yield* commitTable({ table, actions: () => Effect.succeed([setProperties(mark)]) })
      assert.deepStrictEqual(yield* kinds, ["path"])
    }).pipe(Effect.provide(layerLake))
  )

  it.live("finds nothing in a table with position deletes and partitions by text, one of them null", () =>
    Effect.gen(function* () {
      yield* createAccounts(
        [{ column: "country", transform: { _tag: "identity" } }],
        [["write.delete.mode", "merge-on-read"]]
      )
      const rows = Array.from({ length: 20 }, (_, id) => ({
        id,
        country: id % 3 === 0 ? null : `c${id % 3}`,
        cents: id
      }))
      yield* appendSql(accounts, rowsSql(rows))
      yield* deleteRows(accounts, { _tag: "Compare", column: "id", operator: "<", value: 4n })
      const report = yield* auditFacts(accounts)
      assert.deepStrictEqual([report.problems, report.manifests], [[], 2])
    }).pipe(Effect.provide(layerLake))
  )

  it.live("finds wrong bounds and counts within structs, and repairs them", () =>
    Effect.gen(function* () {
      const place: NestedField = {
        id: 2,
        name: "place",
        required: false,
        type: {
          _tag: "struct",
          fields: [
            { id: 3, name: "city", required: false, type: { _tag: "string" } },
            {
              id: 4,
              name: "at",
              required: false,
              type: { _tag: "struct", fields: [{ id: 5, name: "lat", required: false, type: { _tag: "double" } }] }
            }
          ]
        }
      }
      const id: NestedField = { id: 1, name: "id", required: true, type: { _tag: "long" } }
      const schema = { schemaId: 0, identifierFieldIds: [], fields: [id, place] }
      yield* Catalog.use((catalog) => catalog.createTable({ identifier: accounts, schema }))
      const rows = `SELECT 1 AS id, {'city': 'b', 'at': {'lat': 1.5}} AS place UNION ALL SELECT 2, NULL
        UNION ALL SELECT 3, {'city': NULL, 'at': NULL} UNION ALL SELECT 4, {'city': 'd', 'at': {'lat': NULL}}`
      yield* appendSql(accounts, rows)
      assert.deepStrictEqual((yield* auditFacts(accounts)).problems, [])
      yield* wrongFacts((file) => ({
        ...file,
        lowerBounds: new Map([
          ...file.lowerBounds,
          [3, Buffer.from("c")],
          [5, singleValueToBytes({ _tag: "double" }, 2)]
        ]),
        nullValueCounts: new Map([...file.nullValueCounts, [5, 0n]])
      }))
      const found = (yield* auditFacts(accounts)).problems.map(({ kind, message }) => `${kind} ${message}`)
      assert.deepStrictEqual(found.sort(), [
        "bounds 1 values of place.at.lat are below its lower bound",
        "bounds 1 values of place.city are below its lower bound",
        "value-count its manifest says 0 nulls of place.at.lat, it has 3"
      ])
      assert.deepStrictEqual((yield* repairFacts(accounts)).after.problems, [])
    }).pipe(Effect.provide(layerLake))
  )
})

/** What is wrong of the vectors in the one file that has them, and whether it can be told what would be right. */
const vectorDamages: ReadonlyArray<
  readonly [
    what: string,
    damage: (file: DeleteFile) => DeleteFile,
    expected: ReadonlyArray<FactKind>,
    repaired: boolean
  ]
> = [
  ["other rows than they have", (file) => ({ ...file, recordCount: file.recordCount + 1n }), ["record-count"], true],
  [
    "another place than they have",
    (file) => ({ ...file, contentOffset: file.contentOffset! + 1n }),
    ["vector-place"],
    true
  ],
  [
    "another length than they have",
    (file) => ({ ...file, contentSizeInBytes: file.contentSizeInBytes! - 1n }),
    ["vector-place"],
    true
  ],
  [
    "another size of their file",
    (file) => ({ ...file, fileSizeInBytes: file.fileSizeInBytes + 7n }),
    ["file-size"],
    true
  ],
  [
    "a data file that is none of theirs",
    (file) => ({ ...file, referencedDataFile: `${file.referencedDataFile}x` }),
    ["vector"],
    false
  ]
]

describe("deletion vectors", () => {
  const rows = Array.from({ length: 40 }, (_, id) => ({ id, country: id % 2 === 0 ? "de" : "fr", cents: id }))
  const vectored = Effect.gen(function* () {
    yield* createAccounts(
      [{ column: "country", transform: { _tag: "identity" } }],
      [
        ["format-version", "3"],
        ["write.delete.mode", "merge-on-read"]
      ]
    )
    yield* appendSql(accounts, rowsSql(rows))
    yield* deleteRows(accounts, { _tag: "Compare", column: "id", operator: "<", value: 7n })
  })

  for (const [what, damage, expected, repaired] of vectorDamages) {
    it.live(`of which manifests say ${what} are found${repaired ? ", and repaired" : ""}`, () =>
      Effect.gen(function* () {
        yield* vectored
        const seen = yield* readAccounts()
        assert.deepStrictEqual((yield* auditFacts(accounts)).problems, [])
        yield* wrongDeletes(damage)
        const { after, before } = yield* repairFacts(accounts)
        // of both vectors in the file
        assert.deepStrictEqual(
          before.problems.map(({ kind }) => kind),
          [...expected, ...expected]
        )
        assert.isTrue(before.problems.every(({ where }) => where.endsWith(".puffin")))
        if (!repaired) return assert.deepStrictEqual(after.problems, before.problems)
        assert.deepStrictEqual(after.problems, [])
        assert.deepStrictEqual(yield* readAccounts(), seen)
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.live("whose bytes are damaged, or whose file is no Puffin file, are told and left alone", () =>
    Effect.gen(function* () {
      yield* vectored
      const [file] = yield* liveDeletes
      const path = localPath(file!.filePath)!
      const bytes = readFileSync(path)
      const damagedBytes = Uint8Array.from(bytes)
      damagedBytes[Number(file!.contentOffset) + 12]! ^= 1
      for (const [written, message] of [
        [damagedBytes, /deletion vector/],
        [Buffer.alloc(bytes.length, 7), /does not end with PFA1/]
      ] as const) {
        writeFileSync(path, written)
        const { after, repaired } = yield* repairFacts(accounts)
        assert.deepStrictEqual(repaired, [])
        assert.isAtLeast(after.problems.length, 1)
        for (const { kind, message: told } of after.problems) {
          assert.strictEqual(kind, "file")
          assert.match(told, message)
        }
      }
    }).pipe(Effect.provide(layerLake))
  )
})
