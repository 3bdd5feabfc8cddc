/** How large a landing's files become: as the table's property says, or who runs it, as those of queries and compaction. */
import { assert, describe, it } from "@effect/vitest"
import { makeRecordBuilder } from "@frazil/core"
import { Log } from "@frazil/engine"
import { Effect } from "effect"
import type { LandingRun } from "../../src/landing/LandingOptions.ts"
import { runLanding } from "../../src/landing/RunLanding.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { foreignProperties, loadTable } from "./LandingFaults.ts"
import { events, landing, layerSystem } from "./LandingFixture.ts"

/** More than one group of rows holds, so that a file may end before them all. */
const rowsEach = 50_000
const property = "write.target-file-size-bytes"

/** Rows of one partition of log and table. */
const appendOneDay = Effect.gen(function* () {
  const log = yield* Log
  yield* log.ensureTopic({ name: events.name, partitions: events.partitions })
  const builder = makeRecordBuilder()
  for (let i = 0; i < rowsEach; i++) builder.addText(`{"id":"e${i}","at":"2026-01-01T12:00:00Z"}`, null)
  const producer = yield* Effect.scoped(log.producer("test"))
  yield* producer.append(producer.nextSequence, [{ topic: events.name, partition: 0, records: builder.take() }])
})

/** Lands so many rows; gives how many groups of rows each new file has, as its footer says. */
const landedGroups = Effect.fnUntraced(function* (options: Partial<LandingRun> = {}) {
  yield* appendOneDay
  yield* runLanding(landing, { commitEveryMs: 600_000, inputComplete: () => Effect.succeed(true), ...options })
  const table = yield* loadTable
  const { entries } = yield* planScan(table)
  const added = entries.filter(({ snapshotId }) => snapshotId === table.metadata.currentSnapshotId)
  assert.strictEqual(
    added.reduce((sum, { dataFile }) => sum + Number(dataFile.recordCount), 0),
    rowsEach
  )
  return added.map(({ dataFile }) => dataFile.splitOffsets?.length)
})

describe("a landing's files", () => {
  it.live(
    "end at the size that the table's property says, or who runs it, and at the default where it is no size",
    () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* landedGroups(), [2])
        yield* foreignProperties(new Map([[property, "1"]]))
        assert.deepStrictEqual(yield* landedGroups(), [1, 1])
        assert.deepStrictEqual(yield* landedGroups({ fileBytesTarget: 2 ** 30 }), [2])
        yield* foreignProperties(new Map([[property, "small"]]))
        assert.deepStrictEqual(yield* landedGroups(), [2])
      }).pipe(Effect.provide(layerSystem))
  )
})
