/** A change that fails and leaves the table as it was: what must hold of it, whatever stopped it. */
import { Storage } from "@frazil/core"
import { assert } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { removeOrphans } from "../../../src/maintenance/RemoveOrphans.ts"
import { readTable } from "../../../src/read/ReadTable.ts"
import { load, table } from "./ChangeFixture.ts"

/** Everything below the table's folder, what is being written too. */
export const filesOf = Effect.gen(function* () {
  const { metadata } = yield* load
  const objects = yield* Stream.runCollect((yield* Storage).list(`${metadata.location}/`, { temporary: true }))
  return objects.map(({ uri }) => uri).sort()
})

/** Every row, in order of its id. */
const rowsText = Effect.gen(function* () {
  const { rows } = yield* readTable(yield* load, { query: "SELECT * FROM t ORDER BY id" })
  return rows.map((row) => Object.values(row).map(String).join("|"))
})

/** Fails with `reason`; the table's metadata and rows are what they were, and new files are what orphan removal finds. */
export const expectUntouched = Effect.fnUntraced(function* <
  A,
  E extends { readonly reason: string; message: string },
  R
>(change: Effect.Effect<A, E, R>, reason: string) {
  const before = yield* load
  const files = new Set(yield* filesOf)
  const rows = yield* rowsText
  const error = yield* Effect.flip(change)
  assert.strictEqual(error.reason, reason, error.message)
  assert.strictEqual((yield* load).metadataLocation, before.metadataLocation)
  assert.deepStrictEqual(yield* rowsText, rows)
  const left = (yield* filesOf).filter((uri) => !files.has(uri))
  // nobody else is at work, so whatever is unnamed may go, however young
  const orphans = yield* removeOrphans(table, { dryRun: true, ageMsMin: -1_000 })
  assert.deepStrictEqual(orphans.removed, left)
  return { error, left }
})
