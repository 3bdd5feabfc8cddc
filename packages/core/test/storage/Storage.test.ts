import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { localPath, normaliseUri } from "../../src/storage/FileUri.ts"
import { layerLocal } from "../../src/storage/LocalStorage.ts"
import { layerMemory } from "../../src/storage/MemoryStorage.ts"
import { Storage } from "../../src/storage/Storage.ts"
import { storageConformance } from "./StorageConformance.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-storage-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

storageConformance({
  name: "local disk",
  base: (root) => `file://${root}`,
  respell: (uri) => uri.replace("file://", "file:"),
  hasFiles: true,
  layer: layerLocal
})

storageConformance({
  name: "memory",
  base: (root) => `file://${root}`,
  respell: (uri) => uri.replace("file://", "file:"),
  hasFiles: false,
  layer: () => layerMemory
})

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
      const all = yield* Stream.runCollect(storage.list(`file://${root}/`, { temporary: true }))
      assert.lengthOf(all, 2)
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

  it("spells s3a and s3n as s3, and leaves its keys as they are", () => {
    assert.strictEqual(normaliseUri("s3a://bucket/a//b/../c"), "s3://bucket/a//b/../c")
    assert.strictEqual(normaliseUri("s3n://bucket/a"), "s3://bucket/a")
  })

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
