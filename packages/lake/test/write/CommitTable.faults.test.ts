import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { layerLocal, Storage, StorageError, type StorageShape, writeEach } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { layerSqliteCatalog } from "../../src/catalog/SqliteCatalog.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append } from "../../src/write/TableAction.ts"
import { eventFile } from "../LakeFixtures.ts"
import { appendRaw, createRaw, layerLake, loadRaw, raw } from "../LakeHarness.ts"

const file = (name: string) => eventFile(name, 20_000, 0, 1)

const names = Effect.gen(function* () {
  const plan = yield* planScan(yield* loadRaw)
  return plan.entries.map((entry) => entry.dataFile.filePath.replace(/.*\/(.*)\.parquet/, "$1")).sort()
})

/** Storage whose n-th read or write fails. */
const failing = (storage: StorageShape, n: number, reason: StorageError["reason"]) => {
  let calls = 0
  const orFail = <A>(uri: string, effect: Effect.Effect<A, StorageError>) =>
    Effect.suspend(() =>
      ++calls === n ? Effect.fail(new StorageError({ reason, uri, message: `${uri}: ${reason}` })) : effect
    )
  const faulty: StorageShape = {
    ...storage,
    read: (uri) => orFail(uri, storage.read(uri)),
    writeNewAll: writeEach((uri, bytes) => orFail(uri, storage.writeNew(uri, bytes)))
  }
  return { faulty, reached: () => calls >= n }
}

describe("commitTable under faults", () => {
  for (const [reason, expected] of [
    ["Full", "Full"],
    ["Unavailable", "Unavailable"],
    ["NotFound", "Corrupt"]
  ] as const) {
    it.effect(`leaves the table as it was when the n-th read or write says ${reason}, for every n`, () =>
      Effect.gen(function* () {
        for (let n = 1; ; n++) {
          const done = yield* Effect.gen(function* () {
            yield* createRaw
            yield* appendRaw([file("a")])
            const { faulty, reached } = failing(yield* Storage, n, reason)
            // A process that has read nothing yet.
            const cold = Layer.fresh(FileIO.layer).pipe(Layer.provide(Layer.succeed(Storage, faulty)))
            const result = yield* Effect.result(Effect.provide(appendRaw([file("b")]), cold))
            if (result._tag === "Failure") {
              assert.strictEqual(result.failure.reason, expected, `at ${n}`)
              assert.deepStrictEqual(yield* names, ["a"], `at ${n}`)
            }
            yield* appendRaw([file("c")])
            assert.deepStrictEqual(yield* names, result._tag === "Failure" ? ["a", "c"] : ["a", "b", "c"])
            return !reached()
          }).pipe(Effect.provide(Layer.fresh(layerLake)))
          if (done) return assert.isAtLeast(n, 4, "the fault was never reached")
        }
      })
    )
  }

  it.live("keeps every file of many writers with catalogs of their own on one file, each exactly once", () =>
    Effect.gen(function* () {
      const path = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-commit-"))),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
      )
      const lake = () =>
        Layer.fresh(
          layerSqliteCatalog({ file: join(path, "catalog.db"), warehouse: path }).pipe(
            Layer.provideMerge(FileIO.layer),
            Layer.provideMerge(layerLocal(path))
          )
        )
      yield* Effect.provide(createRaw, lake())
      const writer = (w: number) =>
        Effect.forEach([0, 1], (i) =>
          commitTable({
            table: raw,
            retriesMax: 30,
            actions: () => Effect.succeed([append([file(`w${w}-${i}`)])])
          })
        ).pipe(Effect.provide(lake()))
      const committed = yield* Effect.all([0, 1, 2].map(writer), { concurrency: "unbounded" })
      assert.isAbove(Math.max(...committed.flat().map((each) => each.attempts)), 1, "no conflict happened")
      const found = yield* Effect.provide(names, lake())
      assert.deepStrictEqual(
        found,
        [0, 1, 2].flatMap((w) => [0, 1].map((i) => `w${w}-${i}`))
      )
      const { metadata } = yield* Effect.provide(loadRaw, lake())
      assert.deepStrictEqual(
        metadata.snapshots.map((snapshot) => Number(snapshot.sequenceNumber)),
        Array.from({ length: 6 }, (_, i) => i + 1)
      )
    })
  )
})
