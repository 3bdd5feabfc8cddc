/** Every wrong fact is found by its kind and, where it follows from files, repaired: made by our codec, told by DuckDB. */
import { rmSync, writeFileSync } from "node:fs"
import { localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { FileIO } from "../../../src/io/FileIO.ts"
import { auditFacts } from "../../../src/maintenance/audit/AuditFacts.ts"
import type { FactKind } from "../../../src/maintenance/audit/FactProblem.ts"
import { repairFacts } from "../../../src/maintenance/audit/RepairFacts.ts"
import type { DataFile } from "../../../src/spec/DataFile.ts"
import type { ManifestEntry, ManifestFile } from "../../../src/spec/Manifest.ts"
import { bindInTable } from "../../../src/spec/PartitionSpec.ts"
import { singleValueToBytes } from "../../../src/spec/SingleValue.ts"
import { currentSchema, currentSnapshot, defaultSpec } from "../../../src/spec/TableMetadata.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { appendRows as appendSql } from "../../../src/write/change/AppendRows.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { append, rewriteManifests, setProperties, setStatistics } from "../../../src/write/TableAction.ts"
import { createAccounts, rowsSql, table as accounts } from "../../write/change/ChangeFixture.ts"
import { appendRows, createTable, layerLake, load, rowsAt, table } from "../MaintenanceFixture.ts"
import { writeNow } from "../../LakeHarness.ts"

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
  const manifestLength = yield* writeNow(fileIO.stageManifest(manifestPath, layout, wrong))
  const rows = wrong.reduce((sum, { dataFile }) => sum + dataFile.recordCount, 0n)
  const sequenceNumber = metadata.lastSequenceNumber + 1n
  const listed = list({ ...manifest!, manifestPath, manifestLength, existingRowsCount: rows, sequenceNumber })
  const manifestList = `${metadata.location}/metadata/wrong-list.avro`
  const owner = { snapshotId: 77n, parentSnapshotId: parent.snapshotId, sequenceNumber }
  yield* writeNow(fileIO.stageManifestList(manifestList, owner, [listed]))
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
})
