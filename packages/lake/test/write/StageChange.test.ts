import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { DataFile } from "../../src/spec/DataFile.ts"
import { currentSnapshot } from "../../src/spec/TableMetadata.ts"
import { commitTable } from "../../src/write/CommitTable.ts"
import { changeRows, rewriteFiles, setProperties, type TableAction } from "../../src/write/TableAction.ts"
import { eventFile } from "../LakeFixtures.ts"
import { appendRaw, createRaw, layerLake, loadRaw, raw } from "../LakeHarness.ts"

const file = (name: string) => eventFile(name, 20_000, 0, 10)
const commit = (...actions: ReadonlyArray<TableAction>) =>
  commitTable({ table: raw, actions: () => Effect.succeed(actions) })

/** Takes `a` out, decided by the snapshot that had it alone. */
const withoutA = (a: DataFile, readSnapshotId: bigint) =>
  commit(
    changeRows({
      removed: [a],
      added: [],
      deletes: [],
      replacedDeletes: [],
      readSnapshotId,
      isolation: "serializable",
      summary: new Map()
    })
  )

describe("changeRows, serializable", () => {
  it.effect("notices rows that came since, also where their manifest was merged or their file rewritten", () =>
    Effect.gen(function* () {
      yield* createRaw
      yield* commit(setProperties(new Map([["commit.manifest.min-count-to-merge", "2"]])))
      const [a, b, c] = [file("a"), file("b"), file("c")]
      const read = (yield* appendRaw([a])).snapshot!.snapshotId
      yield* appendRaw([b])
      assert.strictEqual((yield* Effect.flip(withoutA(a, read))).reason, "RequirementFailed")
      // merges the manifests of both
      yield* appendRaw([c])
      assert.strictEqual((yield* Effect.flip(withoutA(a, read))).reason, "RequirementFailed")
      const before = currentSnapshot((yield* loadRaw).metadata)!
      const startingSequenceNumber = before.sequenceNumber
      yield* commit(rewriteFiles({ removed: [b, c], added: [file("d")], startingSequenceNumber, summary: new Map() }))
      assert.strictEqual((yield* Effect.flip(withoutA(a, read))).reason, "RequirementFailed")
      // a rewrite alone brings nothing
      assert.strictEqual((yield* withoutA(a, before.snapshotId)).snapshot?.operation, "delete")
    }).pipe(Effect.provide(layerLake))
  )
})
