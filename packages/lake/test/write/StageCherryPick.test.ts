import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import type { FileIO } from "../../src/io/FileIO.ts"
import { LakeError } from "../../src/LakeError.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append, cherryPick, rewriteFiles, rollback, type TableAction } from "../../src/write/TableAction.ts"
import { eventFile } from "../LakeFixtures.ts"
import { appendRaw, createRaw, layerLake, loadRaw, raw } from "../LakeHarness.ts"

const file = (name: string) => eventFile(name, 20_000, 0, 10)

const commit = (action: TableAction, branch = "main") =>
  commitTable({ table: raw, branch, actions: () => Effect.succeed([action]) })

const names = Effect.map(Effect.flatMap(loadRaw, planScan), ({ entries }) =>
  entries.map(({ dataFile }) => dataFile.filePath.replace(/.*\/|\.parquet/g, "")).sort()
)

/** A file that waits on a branch, and the snapshot that holds it. */
const staged = Effect.fnUntraced(function* (name: string, branch: string, summary?: ReadonlyMap<string, string>) {
  const { snapshot } = yield* commit(append([file(name)], summary), branch)
  return snapshot?.snapshotId ?? 0n
})

const refused = (action: TableAction) => Effect.flip(commit(action))

/** The swap's answers are lost, though it was done. */
const answersLost = <A, E, R>(effect: Effect.Effect<A, E, R | Catalog | FileIO>) =>
  Effect.gen(function* () {
    const catalog = yield* Catalog
    const lossy = Catalog.of({
      ...catalog,
      commit: (request) =>
        Effect.andThen(
          catalog.commit(request),
          Effect.fail(new LakeError({ reason: "OutcomeUnknown", message: "the answer was lost" }))
        )
    })
    return yield* Effect.provideService(effect, Catalog, lossy)
  })

describe("cherryPick", () => {
  it.live("makes a child of the head the head as it is", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* appendRaw([file("a")])
      const picked = yield* staged("b", "audit")
      const { table } = yield* commit(cherryPick(picked))
      assert.strictEqual(table.metadata.currentSnapshotId, picked)
      assert.lengthOf(table.metadata.snapshots, 2)
      assert.deepStrictEqual(yield* names, ["a", "b"])
      assert.match((yield* refused(cherryPick(picked))).message, /it is in the branch already/)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("appends the files of an append, with the commit's own number, and says where they come from", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* appendRaw([file("a")])
      const first = yield* staged("b", "audit", new Map([["wap.id", "w1"]]))
      const second = yield* staged("c", "audit")
      yield* appendRaw([file("d")])
      const { snapshot } = yield* commit(cherryPick(first))
      assert.deepInclude(Object.fromEntries(snapshot?.summary ?? []), {
        "source-snapshot-id": String(first),
        "published-wap-id": "w1",
        "added-data-files": "1",
        "total-data-files": "3"
      })
      assert.deepInclude(snapshot, { operation: "append", sequenceNumber: 5n })
      assert.deepStrictEqual(yield* names, ["a", "b", "d"])
      // of the second, only what it added itself
      yield* commit(cherryPick(second))
      assert.deepStrictEqual(yield* names, ["a", "b", "c", "d"])
      const { entries } = yield* planScan(yield* loadRaw)
      const b = entries.find(({ dataFile }) => dataFile.filePath.endsWith("/b.parquet"))
      assert.deepInclude(b, { sequenceNumber: 5n, fileSequenceNumber: 5n, snapshotId: snapshot?.snapshotId ?? 0n })
    }).pipe(Effect.provide(layerLake))
  )

  it.live("refuses the same snapshot and the same wap.id twice, another operation, and what is not there", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* appendRaw([file("a")])
      const wap = new Map([["wap.id", "w1"]])
      const [first, twin] = [yield* staged("b", "one", wap), yield* staged("c", "two", wap)]
      const rewritten = yield* commit(
        rewriteFiles({
          removed: [file("a")],
          added: [file("a2")],
          startingSequenceNumber: 1n,
          summary: new Map()
        }),
        "three"
      )
      yield* appendRaw([file("d")])
      yield* commit(cherryPick(first))
      const before = (yield* loadRaw).metadataLocation
      const again = yield* refused(cherryPick(first))
      assert.strictEqual(again.reason, "Invalid")
      assert.match(again.message, /was picked from it already/)
      assert.match((yield* refused(cherryPick(twin))).message, /has published wap\.id w1 already/)
      const other = cherryPick(rewritten.snapshot?.snapshotId ?? 0n)
      assert.match((yield* refused(other)).message, /operation replace/)
      assert.match((yield* refused(cherryPick(12n))).message, /does not have it/)
      assert.strictEqual((yield* loadRaw).metadataLocation, before)
    }).pipe(Effect.provide(layerLake))
  )

  it.live("refuses files that are in the branch by way of another pick", () =>
    Effect.gen(function* () {
      yield* createRaw
      const before = (yield* appendRaw([file("a")])).snapshot!.snapshotId
      const picked = yield* staged("b", "audit")
      yield* appendRaw([file("c")])
      const copy = (yield* commit(cherryPick(picked))).snapshot!.snapshotId
      yield* commit(rollback(before))
      yield* appendRaw([file("d")])
      // it says that it comes from the copy, which came from the first
      yield* commit(cherryPick(copy))
      assert.match((yield* refused(cherryPick(picked))).message, /files of it are in the branch already/)
      assert.deepStrictEqual(yield* names, ["a", "b", "d"])
    }).pipe(Effect.provide(layerLake))
  )

  it.live("is found after the swap's answer was lost, both ways", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* appendRaw([file("a")])
      const [child, other] = [yield* staged("b", "one"), yield* staged("c", "two")]
      const forwarded = yield* answersLost(commit(cherryPick(child)))
      assert.deepInclude(forwarded, { attempts: 1, snapshot: undefined })
      const appended = yield* answersLost(commit(cherryPick(other)))
      assert.strictEqual(appended.attempts, 1)
      assert.strictEqual(currentSnapshot((yield* loadRaw).metadata)?.snapshotId, appended.snapshot?.snapshotId)
      assert.deepStrictEqual(yield* names, ["a", "b", "c"])
    }).pipe(Effect.provide(layerLake))
  )
})
