/**
 * What every storage promises, as tests: run on local disk, in memory, and on S3.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, type Layer, Stream } from "effect"
import { Storage, type StorageShape } from "../../src/storage/Storage.ts"
import type { StorageError } from "../../src/storage/StorageError.ts"

export interface StorageUnderTest {
  readonly name: string
  /** URI, without a slash at its end, of the folder that a test writes in; `root` is a local folder of its own. */
  readonly base: (root: string) => string
  /** Another spelling of the URI. */
  readonly respell: (uri: string) => string
  /** False: `localFile` is not to be had. */
  readonly hasFiles: boolean
  readonly layer: (root: string) => Layer.Layer<Storage, unknown>
}

const bytes = (text: string) => new TextEncoder().encode(text)

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-storage-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const reasonOf = <A>(effect: Effect.Effect<A, StorageError>) => Effect.map(Effect.flip(effect), (error) => error.reason)

interface Place {
  readonly storage: StorageShape
  readonly root: string
  readonly base: string
  readonly respell: (uri: string) => string
}

/** The promises of `Storage`, on this one. */
export const storageConformance = (under: StorageUnderTest): void => {
  const withStorage = <A, E>(run: (place: Place) => Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const root = yield* folder
      const { respell } = under
      return yield* Effect.flatMap(Storage, (storage) => run({ storage, root, base: under.base(root), respell })).pipe(
        Effect.provide(under.layer(root))
      )
    })

  describe(`Storage on ${under.name}`, () => {
    it.live("keeps what was written, whole and by range", () =>
      withStorage(({ base, storage }) =>
        Effect.gen(function* () {
          const uri = `${base}/a/b/c.bin`
          yield* storage.writeNew(uri, bytes("0123456789"))
          assert.deepStrictEqual(yield* storage.read(uri), bytes("0123456789"))
          assert.deepStrictEqual(yield* storage.readRange(uri, 3, 4), bytes("3456"))
          assert.strictEqual((yield* storage.stat(uri)).sizeBytes, 10)
          assert.strictEqual(yield* reasonOf(storage.readRange(uri, 8, 4)), "Corrupt")
        })
      )
    )

    it.live("never replaces an object, also by another spelling of its URI", () =>
      withStorage(({ base, respell, storage }) =>
        Effect.gen(function* () {
          yield* storage.writeNew(`${base}/x`, bytes("first"))
          assert.strictEqual(yield* reasonOf(storage.writeNew(respell(`${base}/x`), bytes("second"))), "AlreadyExists")
          assert.deepStrictEqual(yield* storage.read(respell(`${base}/x`)), bytes("first"))
        })
      )
    )

    it.live("lets exactly one of many concurrent writers create an object", () =>
      withStorage(({ base, storage }) =>
        Effect.gen(function* () {
          const writes = Array.from({ length: 8 }, (_, i) => storage.writeNew(`${base}/one`, bytes(`${i}`)))
          const results = yield* Effect.all(writes, { concurrency: "unbounded", mode: "result" })
          assert.strictEqual(results.filter((result) => result._tag === "Success").length, 1)
          const winner = results.findIndex((result) => result._tag === "Success")
          assert.deepStrictEqual(yield* storage.read(`${base}/one`), bytes(`${winner}`))
        })
      )
    )

    it.live("writes several objects at once, and says which of them is there already", () =>
      withStorage(({ base, storage }) =>
        Effect.gen(function* () {
          const objects = ["m/one", "m/two", "list"].map((name) => ({ uri: `${base}/${name}`, bytes: bytes(name) }))
          yield* storage.writeNewAll([])
          yield* storage.writeNewAll(objects)
          for (const { bytes: written, uri } of objects) assert.deepStrictEqual(yield* storage.read(uri), written)
          const again = [{ uri: `${base}/m/three`, bytes: bytes("three") }, objects[1]!]
          const error = yield* Effect.flip(storage.writeNewAll(again))
          assert.deepStrictEqual([error.reason, error.uri], ["AlreadyExists", objects[1]!.uri])
        })
      )
    )

    it.live("takes over a finished local file, once", () =>
      withStorage(({ base, root, storage }) =>
        Effect.gen(function* () {
          const path = join(root, "finished.tmp")
          writeFileSync(path, "parquet")
          const stored = yield* storage.writeNewFromFile(`${base}/data/f.parquet`, path)
          assert.strictEqual(stored.uri, `${base}/data/f.parquet`)
          assert.strictEqual(stored.sizeBytes, 7)
          assert.isFalse(readdirSync(root).includes("finished.tmp"))
          assert.deepStrictEqual(yield* storage.read(stored.uri), bytes("parquet"))
          writeFileSync(path, "other")
          assert.strictEqual(yield* reasonOf(storage.writeNewFromFile(stored.uri, path)), "AlreadyExists")
        })
      )
    )

    it.live("lists by prefix, folders included or cut short", () =>
      withStorage(({ base, storage }) =>
        Effect.gen(function* () {
          for (const path of ["t/a-1", "t/a-2", "t/b", "t/a/deep/er", "ta"]) {
            yield* storage.writeNew(`${base}/${path}`, bytes(path))
          }
          const list = (prefix: string) =>
            Stream.runCollect(storage.list(`${base}/${prefix}`)).pipe(
              Effect.map((found) => found.map((object) => object.uri.slice(`${base}/`.length)).sort())
            )
          assert.deepStrictEqual(yield* list("t/"), ["t/a-1", "t/a-2", "t/a/deep/er", "t/b"])
          assert.deepStrictEqual(yield* list("t/a"), ["t/a-1", "t/a-2", "t/a/deep/er"])
          assert.deepStrictEqual(yield* list("t"), ["t/a-1", "t/a-2", "t/a/deep/er", "t/b", "ta"])
          assert.deepStrictEqual(yield* list("nothing/here/"), [])
        })
      )
    )

    it.live("keeps what is empty, long or strangely named, and says when it was written", () =>
      withStorage(({ base, root, storage }) =>
        Effect.gen(function* () {
          const started = yield* Clock.currentTimeMillis
          const names = ["day=2024-05-01/a b+c.bin", "ü/%41&?#.bin", "!'()*~._-"]
          for (const name of names) yield* storage.writeNew(`${base}/odd/${name}`, bytes(name))
          for (const name of names) assert.deepStrictEqual(yield* storage.read(`${base}/odd/${name}`), bytes(name))
          const listed = yield* Stream.runCollect(storage.list(`${base}/odd/`))
          assert.deepStrictEqual(listed.map(({ uri }) => uri.slice(`${base}/odd/`.length)).sort(), [...names].sort())
          assert.isTrue(listed.every(({ modifiedMs }) => Math.abs(modifiedMs - started) < 60_000))
          yield* storage.writeNew(`${base}/empty`, bytes(""))
          assert.strictEqual((yield* storage.read(`${base}/empty`)).length, 0)
          assert.strictEqual((yield* storage.stat(`${base}/empty`)).sizeBytes, 0)
          const long = new Uint8Array(12_000_001).map((_, i) => (i * 31) % 251)
          writeFileSync(join(root, "long.tmp"), long)
          assert.strictEqual(
            (yield* storage.writeNewFromFile(`${base}/long`, join(root, "long.tmp"))).sizeBytes,
            long.length
          )
          assert.isTrue(Buffer.from(long).equals(yield* storage.read(`${base}/long`)))
          assert.deepStrictEqual(yield* storage.readRange(`${base}/long`, 11_999_990, 11), long.slice(11_999_990))
        })
      )
    )

    it.live.skipIf(!under.hasFiles)("gives a local file of an object, and says when it is not the one expected", () =>
      withStorage(({ base, storage }) =>
        Effect.gen(function* () {
          yield* storage.writeNew(`${base}/data.parquet`, bytes("rows"))
          const read = (sizeBytes?: number) =>
            Effect.scoped(
              Effect.map(storage.localFile(`${base}/data.parquet`, sizeBytes), (path) => {
                assert.match(path, /data\.parquet$/)
                return readFileSync(path, "utf8")
              })
            )
          assert.strictEqual(yield* read(), "rows")
          assert.strictEqual(yield* read(4), "rows")
          assert.strictEqual(yield* reasonOf(read(5)), "Corrupt")
          assert.strictEqual(yield* reasonOf(Effect.scoped(storage.localFile(`${base}/none`))), "NotFound")
        })
      )
    )

    it.live("says NotFound for what is missing, and deletes it without complaint", () =>
      withStorage(({ base, storage }) =>
        Effect.gen(function* () {
          const uri = `${base}/gone`
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
