/** A lake in memory whose catalog does, or does not, what it is asked, and says nothing of it; and a table with a past in it. */
import { layerMemory } from "@frazil/core"
import { Context, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Catalog, type CatalogShape, type TableCommit } from "../../src/catalog/Catalog.ts"
import { makePointerCatalog } from "../../src/catalog/PointerCatalog.ts"
import type { TablePointers } from "../../src/catalog/TablePointers.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { LakeError } from "../../src/LakeError.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { printJson } from "../../src/spec/Json.ts"
import { partitionSpecToJson } from "../../src/spec/PartitionSpec.ts"
import { schemaToJson } from "../../src/spec/Schema.ts"
import { branchAt } from "../../src/spec/Snapshot.ts"
import { sortOrderToJson } from "../../src/spec/SortOrder.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append, setProperties, setRef, setStatistics, type TableAction } from "../../src/write/TableAction.ts"
import { eventFile } from "../LakeFixtures.ts"
import { createRaw, loadRaw, raw, storedUris } from "../LakeHarness.ts"
import { memoryPointers } from "../catalog/MemoryPointers.ts"

class Pointers extends Context.Service<Pointers, TablePointers>()("test/Pointers") {}

export const layerLake = Layer.effect(
  Catalog,
  Effect.gen(function* () {
    return makePointerCatalog(yield* Pointers, yield* FileIO, "file:///warehouse")
  })
).pipe(
  Layer.provideMerge(Layer.sync(Pointers, memoryPointers)),
  Layer.provideMerge(FileIO.layer),
  Layer.provideMerge(layerMemory)
)

/** What becomes of a commit that is not answered. */
export type Fate =
  | "taken"
  | "taken, then another's"
  | "taken once it was looked for"
  /** The files that a client of a server writes are there. */
  | "lost"
  /** The metadata is there too, which a client of SQLite writes. */
  | "lost before the swap"

export const unknown = new LakeError({ reason: "OutcomeUnknown", message: "the catalog did not answer" })

/** What somebody else commits. */
export const another = commitTable({
  table: raw,
  actions: () => Effect.succeed([append([eventFile("z", 20_000, 0, 1)])])
})

interface Faults {
  /** After the first commit the catalog cannot be asked any more. */
  readonly away?: boolean
  readonly other?: typeof another
}

/** The catalog, whose commits meet their fates in turn. */
export const faultyCatalog = Effect.fnUntraced(function* (
  fates: ReadonlyArray<Fate>,
  { away = false, other = another }: Faults = {}
) {
  const real = yield* Catalog
  const [pointers, fileIO] = [yield* Pointers, yield* FileIO]
  const mute = makePointerCatalog({ ...pointers, swap: () => Effect.fail(unknown) }, fileIO, "file:///warehouse")
  const writes = ({ write }: TableCommit) => write?.([]) ?? Effect.void
  let turn = 0
  let late: Effect.Effect<unknown, LakeError> = Effect.void
  const meet = (commit: TableCommit, fate: Fate | undefined) => {
    switch (fate) {
      case undefined:
        return Effect.andThen(late, real.commit(commit))
      case "taken":
        return Effect.andThen(real.commit(commit), Effect.fail(unknown))
      case "taken, then another's":
        return real
          .commit(commit)
          .pipe(
            Effect.andThen(Effect.provideService(other, Catalog, real)),
            Effect.provideService(FileIO, fileIO),
            Effect.andThen(Effect.fail(unknown))
          )
      case "taken once it was looked for":
        late = Effect.asVoid(real.commit({ ...commit, write: fileIO.write }))
        return Effect.andThen(writes(commit), Effect.fail(unknown))
      case "lost":
        return Effect.andThen(writes(commit), Effect.fail(unknown))
      case "lost before the swap":
        return mute.commit(commit)
    }
  }
  const gone = new LakeError({ reason: "Unavailable", message: "the catalog is away" })
  const faulty: CatalogShape = {
    ...real,
    loadTable: (identifier) => (away && turn > 0 ? Effect.fail(gone) : real.loadTable(identifier)),
    commit: (commit) => Effect.suspend(() => meet(commit, fates[turn++]))
  }
  return faulty
})

/** Runs it while the clock goes on. */
export const whileClockRuns = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const fiber = yield* Effect.forkChild(effect)
  for (let i = 0; i < 200 && fiber.pollUnsafe() === undefined; i++) yield* TestClock.adjust("1 minute")
  return yield* Fiber.join(fiber)
})

