/**
 * A lake in memory for tests: storage, metadata files and a SQLite catalog, with `transactions.raw` in it.
 */
import { Storage, layerMemory } from "@frazil/core"
import { Effect, Layer, Stream } from "effect"
import { Catalog, type Table } from "../src/catalog/Catalog.ts"
import { layerSqliteCatalog } from "../src/catalog/SqliteCatalog.ts"
import { FileIO } from "../src/io/FileIO.ts"
import type { StagedFile } from "../src/io/StagedFile.ts"
import type { LakeError } from "../src/LakeError.ts"
import type { DataFile } from "../src/spec/DataFile.ts"
import { commitTable, type Committed } from "../src/write/CommitTable.ts"
import { append } from "../src/write/TableAction.ts"
import { eventSchema, eventSpec } from "./LakeFixtures.ts"

export const raw = { namespace: "transactions", name: "raw" }

/** Everything the lake needs; the catalog's file dies with the layer. */
export const layerLake: Layer.Layer<Catalog | FileIO | Storage, LakeError> = layerSqliteCatalog({
  file: ":memory:",
  warehouse: "file:///warehouse"
}).pipe(Layer.provideMerge(FileIO.layer), Layer.provideMerge(layerMemory))

export const createRaw: Effect.Effect<Table, LakeError, Catalog> = Catalog.use((catalog) =>
  catalog.createTable({ identifier: raw, schema: eventSchema, partitionSpec: eventSpec })
)

export const loadRaw: Effect.Effect<Table, LakeError, Catalog> = Catalog.use((catalog) => catalog.loadTable(raw))

export const appendRaw = (files: ReadonlyArray<DataFile>): Effect.Effect<Committed, LakeError, Catalog | FileIO> =>
  commitTable({ table: raw, actions: () => Effect.succeed([append(files)]) })

/** URIs of everything in storage, sorted. */
export const storedUris: Effect.Effect<ReadonlyArray<string>, never, Storage> = Storage.use((storage) =>
  Stream.runCollect(storage.list("file:///")).pipe(
    Effect.map((objects) => objects.map((object) => object.uri).sort()),
    Effect.orDie
  )
)

/** Writes a file that was staged, by itself; gives its size. */
export const writeNow = (staging: Effect.Effect<StagedFile>): Effect.Effect<bigint, LakeError, FileIO> =>
  Effect.gen(function* () {
    const file = yield* staging
    yield* (yield* FileIO).write([file])
    return BigInt(file.bytes.length)
  })
