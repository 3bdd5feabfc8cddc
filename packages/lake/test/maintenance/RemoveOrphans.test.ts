import { existsSync } from "node:fs"
import { localPath, Storage } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { expireSnapshots } from "../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../src/maintenance/RemoveOrphans.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { bindInTable } from "../../src/spec/PartitionSpec.ts"
import { branchAt, mainBranch } from "../../src/spec/Snapshot.ts"
import { currentSchema, currentSnapshot, defaultSpec } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append } from "../../src/write/TableAction.ts"
import { byDay, everythingSchema } from "../write/parquet/WriterCases.ts"
import {
  aged,
  appendRows,
  crashAt,
  createTable,
  figures,
  filesBelow,
  layerLake,
  load,
  rowsAt,
  stray,
  table
} from "./MaintenanceFixture.ts"
import { writeNow } from "../LakeHarness.ts"

const day = 86_400_000

/** The table's files, all older than anything is spared for. */
const ageAll = Effect.gen(function* () {
  for (const uri of yield* filesBelow(yield* load)) yield* aged(uri, 10 * day)
})

/** Another writer's commit: location, list, manifests and files of the current snapshot in its spelling. */
const respelled = Effect.fnUntraced(function* (spell: (uri: string) => string) {
  const catalog = yield* Catalog
  const fileIO = yield* FileIO
  const base = yield* load
  const { metadata } = base
  const parent = currentSnapshot(metadata)
  if (parent === undefined) return assert.fail("no snapshot")
  const partition = bindInTable(defaultSpec(metadata), metadata.schemas)
  const layout = { schema: currentSchema(metadata), spec: defaultSpec(metadata), partition }
  const listed = yield* fileIO.readManifestList(parent.manifestList)
  const manifests = yield* Effect.forEach(listed, (manifest, i) =>
    Effect.gen(function* () {
      const entries = yield* fileIO.readManifest(manifest, partition)
      const spelled = entries.map((entry) => {
        return { ...entry, dataFile: { ...entry.dataFile, filePath: spell(entry.dataFile.filePath) } }
      })
      const manifestPath = spell(`${metadata.location}/metadata/java-m${i}.avro`)
      return {
        ...manifest,
        manifestPath,
        manifestLength: yield* writeNow(fileIO.stageManifest(manifestPath, layout, spelled))
      }
    })
  )
  const sequenceNumber = metadata.lastSequenceNumber + 1n
  const manifestList = spell(`${metadata.location}/metadata/java-list.avro`)
  const owner = { snapshotId: 77n, parentSnapshotId: parent.snapshotId, sequenceNumber }
  yield* writeNow(fileIO.stageManifestList(manifestList, owner, manifests))
  yield* catalog.commit({
    base,
    requirements: [],
    updates: [
      { _tag: "AddSnapshot", snapshot: { ...parent, ...owner, manifestList } },
      { _tag: "SetSnapshotRef", name: mainBranch, ref: branchAt(77n) },
      { _tag: "SetLocation", location: spell(metadata.location) }
    ]
  })
})

