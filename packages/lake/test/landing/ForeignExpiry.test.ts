/** Expiry by others, who know nothing of marks: the landing finds them where they were, and stops where the table is another. */
import { rmSync } from "node:fs"
import { localPath } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { landingProgress } from "../../src/landing/LandingProgress.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { assertAllLanded, assertStops, foreignAppend, foreignUpdates, loadTable, rollBackTo } from "./LandingFaults.ts"
import { appendEvents, landEvents, landing, layerSystem } from "./LandingFixture.ts"

/** As Java's `expire_snapshots` with `retain_last => 1`: nothing but the head stays. */
const expireAllButHead = Effect.gen(function* () {
  const { metadata } = yield* loadTable
  const ids = metadata.snapshots.map(({ snapshotId }) => snapshotId).filter((id) => id !== metadata.currentSnapshotId)
  yield* foreignUpdates([{ _tag: "RemoveSnapshots", snapshotIds: ids }])
})

describe("a landing whose table others expired", () => {
  it.live("goes on when they removed the snapshot that carried its marks, below commits of theirs", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 9)
      yield* landEvents
      yield* appendEvents(1, 9)
      yield* landEvents
      yield* foreignAppend()
      yield* foreignAppend()
      yield* expireAllButHead
      // and once more, so that it is not the last metadata file that has the marks
      yield* foreignAppend()
      yield* expireAllButHead
      assert.lengthOf((yield* loadTable).metadata.snapshots, 1)
      assert.isUndefined((yield* landingProgress(landing)).problem)
      yield* appendEvents(0, 9)
      yield* landEvents
      yield* assertAllLanded([18, 9])
      assert.strictEqual(currentSnapshot((yield* loadTable).metadata)?.summary.get("total-records"), "18")
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("stops when they rolled the table back before", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 9)
      yield* landEvents
      yield* appendEvents(1, 9)
      yield* landEvents
      yield* rollBackTo(0)
      yield* foreignAppend()
      yield* expireAllButHead
      yield* appendEvents(0, 9)
      yield* assertStops(landEvents, "TableRolledBack", /its marks are not those of its newest landed snapshot/)
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("stops when nothing is left that could bear its marks out", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 9)
      yield* landEvents
      yield* foreignAppend()
      yield* expireAllButHead
      // more than what is remembered of metadata
      for (let i = 0; i < 9; i++) yield* foreignAppend()
      yield* expireAllButHead
      const { metadataLog } = (yield* loadTable).metadata
      for (const { metadataFile } of metadataLog) rmSync(localPath(metadataFile)!)
      yield* appendEvents(0, 9)
      yield* assertStops(landEvents, "TableRolledBack", /no snapshot of its history carries the landing's marks/)
    }).pipe(Effect.provide(layerSystem))
  )
})
