/**
 * What landings do when others change the table, the topic or the log under them (protocol, rules 12 to 15): what is legal
 * goes on without a row lost or doubled, the rest stops with a reason and changes nothing.
 */
import { assert, describe, it } from "@effect/vitest"
import { EmbeddedLog } from "@frazil/connect"
import { FaultPoint, type FaultPointName, Storage } from "@frazil/core"
import { Log } from "@frazil/engine"
import { Effect, Fiber, Stream } from "effect"
import { copyFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Catalog } from "../../src/catalog/Catalog.ts"
import type { FileIO } from "../../src/io/FileIO.ts"
import { LakeError } from "../../src/LakeError.ts"
import { landingShard } from "../../src/landing/Landing.ts"
import { dataFolder } from "../../src/spec/Locations.ts"
import {
  assertAllLanded,
  assertStops,
  atCrossing,
  crashAt,
  foreignAppend,
  foreignProperties,
  loadTable,
  makeGate,
  rollBackTo,
  snapshotsNow,
  withCatalog
} from "./LandingFaults.ts"
import { appendEvents, events, landEvents, landing, layerSystem } from "./LandingFixture.ts"

const lost = new LakeError({ reason: "OutcomeUnknown", message: "the catalog did not answer" })
const away = new LakeError({ reason: "Unavailable", message: "the catalog is away" })

/** Two commits of the landing: 12 records, then 6 more. */
const landedTwice = Effect.gen(function* () {
  yield* appendEvents(0, 12)
  yield* landEvents
  yield* appendEvents(0, 6)
  yield* landEvents
})

describe("a swap", () => {
  it.live("that loses to another engine's append is made again on top of it", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 12)
      const points: Array<FaultPointName> = []
      const foreign = yield* Effect.context<Catalog | FileIO>()
      const hit = (name: FaultPointName) =>
        Effect.suspend(() => {
          points.push(name)
          const first = name === "before-swap" && points.filter((each) => each === name).length === 1
          return first ? Effect.asVoid(Effect.orDie(Effect.provideContext(foreignAppend(), foreign))) : Effect.void
        }).pipe(Effect.provideService(FaultPoint, { hit: () => Effect.void }))
      yield* landEvents.pipe(Effect.provideService(FaultPoint, { hit }))
      assert.include(points, "swap-conflict")
      assert.deepStrictEqual(yield* snapshotsNow, [0, 8])
      yield* assertAllLanded([12, 0])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("whose answer was lost is found in the table, and not repeated", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 12)
      let swaps = 0
      yield* withCatalog(landEvents, (real) => ({
        commit: (commit) => Effect.andThen(real.commit(commit), ++swaps === 1 ? Effect.fail(lost) : Effect.die("again"))
      }))
      assert.strictEqual(swaps, 1)
      assert.deepStrictEqual(yield* snapshotsNow, [8])
      yield* assertAllLanded([12, 0])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("whose answer was lost, and that others have built on, is still known as the one that was made", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 12)
      const context = yield* Effect.context<Catalog | FileIO>()
      let swaps = 0
      yield* withCatalog(landEvents, (real) => ({
        commit: (commit) =>
          ++swaps > 1
            ? real.commit(commit)
            : real
                .commit(commit)
                .pipe(
                  Effect.andThen(Effect.orDie(Effect.provideContext(foreignAppend(), context))),
                  Effect.andThen(Effect.fail(lost))
                )
      }))
      // the other engine takes its own append back: the landing's snapshot is the head again
      yield* rollBackTo(0)
      yield* appendEvents(0, 3)
      yield* landEvents
      yield* assertAllLanded([15, 0])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("that was lost is made again", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 12)
      let swaps = 0
      yield* withCatalog(landEvents, (real) => ({
        commit: (commit) => (++swaps === 1 ? Effect.fail(lost) : real.commit(commit))
      }))
      assert.strictEqual(swaps, 2)
      assert.deepStrictEqual(yield* snapshotsNow, [8])
      yield* assertAllLanded([12, 0])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("that arrives late, after the landing has started over, is noticed by its mark", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 12)
      let late: Effect.Effect<unknown, LakeError> = Effect.void
      let swaps = 0
      let reachable = true
      // the first swap is under way and the catalog cannot be asked; it arrives when the second is about to be made
      yield* withCatalog(landEvents, (real) => ({
        loadTable: (table) =>
          Effect.suspend(() => {
            const load = reachable ? real.loadTable(table) : Effect.fail(away)
            reachable = true
            return load
          }),
        commit: (commit) => {
          if (++swaps > 2) return real.commit(commit)
          if (swaps === 2) return Effect.andThen(late, real.commit(commit))
          late = real.commit(commit)
          reachable = false
          return Effect.fail(lost)
        }
      }))
      assert.strictEqual(swaps, 2)
      assert.deepStrictEqual(yield* snapshotsNow, [8])
      yield* assertAllLanded([12, 0])
    }).pipe(Effect.provide(layerSystem))
  )
})

