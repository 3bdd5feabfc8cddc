/** A commit as a catalog would get it, taken aside before anything of it is written. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog, type TableCommit, type TableIdentifier } from "../../src/catalog/Catalog.ts"
import { LakeError } from "../../src/LakeError.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import type { TableAction } from "../../src/write/TableAction.ts"

const stop = new LakeError({ reason: "Refused", message: "taken aside" })

/** The first commit that it would make. */
export const commitAside = Effect.fnUntraced(function* <E, R>(committing: Effect.Effect<unknown, E, R>) {
  const catalog = yield* Catalog
  const taken: Array<TableCommit> = []
  const aside = Catalog.of({
    ...catalog,
    commit: (commit) => Effect.suspend(() => (taken.push(commit), Effect.fail(stop)))
  })
  const failure: unknown = yield* Effect.flip(Effect.provideService(committing, Catalog, aside))
  assert.strictEqual(failure, stop)
  return taken[0]!
})

export const takenAside = (table: TableIdentifier, ...actions: ReadonlyArray<TableAction>) =>
  commitAside(commitTable({ table, actions: () => Effect.succeed(actions) }))
