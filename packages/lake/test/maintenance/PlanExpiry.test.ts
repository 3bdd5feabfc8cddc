/**
 * What expiry keeps: by the cases of Java's `TestRemoveSnapshots`, and against the specification's words ("Snapshot Retention
 * Policy") said of each snapshot by itself.
 */
import { assert, describe, it } from "@effect/vitest"
import { planExpiry, type Retention } from "../../src/maintenance/PlanExpiry.ts"
import type { Snapshot, SnapshotRef } from "../../src/spec/Snapshot.ts"
import type { TableMetadata } from "../../src/spec/TableMetadata.ts"
import { eventTable } from "../LakeFixtures.ts"
import { seeded } from "../write/parquet/WriterCases.ts"

const longMax = 9_223_372_036_854_775_807n

/** A snapshot: its parent, and when it was made. */
type Made = readonly [parent: number | null, atMs: number]

interface Ref {
  readonly of: number
  readonly type?: SnapshotRef["type"]
  readonly refAge?: bigint
  readonly age?: bigint
  readonly keep?: number
}

const metadataOf = (
  made: ReadonlyArray<Made>,
  refs: Readonly<Record<string, Ref>>,
  properties: Readonly<Record<string, string>> = {}
): TableMetadata => ({
  ...eventTable(new Map(Object.entries(properties))),
  currentSnapshotId: refs["main"] === undefined ? null : BigInt(refs["main"].of),
  snapshots: made.map(([parent, timestampMs], i): Snapshot => ({
    snapshotId: BigInt(i),
    parentSnapshotId: parent === null ? null : BigInt(parent),
    sequenceNumber: BigInt(i + 1),
    timestampMs,
    manifestList: `file:///list-${i}`,
    operation: "append",
    summary: new Map(),
    schemaId: 0
  })),
  refs: new Map(
    Object.entries(refs).map(([name, { age, keep, of, refAge, type = "branch" }]) => [
      name,
      {
        snapshotId: BigInt(of),
        type,
        minSnapshotsToKeep: keep ?? null,
        maxSnapshotAgeMs: age ?? null,
        maxRefAgeMs: refAge ?? null
      }
    ])
  )
})

const nowMs = 10_000

/** A B C, one after the other. */
const line: ReadonlyArray<Made> = [
  [null, 1_000],
  [0, 2_000],
  [1, 3_000]
]
/** C is the child of A, beside B. */
const fork: ReadonlyArray<Made> = [
  [null, 1_000],
  [0, 2_000],
  [0, 3_000]
]
/** Older than so many milliseconds after the start, and the newest. */
const olderThan = (atMs: number, snapshotsKeptMin = 1): Retention => ({
  snapshotAgeMsMax: nowMs - atMs,
  snapshotsKeptMin
})

interface Case {
  readonly made: ReadonlyArray<Made>
  readonly refs: Readonly<Record<string, Ref>>
  readonly asked?: Retention
  readonly properties?: Readonly<Record<string, string>>
  readonly gone: ReadonlyArray<number>
  readonly over?: ReadonlyArray<string>
}

