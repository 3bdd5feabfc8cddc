/** A commit as a catalog would get it, taken aside before anything of it is written. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog, type TableCommit, type TableIdentifier } from "../../src/catalog/Catalog.ts"
import { LakeError } from "../../src/LakeError.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import type { TableAction } from "../../src/write/TableAction.ts"

const stop = new LakeError({ reason: "Refused", message: "taken aside" })

export const takenAside = Effect.fnUntraced(function* (table: TableIdentifier, ...actions: ReadonlyArray<TableAction>) {
  const catalog = yield* Catalog
  const taken: Array<TableCommit> = []
  const aside = Catalog.of({
    ...catalog,
    commit: (commit) => Effect.suspend(() => (taken.push(commit), Effect.fail(stop)))
  })
  const commit = commitTable({ table, actions: () => Effect.succeed(actions) })
  assert.strictEqual(yield* Effect.flip(Effect.provideService(commit, Catalog, aside)), stop)
  return taken[0]!
})
