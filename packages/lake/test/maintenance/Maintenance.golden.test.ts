/**
 * Random appends, compactions, expiries and orphan removals: whatever their order, every snapshot that is kept has the rows
 * it had when it was made, and one that has gone says so.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { expireSnapshots } from "../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../src/maintenance/RemoveOrphans.ts"
import { seeded } from "../write/parquet/WriterCases.ts"
import { appendRows, createTable, figures, layerLake, load, rowsOf, stray, table } from "./MaintenanceFixture.ts"

const steps = 14
const seeds = [1, 2, 3]

const history = Effect.fnUntraced(function* (seed: number) {
  const below = seeded(seed)
  const rows = new Map<bigint, string>()
  yield* createTable(new Map([["commit.manifest.min-count-to-merge", "4"]]))
  let next = 0
  let gone = 0
  for (let step = 0; step < steps; step++) {
    const where = `seed ${seed}, step ${step}`
    const kind = below(10)
    if (kind < 6) {
      const count = 1 + below(30)
      yield* appendRows(next, count, 1 + below(3))
      next += count
    } else if (kind < 8) {
      const sizes = { fileBytesTarget: 20_000 + below(40_000), inputFilesMin: 2 + below(4) }
      const dry = yield* compactTable(table, { ...sizes, dryRun: true })
      assert.deepStrictEqual(figures(yield* compactTable(table, sizes)), figures(dry), where)
    } else if (kind === 8) {
      const retention = { snapshotAgeMsMax: -1, snapshotsKeptMin: 1 + below(4) }
      const dry = yield* expireSnapshots(table, { ...retention, dryRun: true })
      assert.deepStrictEqual(figures(yield* expireSnapshots(table, retention)), figures(dry), where)
    } else {
      const { metadata } = yield* load
      yield* stray(`${metadata.location}/data/stray-${step}.parquet`, 0)
      // every file of the table is older than that
      const report = yield* removeOrphans(table, { ageMsMin: -60_000 })
      assert.include(report.removed, `${metadata.location}/data/stray-${step}.parquet`, where)
    }
    const { metadata } = yield* load
    for (const { snapshotId } of metadata.snapshots) {
      const found = yield* rowsOf(snapshotId)
      assert.strictEqual(found, rows.get(snapshotId) ?? found, where)
      rows.set(snapshotId, found)
    }
    const head = metadata.currentSnapshotId
    if (head !== null)
      assert.strictEqual((JSON.parse(rows.get(head) ?? "[]") as ReadonlyArray<unknown>).length, next, where)
    for (const id of rows.keys()) {
      if (metadata.snapshots.some(({ snapshotId }) => snapshotId === id)) continue
      assert.match(String(yield* Effect.flip(rowsOf(id))), /it has expired/, where)
      rows.delete(id)
      gone++
    }
  }
  return gone
})

describe("maintenance", () => {
  for (const seed of seeds) {
    it.live(
      `keeps the rows of every kept snapshot, seed ${seed}`,
      () => history(seed).pipe(Effect.provide(layerLake)),
      60_000
    )
  }
})
