/** Landing into a table whose schema others change meanwhile: rows go on where they belong, or the landing says why not. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Catalog } from "../../src/catalog/Catalog.ts"
import type { FileIO } from "../../src/io/FileIO.ts"
import { runLanding } from "../../src/landing/RunLanding.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import type { SchemaChange } from "../../src/spec/SchemaChange.ts"
import { currentSchema } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { updatePartitionSpec, updateSchema, upgradeFormat } from "../../src/write/TableAction.ts"
import { assertAllLanded, atCrossing, loadTable, snapshotsNow } from "./LandingFaults.ts"
import { appendEvents, landEvents, landing, layerSystem } from "./LandingFixture.ts"

const evolve = (...changes: ReadonlyArray<SchemaChange>) =>
  commitTable({ table: landing, actions: () => Effect.succeed([updateSchema(...changes)]) })

const rowsOf = (query: string) =>
  Effect.flatMap(loadTable, (table) => Effect.map(readTable(table, { query }), ({ rows }) => rows))

/** What nine records leave: every third does not decode. */
const expectedIds = ["e0", "e1", "e3", "e4", "e6", "e7"]

describe("a landing into a table that others evolve", () => {
  it.live("leaves columns null that others added, also between the reading of records and the swap", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 9)
      yield* landEvents
      yield* evolve({ _tag: "AddColumn", name: "note", type: { _tag: "string" } })
      yield* appendEvents(1, 9)
      yield* landEvents
      yield* appendEvents(0, 9)
      const more = evolve({ _tag: "AddColumn", name: "score", type: { _tag: "double" } })
      const services = yield* Effect.context<Catalog | FileIO>()
      const crossing = atCrossing<void, Effect.Error<typeof landEvents>, Effect.Services<typeof landEvents>>(
        "before-swap",
        1,
        Effect.asVoid(Effect.orDie(Effect.provide(more, services)))
      )
      yield* crossing.during(landEvents)
      assert.isTrue(crossing.happened())
      const rows = yield* rowsOf(
        "SELECT count(*)::INTEGER AS n, count(note)::INTEGER + count(score)::INTEGER AS given FROM t"
      )
      assert.deepStrictEqual(rows, [{ n: 18, given: 0 }])
      yield* assertAllLanded([18, 9])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("writes the default of a column that others added, and goes on when it is required", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 9)
      yield* landEvents
      yield* commitTable({ table: landing, actions: () => Effect.succeed([upgradeFormat(3)]) })
      const type = { _tag: "string" } as const
      yield* evolve(
        { _tag: "AddColumn", name: "origin", type, defaultValue: "log", required: true },
        // of the name that a record's field had when it landed
        { _tag: "RenameColumn", column: "id", name: "event" },
        { _tag: "AddColumn", name: "id", type, defaultValue: "none" }
      )
      yield* evolve({ _tag: "ChangeDefault", column: "origin", defaultValue: "later" })
      yield* appendEvents(1, 9)
      yield* landEvents
      const rows = yield* rowsOf(
        "SELECT source_partition AS p, list(event ORDER BY source_offset) AS events, min(origin) AS a, max(origin) AS b, min(id) AS c, count(id)::INTEGER AS n FROM t GROUP BY p ORDER BY p"
      )
      assert.deepStrictEqual(rows, [
        { p: 0, events: expectedIds, a: "log", b: "log", c: "none", n: 6 },
        { p: 1, events: expectedIds, a: "later", b: "later", c: "none", n: 6 }
      ])
      yield* assertAllLanded([9, 9])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("fills a column by its field id when it is renamed or moved, and another has its name", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 9)
      yield* landEvents
      yield* evolve({ _tag: "RenameColumn", column: "id", name: "event" })
      yield* evolve(
        { _tag: "AddColumn", name: "id", type: { _tag: "string" } },
        { _tag: "MoveColumn", column: "event", to: { _tag: "After", sibling: "source_offset" } }
      )
      yield* evolve({ _tag: "MakeOptional", column: "event" })
      yield* appendEvents(1, 9)
      yield* landEvents
      const rows = yield* rowsOf(
        "SELECT list(event ORDER BY source_offset) AS events, count(id)::INTEGER AS ids FROM t GROUP BY source_partition"
      )
      assert.deepStrictEqual(rows, [
        { events: expectedIds, ids: 0 },
        { events: expectedIds, ids: 0 }
      ])
      yield* assertAllLanded([9, 9])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("goes on by the spec that it declared when new files are to be divided by another", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 9)
      yield* landEvents
      const change = updatePartitionSpec({
        _tag: "AddPartitionField",
        column: "id",
        transform: { _tag: "bucket", buckets: 2 }
      })
      yield* commitTable({ table: landing, actions: () => Effect.succeed([change]) })
      yield* appendEvents(1, 9)
      yield* landEvents
      yield* assertAllLanded([9, 9])
    }).pipe(Effect.provide(layerSystem))
  )

  const stops: ReadonlyArray<readonly [what: string, change: SchemaChange, message: RegExp]> = [
    ["a column is dropped", { _tag: "DropColumn", column: "id" }, /has no column id any more/],
    [
      "a column has another type",
      { _tag: "WidenColumn", column: "source_partition", type: { _tag: "long" } },
      /column source_partition is long, records have int/
    ],
    [
      "a column by which rows are found is renamed",
      { _tag: "RenameColumn", column: "source_offset", name: "position" },
      /column source_offset is called position: rows are found by its name/
    ]
  ]
  for (const [what, change, message] of stops) {
    it.live(`stops in words when ${what}, and nothing is landed`, () =>
      Effect.gen(function* () {
        yield* appendEvents(0, 9)
        yield* landEvents
        yield* evolve(change)
        yield* appendEvents(1, 9)
        const before = yield* snapshotsNow
        const error = yield* Effect.flip(landEvents)
        assert.strictEqual(error.reason, "SchemaDiffers")
        assert.match(error.message, message)
        assert.match(error.message, /^table test\.events .*change it back/)
        assert.strictEqual((yield* snapshotsNow).length, before.length)
      }).pipe(Effect.provide(layerSystem))
    )
  }

  it.live("goes on where it was when a change that stopped it is undone", () =>
    Effect.gen(function* () {
      yield* appendEvents(0, 9)
      yield* landEvents
      yield* evolve({ _tag: "RenameColumn", column: "source_offset", name: "position" })
      yield* appendEvents(1, 9)
      yield* Effect.flip(landEvents)
      yield* evolve({ _tag: "RenameColumn", column: "position", name: "source_offset" })
      yield* landEvents
      yield* assertAllLanded([9, 9])
    }).pipe(Effect.provide(layerSystem))
  )

  it.live("stops when the table requires what records may lack", () =>
    Effect.gen(function* () {
      yield* landEvents
      const { metadata } = yield* loadTable
      const fields = currentSchema(metadata).fields.map((field) => ({ ...field, required: false }))
      const schema = { ...landing.schema, fields }
      const error = yield* Effect.flip(
        runLanding({ ...landing, schema }, { inputComplete: () => Effect.succeed(true) })
      )
      assert.strictEqual(error.reason, "SchemaDiffers")
      assert.match(error.message, /column id is required, records may lack it/)
    }).pipe(Effect.provide(layerSystem))
  )
})