describe("removeOrphans", () => {
  it.live("removes old strangers only, as its dry run said", () =>
    Effect.gen(function* () {
      yield* createTable()
      yield* appendRows(0, 10)
      yield* appendRows(10, 10)
      yield* ageAll
      const before = yield* rowsAt()
      const { metadata } = yield* load
      const kept = yield* filesBelow(yield* load)
      const old = [
        yield* stray(`${metadata.location}/data/lost.parquet`, 4 * day),
        yield* stray(`${metadata.location}/metadata/lost-m0.avro`, 4 * day)
      ]
      const young = [
        yield* stray(`${metadata.location}/data/young.parquet`, 2 * day),
        yield* stray(`${metadata.location}/data/from the future.parquet`, -day)
      ]
      const hint = yield* stray(`${metadata.location}/metadata/version-hint.text`, 9 * day)
      const dry = yield* removeOrphans(table, { dryRun: true })
      const real = yield* removeOrphans(table)
      assert.deepStrictEqual(figures({ ...real, filesAfter: 0 }), figures(dry))
      assert.deepInclude(real, { filesBefore: 2, filesAfter: 0, bytesBefore: 10, error: undefined })
      assert.deepStrictEqual(real.removed, old)
      assert.deepStrictEqual(yield* filesBelow(yield* load), [...kept, ...young, hint].sort())
      assert.strictEqual(yield* rowsAt(), before)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("knows a live file however its URI is spelled", () =>
    Effect.gen(function* () {
      yield* createTable()
      const first = yield* appendRows(0, 10, 1)
      const [entry] = (yield* planScan(first.table)).entries
      if (entry === undefined) return assert.fail("no file")
      // a copy of the file, named in another spelling
      const path = localPath(entry.dataFile.filePath)?.replace(/\.parquet$/, "-copy.parquet") ?? ""
      const storage = yield* Storage
      yield* storage.writeNew(`file://${path}`, yield* storage.read(entry.dataFile.filePath))
      const copy = { ...entry.dataFile, filePath: `file://localhost${path}` }
      yield* commitTable({ table, actions: () => Effect.succeed([append([copy])]) })
      yield* ageAll
      assert.deepInclude(yield* removeOrphans(table), { filesBefore: 0 })
      assert.include(yield* filesBelow(yield* load), `file://${path}`)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("refuses a folder with metadata of another table", () =>
    Effect.gen(function* () {
      yield* createTable()
      yield* appendRows(0, 10)
      const { metadata } = yield* load
      yield* stray(`${metadata.location}/data/lost.parquet`, 4 * day)
      const catalog = yield* Catalog
      yield* catalog.dropTable(table)
      yield* createTable()
      yield* ageAll
      const error = yield* Effect.flip(removeOrphans(table))
      assert.strictEqual(error.reason, "LocationInDoubt")
      assert.match(error.message, /metadata of another table/)
      assert.include(yield* filesBelow(yield* load), `${metadata.location}/data/lost.parquet`)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("refuses a folder with metadata that nobody can read: it may be another table's", () =>
    Effect.gen(function* () {
      yield* createTable()
      const { metadata } = yield* load
      const unread = yield* stray(`${metadata.location}/metadata/00007-torn.metadata.json`, 4 * day)
      const error = yield* Effect.flip(removeOrphans(table))
      assert.strictEqual(error.reason, "LocationInDoubt")
      assert.include(error.message, unread)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("takes no table for a former one that the catalog has", () =>
    Effect.gen(function* () {
      const { metadata } = yield* createTable()
      const catalog = yield* Catalog
      const inner = yield* catalog.createTable({
        identifier: { namespace: "test", name: "inner" },
        schema: everythingSchema,
        location: `${metadata.location}/inner`
      })
      const before = yield* filesBelow(yield* load)
      const error = yield* Effect.flip(removeOrphans(table, { formerTables: [inner.metadata.tableUuid] }))
      assert.strictEqual(error.reason, "Invalid")
      assert.match(error.message, /test\.inner is the table of uuid/)
      assert.deepStrictEqual(yield* filesBelow(yield* load), before)
    }).pipe(Effect.provide(layerLake))
  )

  it.live(
    "takes no offence at a table that was never filled, as a crash before its entry leaves it, and spares it",
    () =>
      Effect.gen(function* () {
        yield* createTable()
        const stillborn = (yield* load).metadataLocation
        const catalog = yield* Catalog
        yield* catalog.dropTable(table)
        yield* createTable()
        yield* appendRows(0, 10)
        const { metadata } = yield* load
        const lost = yield* stray(`${metadata.location}/data/lost.parquet`, 4 * day)
        yield* ageAll
        assert.deepInclude(yield* removeOrphans(table), { filesBefore: 1, removed: [lost] })
        assert.include(yield* filesBelow(yield* load), stillborn)
      }).pipe(Effect.provide(layerLake))
  )

  it.live(
    "refuses while the folder holds newer metadata than the catalog, an old copy perhaps, until a commit settles it",
    () =>
      Effect.gen(function* () {
        yield* createTable()
        yield* appendRows(0, 10)
        const { metadata } = yield* load
        const fileIO = yield* FileIO
        const lost = `${metadata.location}/metadata/00002-lost.metadata.json`
        yield* writeNow(fileIO.stageTableMetadata(lost, metadata))
        yield* ageAll
        const error = yield* Effect.flip(removeOrphans(table))
        assert.strictEqual(error.reason, "MetadataAhead")
        assert.match(error.message, /newer than the catalog/)
        // as the message has it: a commit given up is settled by the next one, of a later time
        yield* appendRows(10, 10)
        assert.deepInclude(yield* removeOrphans(table), { filesBefore: 1, removed: [lost] })
      }).pipe(Effect.provide(layerLake))
  )

  it.live("waits for a commit in flight, whose metadata is there before the swap", () =>
    Effect.gen(function* () {
      yield* createTable()
      yield* appendRows(0, 10)
      const { metadata } = yield* load
      const fileIO = yield* FileIO
      // newer by its time; the commit after it is newer still
      const ahead = { ...metadata, lastUpdatedMs: metadata.lastUpdatedMs + 1 }
      yield* writeNow(fileIO.stageTableMetadata(`${metadata.location}/metadata/00001-lost.metadata.json`, ahead))
      const swap = Effect.andThen(Effect.sleep("200 millis"), appendRows(10, 10))
      const [report] = yield* Effect.all([removeOrphans(table), swap], { concurrency: 2 })
      assert.deepInclude(report, { filesBefore: 0 })
    }).pipe(Effect.provide(layerLake))
  )

  it.live("leaves other tables' folders alone, and refuses one that two tables share", () =>
    Effect.gen(function* () {
      const { metadata } = yield* createTable()
      const catalog = yield* Catalog
      const inner = yield* catalog.createTable({
        identifier: { namespace: "test", name: "inner" },
        schema: everythingSchema,
        partitionSpec: byDay,
        location: `${metadata.location}/inner`
      })
      yield* stray(`${inner.metadata.location}/metadata/unknown.avro`, 9 * day)
      yield* ageAll
      assert.deepInclude(yield* removeOrphans(table), { filesBefore: 0 })
      yield* catalog.createTable({
        identifier: { namespace: "test", name: "twin" },
        schema: everythingSchema,
        location: `${metadata.location}/`
      })
      const error = yield* Effect.flip(removeOrphans(table))
      assert.strictEqual(error.reason, "LocationInDoubt")
      assert.match(error.message, /test\.twin lies there too/)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("can be stopped between any two deletes", () =>
    Effect.gen(function* () {
      yield* createTable()
      yield* appendRows(0, 10)
      const { metadata } = yield* load
      const before = yield* rowsAt()
      for (let i = 0; i < 3; i++) yield* stray(`${metadata.location}/data/lost-${i}.parquet`, 4 * day)
      const first = yield* crashAt(removeOrphans(table), 3, "mid-orphan-removal")
      assert.isTrue(first.crashed)
      const second = yield* removeOrphans(table)
      assert.deepInclude(second, { filesBefore: 1, filesAfter: 0 })
      assert.strictEqual(yield* rowsAt(), before)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("protects a table whose metadata is spelled as Java does, and takes what cut-off writes left", () =>
    Effect.gen(function* () {
      yield* createTable()
      yield* appendRows(0, 10)
      yield* appendRows(10, 10)
      const before = yield* rowsAt()
      const kept = (yield* filesBelow(yield* load)).filter((uri) => uri.endsWith(".parquet"))
      yield* respelled((uri) => uri.replace(/^file:\/\//, "file:").replace("/everything/", "//everything/"))
      // from then on only that spelling names them
      yield* expireSnapshots(table, { snapshotAgeMsMax: 0, snapshotsKeptMin: 1 })
      const { metadata } = yield* load
      assert.lengthOf(metadata.snapshots, 1)
      assert.match(metadata.location, /^file:\/[^/]/)
      assert.strictEqual(yield* rowsAt(), before)
      const location = metadata.location.replace(/^file:/, "file://").replace(/\/+$/, "")
      const lost = [
        yield* stray(`${location}/data/lost.parquet`, 4 * day),
        yield* stray(`${location}/data/x.parquet.abc.frazil-part`, 4 * day)
      ]
      const young = yield* stray(`${location}/data/y.parquet.abc.frazil-part`, day)
      const all = (yield* filesBelow(yield* load)).filter((uri) => uri !== young)
      for (const uri of [...all, ...lost]) yield* aged(uri, 10 * day)
      const report = yield* removeOrphans(table)
      assert.deepInclude(report, { filesBefore: 2, filesAfter: 0, removed: lost, error: undefined })
      assert.isTrue(existsSync(localPath(young) ?? ""))
      for (const uri of kept) assert.isTrue(existsSync(localPath(uri) ?? ""), uri)
      assert.strictEqual(yield* rowsAt(), before)
    }).pipe(Effect.provide(layerLake))
  )
})