const cases: Readonly<Record<string, Case>> = {
  testExpireOlderThan: { made: line, refs: { main: { of: 2 } }, asked: olderThan(9_000), gone: [0, 1] },
  testExpireOlderThanWithRollback: { made: line, refs: { main: { of: 1 } }, asked: olderThan(9_000), gone: [0, 2] },
  testRetainLastWithExpireOlderThan: { made: line, refs: { main: { of: 2 } }, asked: olderThan(3_000, 2), gone: [0] },
  testRetainLastWithTooFewSnapshots: {
    made: line.slice(0, 2),
    refs: { main: { of: 1 } },
    asked: olderThan(3_000, 3),
    gone: []
  },
  testRetainNLargerThanCurrentSnapshots: {
    made: line,
    refs: { main: { of: 2 } },
    asked: olderThan(3_001, 4),
    gone: []
  },
  // what is as old as the limit is not older
  testRetainLastKeepsExpiringSnapshot: {
    made: [...line, [2, 4_000]],
    refs: { main: { of: 3 } },
    asked: olderThan(2_000, 2),
    gone: [0]
  },
  testWithExpiringDanglingStageCommit: { made: fork, refs: { main: { of: 2 } }, asked: olderThan(2_001), gone: [0, 1] },
  testExpireWithDefaultRetainLast: {
    made: [...line, [2, 4_000]],
    refs: { main: { of: 3 } },
    asked: { snapshotAgeMsMax: 0 },
    properties: { "history.expire.min-snapshots-to-keep": "3" },
    gone: [0]
  },
  testExpireWithDefaultSnapshotAge: {
    made: line,
    refs: { main: { of: 2 } },
    asked: { snapshotsKeptMin: 1 },
    properties: { "history.expire.max-snapshot-age-ms": "1" },
    gone: [0, 1]
  },
  testTagExpiration: {
    made: line,
    refs: { main: { of: 1 }, branch: { of: 1 }, tag: { of: 0, type: "tag", refAge: 100n } },
    gone: [],
    over: ["tag"]
  },
  testBranchExpiration: {
    made: line,
    refs: { main: { of: 1 }, branch: { of: 0, refAge: 100n }, tag: { of: 1, type: "tag" } },
    gone: [],
    over: ["branch"]
  },
  testRetainUnreferencedSnapshotsWithinExpirationAge: {
    made: fork,
    refs: { main: { of: 2 } },
    asked: olderThan(1_500),
    gone: [0]
  },
  testUnreferencedSnapshotParentOfTag: {
    made: line,
    refs: { main: { of: 0 }, tag: { of: 2, type: "tag" } },
    asked: olderThan(2_500),
    gone: [1]
  },
  testSnapshotParentOfBranchNotUnreferenced: {
    made: line,
    refs: { main: { of: 0 }, branch: { of: 2, age: longMax } },
    asked: olderThan(2_500),
    gone: []
  },
  "testMinSnapshotsToKeepMultipleBranches, kept": {
    made: line,
    refs: { main: { of: 1, keep: 1, age: 1n }, branch: { of: 2, keep: 3, age: 1n } },
    gone: []
  },
  "testMinSnapshotsToKeepMultipleBranches, no longer": {
    made: line,
    refs: { main: { of: 1, keep: 1, age: 1n }, branch: { of: 2, keep: 1, age: 1n } },
    gone: [0]
  },
  "testMaxSnapshotAgeMultipleBranches, kept": {
    made: line,
    refs: { main: { of: 1, keep: 1, age: 10n }, branch: { of: 2, keep: 1, age: longMax } },
    gone: []
  },
  "testMaxSnapshotAgeMultipleBranches, no longer": {
    made: line,
    refs: { main: { of: 1, keep: 1, age: 10n }, branch: { of: 2, keep: 1, age: 10n } },
    gone: [0]
  },
  testFileCleanupOnAllRefsAgedOff: {
    made: line.slice(0, 2),
    refs: { main: { of: 1 }, tag: { of: 0, type: "tag", refAge: 20n } },
    asked: olderThan(nowMs),
    gone: [0],
    over: ["tag"]
  },
  testCleanupWhenBranchOnMainAgedOff: {
    made: line,
    refs: { main: { of: 2 }, test: { of: 0, refAge: 20n, keep: 1 } },
    asked: olderThan(nowMs),
    gone: [0, 1],
    over: ["test"]
  },
  // `computeRetainedRefs`
  "a ref at the age where it may still be": {
    made: line,
    refs: { main: { of: 2 }, at: { of: 0, type: "tag", refAge: 9_000n }, past: { of: 0, type: "tag", refAge: 8_999n } },
    gone: [],
    over: ["past"]
  },
  "a ref without an age of its own, by history.expire.max-ref-age-ms": {
    made: line,
    refs: { main: { of: 2 }, old: { of: 0 }, young: { of: 1, type: "tag" }, own: { of: 0, refAge: longMax } },
    properties: { "history.expire.max-ref-age-ms": "8000" },
    gone: [],
    over: ["old"]
  },
  "main, which never goes": {
    made: line,
    refs: { main: { of: 0, refAge: 1n } },
    properties: { "history.expire.max-ref-age-ms": "1" },
    gone: []
  },
  "a ref that leads nowhere": { made: line, refs: { main: { of: 2 }, lost: { of: 9 } }, gone: [], over: ["lost"] },
  "for ever, as others say it": {
    made: [
      [null, -90 * 86_400_000],
      [0, 2_000]
    ],
    refs: { main: { of: 1 } },
    asked: { snapshotsKeptMin: 1 },
    properties: { "history.expire.max-snapshot-age-ms": String(longMax) },
    gone: []
  }
}