export const commit = (action: TableAction, branch = "main") =>
  commitTable({ table: raw, branch, actions: () => Effect.succeed([action]) })

export const file = (name: string) => eventFile(name, 20_000, 0, 10)

/** A table with a past: snapshots, a tag, a branch before its head and one beside it, statistics. */
export const begin = Effect.gen(function* () {
  yield* createRaw
  const first = (yield* commit(append([file("a")]))).snapshot!.snapshotId
  yield* commit(setRef("v1", { ...branchAt(first), type: "tag" }))
  yield* commit(setRef("beside", branchAt(first)))
  yield* commit(append([file("b"), file("c")]))
  const beside = (yield* commit(append([file("y")]), "beside")).snapshot!.snapshotId
  yield* commit(append([file("d")]))
  const ahead = (yield* commit(append([file("x")]), "ahead")).snapshot!.snapshotId
  yield* commit(
    setStatistics("table", {
      "snapshot-id": first,
      "statistics-path": "file:///warehouse/transactions/raw/metadata/first.stats",
      "file-size-in-bytes": 3,
      "file-footer-size-in-bytes": 1,
      "blob-metadata": []
    })
  )
  yield* commit(setProperties(new Map([["owner", "someone"]])))
  const table = yield* loadRaw
  const listed = yield* (yield* FileIO).readManifestList(
    table.metadata.snapshots.find(({ snapshotId }) => snapshotId === table.metadata.currentSnapshotId)!.manifestList
  )
  return { first, beside, ahead, head: table.metadata.currentSnapshotId!, listed }
})

export type Past = Effect.Success<typeof begin>

const linesOf = (entries: Iterable<readonly [string, string]>): ReadonlyArray<string> =>
  Array.from(entries, ([name, value]) => `${name}=${value}`).sort()

/** What the table is, without what chance and the clock say: ids of snapshots are their places in the list. */
export const stateOf = Effect.gen(function* () {
  const { metadata } = yield* loadRaw
  const place = (id: bigint | null) => metadata.snapshots.findIndex(({ snapshotId }) => snapshotId === id)
  const { deletes, entries } = yield* planScan(yield* loadRaw)
  const placed = (text: string) =>
    metadata.snapshots.reduce((said, { snapshotId }, i) => said.replaceAll(String(snapshotId), `#${i}`), text)
  return {
    rows: entries
      .map((entry) =>
        [
          entry.dataFile.filePath,
          entry.dataFile.fileSizeInBytes,
          ...(deletes.get(entry) ?? []).map(({ dataFile }) => dataFile.filePath)
        ].join(" ")
      )
      .sort(),
    snapshots: metadata.snapshots.map(({ operation, parentSnapshotId, sequenceNumber, summary }) => [
      operation,
      place(parentSnapshotId),
      String(sequenceNumber),
      placed(linesOf(summary).join())
    ]),
    refs: linesOf([...metadata.refs].map(([name, ref]) => [name, `${ref.type} ${place(ref.snapshotId)}`])),
    properties: linesOf(metadata.properties),
    schemas: [metadata.currentSchemaId, ...metadata.schemas.map((schema) => printJson(schemaToJson(schema)))],
    specs: [metadata.defaultSpecId, ...metadata.partitionSpecs.map((spec) => printJson(partitionSpecToJson(spec)))],
    orders: [metadata.defaultSortOrderId, ...metadata.sortOrders.map((order) => printJson(sortOrderToJson(order)))],
    statistics: placed(printJson([...metadata.statistics, ...metadata.partitionStatistics])),
    formatVersion: metadata.formatVersion
  }
})

/** Metadata files: those that the table names, and all there are. */
export const metadataFiles = Effect.gen(function* () {
  const { metadata, metadataLocation } = yield* loadRaw
  const fileIO = yield* FileIO
  const named = new Set([metadataLocation, ...metadata.metadataLog.map(({ metadataFile }) => metadataFile)])
  for (const { manifestList } of metadata.snapshots) {
    named.add(manifestList)
    for (const { manifestPath } of yield* fileIO.readManifestList(manifestList)) named.add(manifestPath)
  }
  const stored = yield* storedUris
  return { missing: [...named].filter((uri) => !stored.includes(uri)), others: stored.filter((uri) => !named.has(uri)) }
})
