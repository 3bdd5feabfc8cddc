import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { layerLocal, Storage, type StorageShape, type StoredObject } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { layerSqliteCatalog } from "../../src/catalog/SqliteCatalog.ts"
import { DuckDb } from "../../src/io/DuckDb.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { appendRows, upsertRows } from "../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../src/write/change/DeleteRows.ts"
import { createAccounts, load, readAccounts, rowsSql, table } from "../write/change/ChangeFixture.ts"

const far = "s3://far"

/** Local disk that says it is S3: no program but this one finds its files. Copies are there as long as they are asked for. */
const farAway = (near: StorageShape, folder: string): StorageShape => {
  const to = (uri: string) => uri.replace(far, `file://${folder}`)
  const back = (object: StoredObject) => ({ ...object, uri: object.uri.replace(`file://${folder}`, far) })
  let copies = 0
  return {
    read: (uri) => near.read(to(uri)),
    readRange: (uri, offset, length) => near.readRange(to(uri), offset, length),
    localFile: (uri, sizeBytes) =>
      Effect.gen(function* () {
        const path = yield* near.localFile(to(uri), sizeBytes)
        const copy = join(folder, "copies", `${copies++}.parquet`)
        return yield* Effect.acquireRelease(
          Effect.sync(() => {
            copyFileSync(path, copy)
            return copy
          }),
          () => Effect.sync(() => rmSync(copy))
        )
      }),
    writeNew: (uri, bytes) => near.writeNew(to(uri), bytes),
    writeNewAll: (objects) => near.writeNewAll(objects.map(({ bytes, uri }) => ({ bytes, uri: to(uri) }))),
    writeNewFromFile: (uri, path) => Effect.map(near.writeNewFromFile(to(uri), path), back),
    list: (prefix) => Stream.map(near.list(to(prefix)), back),
    delete: (uri) => near.delete(to(uri)),
    stat: (uri) => Effect.map(near.stat(to(uri)), back)
  }
}

const withFar = <A, E>(run: (folder: string) => Effect.Effect<A, E, Layer.Success<ReturnType<typeof layerAt>>>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-far-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
      )
      mkdirSync(join(folder, "copies"))
      return yield* Effect.provide(run(folder), layerAt(folder))
    })
  )

const layerAt = (folder: string) => {
  const storage = Layer.effect(
    Storage,
    Effect.map(Storage, (near) => Storage.of(farAway(near, folder)))
  ).pipe(Layer.provide(layerLocal(folder)))
  const catalog = layerSqliteCatalog({ file: join(folder, "catalog.db"), warehouse: `${far}/warehouse` })
  return Layer.merge(catalog.pipe(Layer.provideMerge(FileIO.layer)), DuckDb.layer({ dataDirectory: folder })).pipe(
    Layer.provideMerge(storage)
  )
}

describe("tables whose files lie elsewhere", () => {
  for (const mode of ["merge-on-read", "copy-on-write"]) {
    it.live(`are read, changed and compacted through copies that go afterwards, ${mode}`, () =>
      withFar((folder) =>
        Effect.gen(function* () {
          yield* createAccounts(
            [],
            [
              ["write.delete.mode", mode],
              ["write.update.mode", mode],
              ["write.merge.mode", mode]
            ]
          )
          const account = (id: number, cents: number) => ({ id, country: "DE", cents })
          yield* appendRows(table, rowsSql([account(1, 100), account(2, 200), account(3, 300)]))
          yield* appendRows(table, rowsSql([account(4, 400)]))
          yield* deleteRows(table, { _tag: "Compare", column: "id", operator: "=", value: 2n })
          yield* upsertRows(table, ["id"], rowsSql([account(3, 333), account(5, 500)]))
          const rows = ["1|DE|1.00", "3|DE|3.33", "4|DE|4.00", "5|DE|5.00"]
          assert.deepStrictEqual(yield* readAccounts(), rows)
          const compacted = yield* compactTable(table, { inputFilesMin: 2 })
          assert.strictEqual(compacted.filesAfter, 1)
          assert.deepStrictEqual(yield* readAccounts(), rows)
          assert.match((yield* load).metadata.location, /^s3:\/\/far\//)
          assert.deepStrictEqual(readdirSync(join(folder, "copies")), [])
        })
      )
    )
  }
})