/** Of each snapshot by itself, as the specification says it. */
const goesByTheWords = (
  made: ReadonlyArray<Made>,
  refs: Readonly<Record<string, Ref>>,
  ageMax: number,
  keptMin: number
): { readonly gone: ReadonlyArray<bigint>; readonly over: ReadonlyArray<string> } => {
  const age = (i: number) => nowMs - made[i]![1]
  const over = Object.entries(refs).flatMap(([name, { of, refAge }]) =>
    name !== "main" && refAge !== undefined && BigInt(age(of)) > refAge ? [name] : []
  )
  const lineOf = (of: number): ReadonlyArray<number> => {
    const parent = made[of]![0]
    return parent === null ? [of] : [of, ...lineOf(parent)]
  }
  const left = Object.entries(refs).flatMap(([name, ref]) => (over.includes(name) ? [] : [ref]))
  const stays = (i: number): boolean => {
    const leading = left.filter(({ of, type }) => of === i || (type !== "tag" && lineOf(of).includes(i)))
    if (leading.length === 0) return age(i) <= ageMax
    return leading.some((ref) => {
      const before = lineOf(ref.of).slice(0, lineOf(ref.of).indexOf(i) + 1)
      const young = (each: number) => BigInt(age(each)) <= (ref.age ?? BigInt(ageMax))
      return ref.of === i || before.every((each, at) => at < (ref.keep ?? keptMin) || young(each))
    })
  }
  return { gone: made.flatMap((_, i) => (stays(i) ? [] : [BigInt(i)])), over }
}

describe("what expires", () => {
  for (const [name, { asked = { snapshotAgeMsMax: 1e12 }, gone, made, over = [], properties, refs }] of Object.entries(
    cases
  )) {
    it(`is as Java has it: ${name}`, () => {
      const plan = planExpiry(metadataOf(made, refs, properties), asked, nowMs)
      assert.deepStrictEqual(plan.snapshotIds.map(Number), gone)
      assert.deepStrictEqual(plan.refs, over)
    })
  }

  it("is what the specification says of each snapshot, whatever the branches and tags (seeds 1 to 500)", () => {
    let [gone, over] = [0, 0]
    for (let seed = 1; seed <= 500; seed++) {
      const below = seeded(seed)
      const made = Array.from({ length: 1 + below(9) }, (_, i): Made => [
        i === 0 || below(8) === 0 ? null : Math.max(0, i - 1 - below(3)),
        // some are as old as a limit, and clocks of writers differ
        1_000 * below(10)
      ])
      const ref = (): Ref => ({
        of: below(made.length),
        ...(below(3) === 0 ? { type: "tag" } : {}),
        ...(below(2) === 0 ? { refAge: BigInt(1_000 * below(11)) } : {}),
        ...(below(2) === 0 ? { age: BigInt(1_000 * below(11)) } : {}),
        ...(below(2) === 0 ? { keep: 1 + below(4) } : {})
      })
      const names = ["main", "a", "b", "c"].slice(0, 1 + below(4))
      const refs = Object.fromEntries(
        names.map((name): readonly [string, Ref] => [name, name === "main" ? { ...ref(), type: "branch" } : ref()])
      )
      const asked = { snapshotAgeMsMax: 1_000 * below(11), snapshotsKeptMin: 1 + below(4) }
      const plan = planExpiry(metadataOf(made, refs), asked, nowMs)
      const words = goesByTheWords(made, refs, asked.snapshotAgeMsMax, asked.snapshotsKeptMin)
      assert.deepStrictEqual(plan.snapshotIds, words.gone, `seed ${seed}`)
      assert.deepStrictEqual(plan.refs, words.over, `seed ${seed}`)
      gone += words.gone.length
      over += words.over.length
    }
    assert.isAbove(gone, 300, "too little goes for it to show anything")
    assert.isAbove(over, 100)
  })
})
