import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Stream } from "effect"
import { localPath, normaliseUri } from "../../src/storage/FileUri.ts"
import { layerLocal } from "../../src/storage/LocalStorage.ts"
import { layerMemory } from "../../src/storage/MemoryStorage.ts"
import { Storage } from "../../src/storage/Storage.ts"
import type { StorageError } from "../../src/storage/StorageError.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-storage-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const reasonOf = <A>(effect: Effect.Effect<A, StorageError>) => Effect.map(Effect.flip(effect), (error) => error.reason)

const layers: ReadonlyArray<readonly [string, (root: string) => Layer.Layer<Storage>]> = [
  ["local disk", layerLocal],
  ["memory", () => layerMemory]
]

for (const [name, layer] of layers) {
  const withStorage = <A, E>(run: (storage: Storage["Service"], root: string) => Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const root = yield* folder
      return yield* Effect.flatMap(Storage, (storage) => run(storage, root)).pipe(Effect.provide(layer(root)))
    })

  describe(`Storage on ${name}`, () => {
    it.effect("keeps what was written, whole and by range", () =>
      withStorage((storage, root) =>
        Effect.gen(function* () {
          const uri = `file://${root}/a/b/c.bin`
          yield* storage.writeNew(uri, bytes("0123456789"))
          assert.deepStrictEqual(yield* storage.read(uri), bytes("0123456789"))
          assert.deepStrictEqual(yield* storage.readRange(uri, 3, 4), bytes("3456"))
          assert.strictEqual((yield* storage.stat(uri)).sizeBytes, 10)
          assert.strictEqual(yield* reasonOf(storage.readRange(uri, 8, 4)), "Corrupt")
        })
      )
    )

    it.effect("never replaces an object, also by another spelling of its URI", () =>
      withStorage((storage, root) =>
        Effect.gen(function* () {
          yield* storage.writeNew(`file://${root}/x`, bytes("first"))
          assert.strictEqual(yield* reasonOf(storage.writeNew(`file:${root}/./x`, bytes("second"))), "AlreadyExists")
          assert.deepStrictEqual(yield* storage.read(`file:${root}/x`), bytes("first"))
        })
      )
    )

    it.effect("lets exactly one of many concurrent writers create an object", () =>
      withStorage((storage, root) =>
        Effect.gen(function* () {
          const writes = Array.from({ length: 8 }, (_, i) => storage.writeNew(`file://${root}/one`, bytes(`${i}`)))
          const results = yield* Effect.all(writes, { concurrency: "unbounded", mode: "result" })
          assert.strictEqual(results.filter((result) => result._tag === "Success").length, 1)
          const winner = results.findIndex((result) => result._tag === "Success")
          assert.deepStrictEqual(yield* storage.read(`file://${root}/one`), bytes(`${winner}`))
        })
      )
    )

    it.effect("takes over a finished local file, once", () =>
      withStorage((storage, root) =>
        Effect.gen(function* () {
          const path = join(root, "finished.tmp")
          writeFileSync(path, "parquet")
          const stored = yield* storage.writeNewFromFile(`file://${root}/data/f.parquet`, path)
          assert.strictEqual(stored.uri, `file://${root}/data/f.parquet`)
          assert.strictEqual(stored.sizeBytes, 7)
          assert.isFalse(readdirSync(root).includes("finished.tmp"))
          assert.deepStrictEqual(yield* storage.read(stored.uri), bytes("parquet"))
          writeFileSync(path, "other")
          assert.strictEqual(yield* reasonOf(storage.writeNewFromFile(stored.uri, path)), "AlreadyExists")
        })
      )
    )

    it.effect("lists by prefix, folders included or cut short", () =>
      withStorage((storage, root) =>
        Effect.gen(function* () {
          for (const path of ["t/a-1", "t/a-2", "t/b", "t/a/deep/er", "ta"]) {
            yield* storage.writeNew(`file://${root}/${path}`, bytes(path))
          }
          const list = (prefix: string) =>
            Stream.runCollect(storage.list(`file://${root}/${prefix}`)).pipe(
              Effect.map((found) => found.map((object) => object.uri.slice(`file://${root}/`.length)).sort())
            )
          assert.deepStrictEqual(yield* list("t/"), ["t/a-1", "t/a-2", "t/a/deep/er", "t/b"])
          assert.deepStrictEqual(yield* list("t/a"), ["t/a-1", "t/a-2", "t/a/deep/er"])
          assert.deepStrictEqual(yield* list("t"), ["t/a-1", "t/a-2", "t/a/deep/er", "t/b", "ta"])
          assert.deepStrictEqual(yield* list("nothing/here/"), [])
        })
      )
    )

    it.effect("says NotFound for what is missing, and deletes it without complaint", () =>
      withStorage((storage, root) =>
        Effect.gen(function* () {
          const uri = `file://${root}/gone`
          assert.strictEqual(yield* reasonOf(storage.read(uri)), "NotFound")
          assert.strictEqual(yield* reasonOf(storage.stat(uri)), "NotFound")
          yield* storage.delete(uri)
          yield* storage.writeNew(uri, bytes("x"))
          yield* storage.delete(uri)
          assert.strictEqual(yield* reasonOf(storage.read(uri)), "NotFound")
        })
      )
    )
  })
}

describe("Storage on local disk only", () => {
  it.effect("leaves no temporary file behind, hides those of a crash, and stays below its root", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const storage = yield* Effect.provide(Storage, layerLocal(join(root, "warehouse")))
      yield* storage.writeNew(`file://${root}/warehouse/x`, bytes("x"))
      yield* Effect.flip(storage.writeNew(`file://${root}/warehouse/x`, bytes("y")))
      assert.deepStrictEqual(readdirSync(join(root, "warehouse")), ["x"])
      writeFileSync(join(root, "warehouse", "y.abc.frazil-part"), "torn")
      const listed = yield* Stream.runCollect(storage.list(`file://${root}/`))
      assert.deepStrictEqual(
        listed.map((object) => object.uri),
        [`file://${root}/warehouse/x`]
      )
      const outside = yield* Effect.flip(storage.writeNew(`file://${root}/warehouse/../escape`, bytes("z")))
      assert.match(outside.message, /outside/)
      assert.deepStrictEqual(readdirSync(root), ["warehouse"])
    })
  )
})

describe("FileUri", () => {
  const spellings = ["file:///a/b", "file:/a/b", "/a/b", "file://localhost/a/b", "file:///a//./c/../b", "file:///a/b/"]
  for (const uri of spellings) {
    it(`spells ${uri} as file:///a/b`, () => {
      assert.strictEqual(normaliseUri(uri), "file:///a/b")
      assert.strictEqual(localPath(uri), "/a/b")
    })
  }

  it("leaves other schemes and relative paths alone", () => {
    assert.strictEqual(normaliseUri("s3://bucket/a//b"), "s3://bucket/a//b")
    assert.strictEqual(localPath("s3://bucket/a"), undefined)
    assert.strictEqual(localPath("a/b"), undefined)
  })
})

describe("Storage in memory only", () => {
  it.effect("lists everything under the root", () =>
    Effect.gen(function* () {
      const storage = yield* Storage
      yield* storage.writeNew("file:///a/b", bytes("x"))
      assert.lengthOf(yield* Stream.runCollect(storage.list("file:///")), 1)
    }).pipe(Effect.provide(layerMemory))
  )
})