describe("two landings of one topic", () => {
  it.live("land every record once: the one that comes late abandons what it read", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 12)
      const gate = yield* makeGate
      const held = atCrossing<void, unknown, never>("before-swap", 1, gate.stop)
      const context = yield* Effect.context<Effect.Services<typeof landEvents>>()
      const first = yield* Effect.forkChild(held.during(Effect.provideContext(landEvents, context)))
      yield* gate.came
      yield* appendEvents(0, 6)
      yield* landEvents
      yield* gate.open
      yield* Fiber.await(first)
      assert.deepStrictEqual(yield* snapshotsNow, [12])
      yield* assertAllLanded([18, 0])
      yield* appendEvents(0, 3)
      yield* landEvents
      yield* assertAllLanded([21, 0])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("lose nothing: the one that abandons an attempt reads on from the other's marks", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 12)
      const gate = yield* makeGate
      const held = atCrossing<void, unknown, never>("before-swap", 1, gate.stop)
      const context = yield* Effect.context<Effect.Services<typeof landEvents>>()
      const first = yield* Effect.forkChild(held.during(Effect.provideContext(landEvents, context)))
      yield* gate.came
      yield* landEvents
      yield* appendEvents(0, 6)
      yield* gate.open
      // what it lands counts, although the log's position is the other's by now
      assert.include(yield* Effect.flip(Fiber.join(first)), { reason: "Fenced" })
      yield* assertAllLanded([18, 0])
      assert.deepStrictEqual(yield* snapshotsNow, [8, 12])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("do not take the log's position back: the first is fenced", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 12)
      const gate = yield* makeGate
      const held = atCrossing<void, unknown, never>("after-swap", 1, gate.stop)
      const context = yield* Effect.context<Effect.Services<typeof landEvents>>()
      const first = yield* Effect.forkChild(held.during(Effect.provideContext(landEvents, context)))
      yield* gate.came
      yield* appendEvents(0, 6)
      yield* landEvents
      yield* gate.open
      const error = yield* Effect.flip(Fiber.join(first))
      assert.include(error, { _tag: "LogError", reason: "Fenced" })
      const inForce = yield* Log.use((log) => log.inForce(landingShard(landing)))
      assert.strictEqual(inForce?.positions[0]?.offset, 18)
      yield* assertAllLanded([18, 0])
    }).pipe(Effect.provide(layerSystem))
  )
})

