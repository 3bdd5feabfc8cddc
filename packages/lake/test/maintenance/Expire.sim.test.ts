/** Expiry that is stopped at each of its fault points: no file that a kept snapshot has is ever deleted. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { expireSnapshots } from "../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../src/maintenance/RemoveOrphans.ts"
import { planScan } from "../../src/read/PlanScan.ts"
import { appendRows, crashAt, createTable, filesBelow, layerLake, load, rowsAt, table } from "./MaintenanceFixture.ts"

/** Everything but the newest may go. */
const keepOne = { snapshotAgeMsMax: -1, snapshotsKeptMin: 1 }

describe("expireSnapshots", () => {
  it.live(
    "never deletes a file that a kept snapshot has, wherever it is stopped; orphan removal takes the rest",
    () =>
      Effect.gen(function* () {
        for (let n = 1; ; n++) {
          const crashed = yield* Effect.gen(function* () {
            yield* createTable()
            for (let i = 0; i < 5; i++) yield* appendRows(i * 5, 5, 1)
            yield* compactTable(table)
            const before = yield* rowsAt()
            const first = yield* crashAt(expireSnapshots(table, keepOne), n)
            assert.strictEqual(yield* rowsAt(), before, `crash ${n}`)
            yield* expireSnapshots(table, keepOne)
            yield* removeOrphans(table, { ageMsMin: -60_000 })
            assert.strictEqual(yield* rowsAt(), before, `after crash ${n}`)
            const files = yield* filesBelow(yield* load)
            assert.lengthOf(
              files.filter((uri) => uri.endsWith(".parquet")),
              1,
              `after crash ${n}`
            )
            assert.strictEqual((yield* planScan(yield* load)).entries.length, 1)
            return first.crashed
          }).pipe(Effect.provide(layerLake, { local: true }))
          if (!crashed) return assert.isAtLeast(n, 15, "fewer fault points than expected")
        }
      }),
    60_000
  )
})
