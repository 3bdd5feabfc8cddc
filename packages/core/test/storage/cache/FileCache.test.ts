import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { FileCache } from "../../../src/storage/cache/FileCache.ts"
import { StorageError } from "../../../src/storage/StorageError.ts"

const withFolder = (run: (folder: string) => Effect.Effect<void, unknown>) =>
  Effect.scoped(
    Effect.flatMap(
      Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-cache-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
      ),
      run
    )
  )

const copies = (folder: string) => readdirSync(folder).filter((name) => /^[0-9a-f]{40}-/.test(name)).length

/** Writes `size` bytes; counts how often it was called. */
const source = (size: number) => {
  const made = {
    calls: 0,
    download: (path: string) =>
      Effect.sync(() => {
        made.calls++
        writeFileSync(path, new Uint8Array(size))
        return size
      })
  }
  return made
}

const inCache = <A, E>(folder: string, run: (cache: FileCache["Service"]) => Effect.Effect<A, E>, bytesMax = 10_000) =>
  Effect.provide(FileCache.use(run), FileCache.layer({ folder, bytesMax }))

describe("FileCache", () => {
  it.live("has after a restart what it had before, and clears up after processes that died", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const a = source(100)
        yield* inCache(folder, (cache) => cache.read("s3://b/a", a.download))
        mkdirSync(join(folder, "links", "999999999-x"), { recursive: true })
        writeFileSync(join(folder, "links", "999999999-x", "f"), "left by a crash")
        writeFileSync(join(folder, "old.part"), "left by a crash")
        writeFileSync(join(folder, "new.part"), "somebody is writing it")
        utimesSync(join(folder, "old.part"), 0, 0)
        yield* inCache(folder, (cache) => cache.read("s3://b/a", a.download))
        assert.strictEqual(a.calls, 1)
        assert.deepStrictEqual(readdirSync(join(folder, "links")), [])
        assert.notInclude(readdirSync(folder), "old.part")
        assert.include(readdirSync(folder), "new.part")
      })
    )
  )

  it.live("shares copies among processes that know their sizes, and gives up what either read longest ago", () =>
    withFolder((folder) =>
      inCache(folder, (first) =>
        inCache(folder, (second) =>
          Effect.gen(function* () {
            const a = source(3_000)
            yield* Effect.scoped(first.localFile("s3://b/a", 3_000, a.download))
            yield* Effect.scoped(second.localFile("s3://b/a", 3_000, a.download))
            assert.strictEqual(a.calls, 1)
            for (let i = 0; i < 4; i++) {
              yield* Effect.sleep(5)
              yield* (i % 2 === 0 ? first : second).read(`s3://b/${i}`, source(3_000).download)
            }
            assert.isAtMost(copies(folder), 3)
            yield* Effect.scoped(first.localFile("s3://b/a", 3_000, a.download))
            assert.strictEqual(a.calls, 2)
          })
        )
      )
    )
  )

  it.live("does not keep what would push out half of the rest, but gives it out", () =>
    withFolder((folder) =>
      inCache(folder, (cache) =>
        Effect.gen(function* () {
          const large = source(6_000)
          yield* cache.read("s3://b/small", source(100).download)
          yield* Effect.scoped(cache.localFile("s3://b/large", 6_000, large.download))
          assert.strictEqual((yield* cache.read("s3://b/large", large.download)).length, 6_000)
          assert.strictEqual(large.calls, 2)
          assert.strictEqual(copies(folder), 1)
        })
      )
    )
  )

  it.live("gives up everything once when the disk is full, and then says so; no torn copy is left", () =>
    withFolder((folder) =>
      inCache(folder, (cache) =>
        Effect.gen(function* () {
          yield* cache.read("s3://b/a", source(100).download)
          const full = new StorageError({ reason: "Full", uri: "s3://b/b", message: "the disk is full" })
          let fails = 1
          const download = (path: string) =>
            Effect.suspend(() => {
              writeFileSync(path, "half")
              if (fails-- > 0) return Effect.fail(full)
              rmSync(path)
              return source(50).download(path)
            })
          assert.strictEqual((yield* cache.read("s3://b/b", download)).length, 50)
          assert.strictEqual(copies(folder), 1)
          fails = 2
          assert.strictEqual((yield* Effect.flip(cache.read("s3://b/c", download))).reason, "Full")
          assert.isEmpty(readdirSync(folder).filter((name) => name.endsWith(".part")))
        })
      )
    )
  )
})
