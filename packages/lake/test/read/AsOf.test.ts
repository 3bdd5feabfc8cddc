/** Moments of a table by id, time, branch and tag; what is not there is answered by what is. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { type AsOf, resolveAsOf } from "../../src/read/AsOf.ts"
import { applyUpdates } from "../../src/spec/MetadataUpdate.ts"
import { branchAt, type Snapshot } from "../../src/spec/Snapshot.ts"
import type { TableMetadata } from "../../src/spec/TableMetadata.ts"
import { eventTable } from "../LakeFixtures.ts"

const startMs = 1_700_000_000_000

const snapshot = (id: bigint, parentSnapshotId: bigint | null): Snapshot => ({
  snapshotId: id,
  parentSnapshotId,
  sequenceNumber: id,
  timestampMs: startMs + Number(id) * 1000,
  manifestList: `file:///warehouse/snap-${id}.avro`,
  operation: "append",
  summary: new Map(),
  schemaId: 0
})

const add = (base: TableMetadata, id: bigint, name: string): TableMetadata =>
  applyUpdates(
    base,
    `file:///warehouse/${id}.metadata.json`,
    [
      { _tag: "AddSnapshot", snapshot: snapshot(id, base.currentSnapshotId) },
      { _tag: "SetSnapshotRef", name, ref: branchAt(id) }
    ],
    startMs
  )

// 1 and 2 on main, 3 on a branch, a tag at 1
const metadata = applyUpdates(
  add(add(add(eventTable(), 1n, "main"), 2n, "main"), 3n, "trial"),
  "file:///warehouse/x.metadata.json",
  [{ _tag: "SetSnapshotRef", name: "audited", ref: { ...branchAt(1n), type: "tag" } }],
  startMs
)

const cases: ReadonlyArray<readonly [AsOf, bigint]> = [
  [{ _tag: "Current" }, 2n],
  [{ _tag: "SnapshotId", snapshotId: 1n }, 1n],
  [{ _tag: "SnapshotId", snapshotId: 3n }, 3n],
  [{ _tag: "Timestamp", timestampMs: startMs + 1000 }, 1n],
  [{ _tag: "Timestamp", timestampMs: startMs + 1999 }, 1n],
  // of main: what a branch had then is its own
  [{ _tag: "Timestamp", timestampMs: startMs + 9000 }, 2n],
  [{ _tag: "Ref", name: "main" }, 2n],
  [{ _tag: "Ref", name: "trial" }, 3n],
  [{ _tag: "Ref", name: "audited" }, 1n]
]

const unknown: ReadonlyArray<readonly [AsOf, string]> = [
  [{ _tag: "SnapshotId", snapshotId: 42n }, "it has 3 snapshots, the newest 3 of 2023-11-14T22:13:23.000Z"],
  [{ _tag: "Timestamp", timestampMs: startMs }, "its history begins at 2023-11-14T22:13:21.000Z"],
  [{ _tag: "Ref", name: "none" }, "it has audited, main, trial"]
]

describe("resolveAsOf", () => {
  it("finds snapshots by id, time, branch and tag", () => {
    for (const [asOf, id] of cases) {
      const found = Result.getOrThrow(resolveAsOf(metadata, asOf))
      assert.strictEqual(
        found.snapshot?.snapshotId,
        id,
        JSON.stringify(asOf, (_, value) => String(value))
      )
    }
  })

  it("says what there is instead of one that is not there", () => {
    for (const [asOf, text] of unknown) {
      const error = Result.getOrThrow(Result.flip(resolveAsOf(metadata, asOf)))
      assert.strictEqual(error.reason, "SnapshotMissing")
      assert.include(error.message, text)
    }
    const none = Result.getOrThrow(Result.flip(resolveAsOf(eventTable(), { _tag: "SnapshotId", snapshotId: 1n })))
    assert.include(none.message, "it has none")
  })
})
