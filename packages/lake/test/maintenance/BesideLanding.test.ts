/**
 * Upkeep beside a landing that commits all the time, and beside another engine: no row is lost or doubled, and neither stops
 * the other.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { auditTable } from "../../src/landing/Audit.ts"
import { checkIdentity, marksInForce } from "../../src/landing/CheckMarks.ts"
import { LandingError } from "../../src/landing/LandingError.ts"
import { runLanding } from "../../src/landing/RunLanding.ts"
import { compactTable } from "../../src/maintenance/Compact.ts"
import { expireSnapshots } from "../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../src/maintenance/RemoveOrphans.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { append } from "../../src/write/TableAction.ts"
import { appendEvents, landEvents, landing, layerSystem } from "../landing/LandingFixture.ts"

const appends = 24
const recordsOfAppend = 30
const keepFew = { snapshotAgeMsMax: -1, snapshotsKeptMin: 4 }

const load = Catalog.use((catalog) => catalog.loadTable(landing))

const audited = Effect.gen(function* () {
  const report = yield* auditTable(landing)
  assert.deepStrictEqual(report.problems, [])
})

describe("beside a landing", () => {
  it.live("compaction, expiry and orphan removal lose nothing, and the landing never stops", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 3)
      yield* landEvents
      let appended = false
      const land = yield* Effect.forkChild(
        runLanding(landing, { commitEveryMs: 5, inputComplete: () => Effect.sync(() => appended) })
      )
      const upkeep = yield* Effect.forkChild(
        Effect.gen(function* () {
          const done = { compacted: 0, expired: 0, orphans: 0 }
          // on a slow machine the appends may be over before the first compaction found enough files
          const unfinished = () => !appended || done.compacted === 0 || done.expired === 0
          for (let round = 0; round < 1000 && unfinished(); round++) {
            const compacted = yield* compactTable(landing, { inputFilesMin: 3 })
            if (compacted.snapshotId !== undefined) done.compacted++
            done.expired += (yield* expireSnapshots(landing, keepFew)).snapshotsExpired
            done.orphans += (yield* removeOrphans(landing, { ageMsMin: 60_000 })).filesBefore
          }
          return done
        })
      )
      for (let i = 0; i < appends; i++) {
        yield* appendEvents(i % 2, recordsOfAppend)
        yield* Effect.sleep("25 millis")
        // another engine's commit, which carries no marks
        if (i % 8 === 7)
          yield* commitTable({ table: landing, retriesMax: 30, actions: () => Effect.succeed([append([])]) })
      }
      appended = true
      yield* Fiber.join(land)
      const done = yield* Fiber.join(upkeep)
      assert.isAbove(done.compacted, 0)
      assert.isAbove(done.expired, 0)
      assert.strictEqual(done.orphans, 0)
      yield* audited
      const { metadata } = yield* load
      // every third record does not decode
      assert.strictEqual(
        currentSnapshot(metadata)?.summary.get("total-records"),
        String((appends * recordsOfAppend * 2) / 3 + 2)
      )
      assert.notInstanceOf(marksInForce(landing, metadata), LandingError)
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("the landing goes on when only a tag keeps what it last landed", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 30)
      yield* landEvents
      const catalog = yield* Catalog
      const base = yield* load
      const landed = base.metadata.currentSnapshotId ?? 0n
      const tag = {
        snapshotId: landed,
        type: "tag",
        minSnapshotsToKeep: null,
        maxSnapshotAgeMs: null,
        maxRefAgeMs: null
      } as const
      yield* catalog.commit({ base, requirements: [], updates: [{ _tag: "SetSnapshotRef", name: "audit", ref: tag }] })
      for (let i = 0; i < 6; i++) {
        // as a compaction's, these carry the marks
        const { summary } = currentSnapshot((yield* load).metadata) ?? assert.fail("no snapshot")
        const marks = new Map([...summary].filter(([name]) => name.startsWith("frazil.mark.")))
        yield* commitTable({ table: landing, actions: () => Effect.succeed([append([], marks)]) })
      }
      yield* expireSnapshots(landing, keepFew)
      const { metadata } = yield* load
      assert.strictEqual(metadata.snapshots.length, 5)
      const last = { tableUuid: metadata.tableUuid, snapshotId: String(landed) }
      assert.isUndefined(checkIdentity(landing, metadata, last))
      yield* appendEvents(0, 30)
      yield* landEvents
      yield* audited
    }).pipe(Effect.provide(layerSystem))
  )
})
