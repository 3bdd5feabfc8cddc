/**
 * A table that is dropped, or replaced by another of its name, just before a change is swapped in: the caller is told which,
 * the new table gets none of it, no file is taken away, and what is left can be listed and removed.
 */
import { existsSync, rmSync } from "node:fs"
import { FaultPoint, localPath, Storage } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { expireSnapshots } from "../../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../../src/maintenance/RemoveOrphans.ts"
import { appendRows, overwriteRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { updateSchema } from "../../../src/write/TableAction.ts"
import { createAccounts, layerLake, load, readAccounts, schema, table } from "./ChangeFixture.ts"

const rows =
  "SELECT i AS id, CASE WHEN i % 2 = 0 THEN 'de' ELSE 'fr' END AS country, 1.00 AS balance FROM range(4) AS r(i)"
const rowsText = ["0|de|1.00", "1|fr|1.00", "2|de|1.00", "3|fr|1.00"]

const note = updateSchema({ _tag: "AddColumn", name: "note", type: { _tag: "string" } })

const changes = {
  "an append": Effect.asVoid(appendRows(table, rows)),
  "an overwrite": Effect.asVoid(overwriteRows(table, undefined, rows)),
  "a delete": Effect.asVoid(deleteRows(table, { _tag: "Compare", column: "id", operator: "<", value: 3n })),
  "a compaction": Effect.asVoid(compactTable(table, { inputFilesMin: 2 })),
  "a change of schema": Effect.asVoid(commitTable({ table, actions: () => Effect.succeed([note]) })),
  "an expiry": Effect.asVoid(expireSnapshots(table, { snapshotAgeMsMax: 0, snapshotsKeptMin: 1 }))
}

/** Nobody else is at work, so whatever is unnamed may go, however young. */
const youngest = { ageMsMin: -1_000 }

const filesBelow = Effect.fnUntraced(function* (location: string) {
  const found = yield* Stream.runCollect((yield* Storage).list(`${location}/`, { temporary: true }))
  return found.map(({ uri }) => uri).sort()
})

/** The table with two commits; its metadata and its files. */
const makeTable = Effect.gen(function* () {
  yield* createAccounts([])
  for (let commit = 0; commit < 2; commit++) yield* appendRows(table, rows)
  const { metadata } = yield* load
  return { metadata, files: yield* filesBelow(metadata.location) }
})

/** How the change fails when `meanwhile` happens before its first swap. */
const failing = Effect.fnUntraced(function* <A, E, R, E2>(
  change: Effect.Effect<A, E, R>,
  meanwhile: Effect.Effect<unknown, E2, Catalog>
) {
  const services = yield* Effect.context<Catalog>()
  let happened = false
  const hit = (name: string) =>
    Effect.suspend(() => {
      if (name !== "before-swap" || happened) return Effect.void
      happened = true
      return Effect.asVoid(Effect.orDie(Effect.provideContext(meanwhile, services)))
    })
  return yield* Effect.flip(Effect.provideService(change, FaultPoint, { hit }))
})

const drop = Catalog.use((catalog) => catalog.dropTable(table))

const expectNoneGone = (before: ReadonlyArray<string>, after: ReadonlyArray<string>) => {
  assert.deepStrictEqual(
    before.filter((uri) => !after.includes(uri)),
    []
  )
  assert.isAbove(after.length, before.length, "the change had written nothing yet")
}

describe("a table that is dropped before the swap", () => {
  for (const [what, change] of Object.entries(changes)) {
    it.live(`of ${what}: says so, and which folder is left to be removed`, () =>
      Effect.gen(function* () {
        const { files, metadata } = yield* makeTable
        const error = yield* failing(change, drop)
        assert.strictEqual(error.reason, "TableMissing", error.message)
        assert.include(error.message, `its files stay below ${metadata.location}: remove that folder`)
        expectNoneGone(files, yield* filesBelow(metadata.location))
        // no table is there to remove orphans of: as the line says
        assert.strictEqual((yield* Effect.flip(removeOrphans(table, youngest))).reason, "TableMissing")
        const folder = localPath(metadata.location) ?? ""
        assert.isTrue(existsSync(folder))
        rmSync(folder, { recursive: true })
        yield* createAccounts([])
        yield* appendRows(table, rows)
        assert.deepStrictEqual(yield* readAccounts(), rowsText)
        assert.deepStrictEqual((yield* removeOrphans(table, youngest)).removed, [])
      }).pipe(Effect.provide(layerLake))
    )
  }
})

describe("a table that is replaced before the swap", () => {
  for (const [what, change] of Object.entries(changes)) {
    it.live(`of ${what}: says so, and lists what both left once it is told that the first is gone`, () =>
      Effect.gen(function* () {
        const { files, metadata } = yield* makeTable
        const error = yield* failing(change, Effect.andThen(drop, createAccounts([])))
        assert.strictEqual(error.reason, "TableReplaced", error.message)
        assert.match(error.message, /look whether it is meant for that one$/)
        const replacing = yield* load
        assert.lengthOf(replacing.metadata.snapshots, 0)
        assert.lengthOf(replacing.metadata.schemas, 1)
        const left = (yield* filesBelow(metadata.location)).filter((uri) => uri !== replacing.metadataLocation)
        expectNoneGone(files, left)
        // whose the files are only who dropped the table can say
        const refused = yield* Effect.flip(removeOrphans(table, { ...youngest, dryRun: true }))
        const [, uuid] = /metadata of another table \(uuid ([0-9a-f-]{36})\)/.exec(refused.message) ?? []
        assert.strictEqual(uuid, metadata.tableUuid, refused.message)
        const asked = { ...youngest, formerTables: [metadata.tableUuid] }
        assert.deepStrictEqual((yield* removeOrphans(table, { ...asked, dryRun: true })).removed, left)
        yield* appendRows(table, rows)
        assert.deepStrictEqual((yield* removeOrphans(table, asked)).removed, left)
        assert.deepStrictEqual((yield* removeOrphans(table, youngest)).removed, [])
        assert.deepStrictEqual(yield* readAccounts(), rowsText)
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.live("by one that lies elsewhere: the first one's folder is told, and nothing is the second one's orphan", () =>
    Effect.gen(function* () {
      const { files, metadata } = yield* makeTable
      const elsewhere = Catalog.use((catalog) =>
        catalog.createTable({ identifier: table, schema, location: `${metadata.location}-anew` })
      )
      const error = yield* failing(appendRows(table, rows), Effect.andThen(drop, elsewhere))
      assert.strictEqual(error.reason, "TableReplaced", error.message)
      assert.include(error.message, `files of the former one stay below ${metadata.location}`)
      expectNoneGone(files, yield* filesBelow(metadata.location))
      assert.deepStrictEqual((yield* removeOrphans(table, youngest)).removed, [])
      assert.lengthOf((yield* load).metadata.snapshots, 0)
    }).pipe(Effect.provide(layerLake))
  )
})