describe("another engine on the table", () => {
  it.live("may append, set properties and expire what is old", () =>
    Effect.gen(function* () {
      yield* landedTwice
      yield* foreignAppend()
      yield* foreignProperties(new Map([["owner", "somebody"]]))
      yield* appendEvents(0, 3)
      yield* landEvents
      yield* assertAllLanded([21, 0])
      assert.strictEqual((yield* loadTable).metadata.properties.get("owner"), "somebody")
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("may not roll it back, also when it appends on top", () =>
    Effect.gen(function* () {
      yield* landedTwice
      yield* rollBackTo(0)
      yield* assertStops(landEvents, "TableRolledBack", /no longer descends from snapshot .* restore/)
      yield* foreignAppend()
      yield* assertStops(landEvents, "TableRolledBack", /no longer descends from snapshot .* restore/)
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("may not roll it back and set the marks to fit", () =>
    Effect.gen(function* () {
      yield* landedTwice
      yield* rollBackTo(0)
      const { metadata } = yield* loadTable
      const carried = [...metadata.snapshots[0]!.summary].filter(([name]) => name.startsWith("frazil.mark."))
      yield* foreignProperties(new Map(carried))
      yield* appendEvents(0, 3)
      yield* assertStops(landEvents, "TableRolledBack", /no longer descends from snapshot|had landed/)
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("may not roll it back between the reading of a record and the swap", () =>
    Effect.gen(function* () {
      yield* landedTwice
      yield* appendEvents(0, 3)
      const context = yield* Effect.context<Catalog>()
      const rollBack = Effect.orDie(Effect.provideContext(rollBackTo(0), context))
      const during = atCrossing<void, unknown, never>("before-lake-file", 1, Effect.asVoid(rollBack))
      const all = yield* Effect.context<Effect.Services<typeof landEvents>>()
      const error = yield* Effect.flip(during.during(Effect.provideContext(landEvents, all)))
      assert.include(error, { reason: "TableRolledBack" })
      assert.strictEqual((yield* loadTable).metadata.snapshots.length, 2)
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("may not edit or remove a mark", () =>
    Effect.gen(function* () {
      yield* landedTwice
      const { metadata } = yield* loadTable
      const [name, text] = [...metadata.properties].find(([each]) => each.startsWith("frazil.mark."))!
      yield* foreignProperties(new Map([[name, text.replace('"next":18', '"next":12')]]))
      yield* assertStops(landEvents, "TableRolledBack", /a mark was edited.*restore/)
      yield* foreignProperties(new Map(), [name])
      yield* assertStops(landEvents, "TableRolledBack", /restore/)
      yield* foreignProperties(new Map([[name, "{"]]))
      yield* assertStops(landEvents, "TableRolledBack", /cannot be read.*restore/)
      yield* foreignProperties(new Map([[name, text]]))
      yield* landEvents
      yield* assertAllLanded([18, 0])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("may not expire the last snapshot that carries the marks, and leave no earlier metadata that has it", () =>
    Effect.gen(function* () {
      yield* landedTwice
      yield* foreignAppend()
      const expired = withCatalog(landEvents, (real) => ({
        loadTable: (table) =>
          Effect.map(real.loadTable(table), (loaded) => ({
            ...loaded,
            metadata: { ...loaded.metadata, snapshots: loaded.metadata.snapshots.slice(-1), metadataLog: [] }
          }))
      }))
      yield* assertStops(expired, "TableRolledBack", /no snapshot of its history carries the landing's marks/)
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("may not drop it, nor put another in its place", () =>
    Effect.gen(function* () {
      yield* landedTwice
      const catalog = yield* Catalog
      const { metadata } = yield* loadTable
      yield* catalog.dropTable(landing)
      yield* assertStops(landEvents, "TableReplaced", /not in the catalog any more.*restore/)
      yield* catalog.createTable({
        identifier: landing,
        schema: landing.schema,
        partitionSpec: landing.spec,
        properties: metadata.properties
      })
      yield* assertStops(landEvents, "TableReplaced", /is another table \(uuid .*restore/)
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("may not put another in its place between the reading of a record and the swap", () =>
    Effect.gen(function* () {
      yield* landedTwice
      yield* appendEvents(0, 3)
      const context = yield* Effect.context<Catalog>()
      const { metadata } = yield* loadTable
      const replace = Catalog.use((catalog) =>
        Effect.andThen(
          catalog.dropTable(landing),
          catalog.createTable({ identifier: landing, schema: landing.schema, properties: metadata.properties })
        )
      )
      for (const name of ["before-lake-file", "before-swap"] as const) {
        const action = Effect.asVoid(Effect.orDie(Effect.provideContext(replace, context)))
        const during = atCrossing<void, unknown, never>(name, 1, action)
        const all = yield* Effect.context<Effect.Services<typeof landEvents>>()
        const error = yield* Effect.flip(during.during(Effect.provideContext(landEvents, all)))
        assert.include(error, { _tag: "LandingError", reason: "TableReplaced" })
        assert.deepStrictEqual(yield* snapshotsNow, [])
      }
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("may drop a table that nothing has landed in: it is made again", () =>
    Effect.gen(function* () {
      yield* landEvents
      yield* Catalog.use((catalog) => catalog.dropTable(landing))
      yield* appendEvents(0, 12)
      yield* landEvents
      yield* assertAllLanded([12, 0])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("leaves the table alone when an older catalog is restored over what had landed", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 12)
      yield* landEvents
      const older = yield* loadTable
      yield* appendEvents(0, 6)
      yield* landEvents
      const restored = withCatalog(landEvents, () => ({ loadTable: () => Effect.succeed(older) }))
      yield* assertStops(restored, "TableRolledBack", /had landed: an older catalog was restored.*restore/)
    }).pipe(Effect.provide(layerSystem))
  )
})

describe("the topic and its log", () => {
  it.live("stop the landing when the topic was deleted and made anew", () =>
    Effect.gen(function* () {
      yield* landedTwice
      yield* Log.use((log) => log.deleteTopic(events.name))
      yield* appendEvents(0, 40)
      yield* assertStops(landEvents, "TopicRecreated", /was landed from a topic events with id .*restore/)
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("stop the landing when retention took records that had not landed", () =>
    Effect.gen(function* () {
      yield* landedTwice
      yield* appendEvents(0, 10)
      yield* Log.use((log) => log.trim(events.name, 0, 18))
      yield* landEvents
      yield* Log.use((log) => log.trim(events.name, 0, 28))
      yield* appendEvents(0, 2)
      yield* landEvents
      yield* appendEvents(0, 2)
      yield* Log.use((log) => log.trim(events.name, 0, 31))
      yield* assertStops(landEvents, "MarkAheadOfLog", /is 30, the log holds 31 to 32.*restore/)
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("stop the landing when an older log was restored, also when it has grown since", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-log-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
      )
      const [file, backup] = [join(folder, "log.db"), join(folder, "backup.db")]
      /** With the log open: a copy of a closed one is whole. */
      const withLog = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, EmbeddedLog.layer({ file }))
      yield* withLog(Effect.andThen(appendEvents(0, 12), landEvents))
      copyFileSync(file, backup)
      yield* withLog(Effect.andThen(appendEvents(0, 6), landEvents))
      copyFileSync(backup, file)
      yield* withLog(assertStops(landEvents, "MarkAheadOfLog", /is 18, the log holds 0 to 12: log and table.*restore/))
      // other records under the same offsets: only the fingerprint tells
      yield* withLog(Effect.andThen(appendEvents(0, 1), appendEvents(0, 30)))
      yield* withLog(
        assertStops(landEvents, "TopicRecreated", /offset 17 of partition 0 .* not the one that was landed/)
      )
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("lets the log's position lag behind the marks: a crash after the swap is no loss", () =>
    Effect.gen(function* () {
      yield* landedTwice
      yield* appendEvents(0, 6)
      assert.isTrue(yield* crashAt("after-swap", 1, landEvents))
      const inForce = yield* Log.use((log) => log.inForce(landingShard(landing)))
      assert.strictEqual(inForce?.positions[0]?.offset, 18)
      yield* landEvents
      yield* assertAllLanded([24, 0])
      assert.strictEqual((yield* snapshotsNow).length, 3)
    }).pipe(Effect.provide(layerSystem))
  )
})

describe("files of an attempt that was abandoned", () => {
  it.live("stay where they are: nobody knows who was offered them", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 12)
      const gate = yield* makeGate
      const held = atCrossing<void, unknown, never>("before-swap", 1, gate.stop)
      const context = yield* Effect.context<Effect.Services<typeof landEvents>>()
      const filesNow = Effect.gen(function* () {
        const storage = yield* Storage
        const objects = yield* Stream.runCollect(storage.list(`${dataFolder((yield* loadTable).metadata)}/`))
        return objects.map(({ uri }) => uri)
      })
      const first = yield* Effect.forkChild(held.during(Effect.provideContext(landEvents, context)))
      yield* gate.came
      const offered = yield* filesNow
      assert.isAbove(offered.length, 0)
      yield* landEvents
      yield* gate.open
      yield* Fiber.await(first)
      assert.includeMembers([...(yield* filesNow)], offered)
    }).pipe(Effect.provide(layerSystem))
  )
})
