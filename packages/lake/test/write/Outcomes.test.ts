/**
 * Every action, when nobody says what became of its commit: by looking it is in the table exactly once, no file of it is
 * removed, and what attempts that were lost left is listed as orphans.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Catalog } from "../../src/catalog/Catalog.ts"
import type { LakeError } from "../../src/LakeError.ts"
import { expireSnapshots } from "../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../src/maintenance/RemoveOrphans.ts"
import type { DeleteFile } from "../../src/spec/DataFile.ts"
import { branchAt } from "../../src/spec/Snapshot.ts"
import {
  append,
  changeRows,
  cherryPick,
  removeRef,
  removeSnapshots,
  removeStatistics,
  repairManifests,
  replaceSortOrder,
  rewriteFiles,
  rewriteManifests,
  rollback,
  setProperties,
  setRef,
  setStatistics,
  type TableAction,
  updatePartitionSpec,
  updateSchema,
  upgradeFormat
} from "../../src/write/TableAction.ts"
import { loadRaw, raw, storedUris } from "../LakeHarness.ts"
import {
  another,
  begin,
  commit,
  type Fate,
  faultyCatalog,
  file,
  layerLake,
  metadataFiles,
  type Past,
  stateOf,
  whileClockRuns
} from "./Outcomes.ts"

const summary = new Map<string, string>()

const positionsIn = (name: string): DeleteFile => ({
  ...file(`deletes-${name}`),
  content: "position-deletes",
  recordCount: 1n,
  lowerBounds: new Map(),
  upperBounds: new Map(),
  equalityIds: [],
  referencedDataFile: file(name).filePath,
  contentOffset: null,
  contentSizeInBytes: null
})

const change = (rows: Partial<Parameters<typeof changeRows>[0]>) => (past: Past) =>
  changeRows({
    removed: [],
    added: [],
    deletes: [],
    replacedDeletes: [],
    readSnapshotId: past.head,
    isolation: "snapshot",
    summary,
    ...rows
  })

const statistics = (past: Past) => ({
  "snapshot-id": past.head,
  "statistics-path": "file:///warehouse/transactions/raw/metadata/head.stats",
  "file-size-in-bytes": 3,
  "file-footer-size-in-bytes": 1,
  "blob-metadata": []
})

/** A new kind of action does not compile until it is here. */
const actions: Readonly<Record<TableAction["_tag"], Readonly<Record<string, (past: Past) => TableAction>>>> = {
  Append: { "an append": () => append([file("new")]), "an empty append": () => append([], new Map([["mark", "7"]])) },
  ChangeRows: {
    "an overwrite": change({ removed: [file("a")], added: [file("new")] }),
    "a delete of files": change({ removed: [file("b")] }),
    "a delete of positions": change({ deletes: [positionsIn("c")] }),
    "an upsert": change({ deletes: [positionsIn("c")], added: [file("new")] })
  },
  RewriteFiles: {
    "a compaction": () =>
      rewriteFiles({ removed: [file("b"), file("d")], added: [file("new")], startingSequenceNumber: 3n, summary })
  },
  RewriteManifests: { "a rewrite of manifests": () => rewriteManifests({ all: true, summary }) },
  RepairManifests: {
    "a repair": ({ listed }) =>
      repairManifests({
        manifests: new Set(listed.map(({ manifestPath }) => manifestPath)),
        facts: new Map([[file("a").filePath, { fileSizeInBytes: 1_001n }]]),
        summary
      })
  },
  CherryPick: {
    "a pick of the head's child": ({ ahead }) => cherryPick(ahead),
    "a pick from beside": ({ beside }) => cherryPick(beside)
  },
  UpdateSchema: {
    "a column that comes": () => updateSchema({ _tag: "AddColumn", name: "note", type: { _tag: "string" } }),
    "a column that goes": () => updateSchema({ _tag: "DropColumn", column: "amount" }),
    "a column renamed": () => updateSchema({ _tag: "RenameColumn", column: "amount", name: "sum" })
  },
  UpdatePartitionSpec: {
    "another division": () =>
      updatePartitionSpec({ _tag: "AddPartitionField", column: "event_id", transform: { _tag: "bucket", buckets: 4 } })
  },
  ReplaceSortOrder: {
    "another order": () =>
      replaceSortOrder({
        column: "event_id",
        transform: { _tag: "identity" },
        direction: "asc",
        nullOrder: "nulls-first"
      })
  },
  SetProperties: { properties: () => setProperties(new Map([["a", "1"]]), ["owner"]) },
  SetRef: {
    "a new branch": ({ first }) => setRef("new", branchAt(first)),
    "a branch that moves": ({ head }) => setRef("beside", branchAt(head)),
    "a new tag": ({ head }) => setRef("v2", { ...branchAt(head), type: "tag" })
  },
  RemoveRef: { "a tag that goes": () => removeRef("v1"), "a branch that goes": () => removeRef("beside") },
  Rollback: { "a rollback": ({ first }) => rollback(first) },
  RemoveSnapshots: { "an expiry": ({ beside }) => removeSnapshots([beside], ["beside"]) },
  SetStatistics: { statistics: (past) => setStatistics("table", statistics(past)) },
  RemoveStatistics: { "statistics that go": ({ first }) => removeStatistics(first) },
  UpgradeFormat: { "an upgrade": () => upgradeFormat(3) }
}

const cases = Object.values(actions).flatMap((each) => Object.entries(each))

const inLake = <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof layerLake>>) =>
  Effect.provide(effect, Layer.fresh(layerLake))

interface Plain {
  readonly state: Effect.Success<typeof stateOf>
  /** Files that the table does not name. */
  readonly left: number
}

const known = new Map<string, Plain>()

/** What the action, and another's commit after it, make of the table when all is well. */
const plain = Effect.fnUntraced(function* (name: string, make: (past: Past) => TableAction, others: boolean) {
  const key = `${name} ${others}`
  const found =
    known.get(key) ??
    (yield* inLake(
      Effect.gen(function* () {
        yield* commit(make(yield* begin))
        if (others) yield* another
        return { state: yield* stateOf, left: (yield* metadataFiles).others.length }
      })
    ))
  known.set(key, found)
  return found
})

const orphans = Effect.map(removeOrphans(raw, { dryRun: true, ageMsMin: -120_000 }), ({ removed }) => removed)

/** All that the table names is there, and all else is listed as orphans. */
const checkFiles = Effect.fnUntraced(function* (said: string) {
  const { missing, others } = yield* metadataFiles
  assert.deepStrictEqual(missing, [], said)
  assert.deepStrictEqual(yield* whileClockRuns(orphans), others, said)
  return others
})

interface End {
  readonly name: string
  readonly make: (past: Past) => TableAction
  /** The table before the commit. */
  readonly before: Effect.Success<typeof standing>
  readonly error: LakeError | undefined
}

const standing = Effect.gen(function* () {
  return { state: yield* stateOf, metadataLocation: (yield* loadRaw).metadataLocation }
})

/** Commits each action, in a lake of its own, to a catalog that does so with it, and looks at what came of it. */
const whicheverAction = <E>(
  fates: ReadonlyArray<Fate>,
  check: (end: End) => Effect.Effect<void, E, Layer.Success<typeof layerLake>>,
  options: Parameters<typeof faultyCatalog>[1] = {}
) =>
  Effect.forEach(
    cases,
    ([name, make]) =>
      inLake(
        Effect.gen(function* () {
          const action = make(yield* begin)
          const before = yield* standing
          const catalog = yield* faultyCatalog(fates, options)
          const result = yield* whileClockRuns(Effect.result(Effect.provideService(commit(action), Catalog, catalog)))
          yield* check({ name, make, before, error: result._tag === "Failure" ? result.failure : undefined })
        })
      ),
    { discard: true }
  )

describe("a commit that is not answered", () => {
  const once: ReadonlyArray<readonly [string, ReadonlyArray<Fate>]> = [
    ["was taken", ["taken"]],
    ["was taken, and another's came after it", ["taken, then another's"]],
    ["is taken once it was looked for", ["taken once it was looked for"]],
    ["was lost, on a server", ["lost"]],
    ["was lost, in a database", ["lost before the swap"]],
    ["was lost three times, then taken", ["lost", "lost before the swap", "lost", "taken"]]
  ]
  for (const [what, fates] of once) {
    it.effect(
      `is in the table exactly once when it ${what}, whichever action it is`,
      () =>
        whicheverAction(
          fates,
          Effect.fnUntraced(function* ({ error, make, name }) {
            const said = `${name} that ${what}`
            assert.isUndefined(error, `${said}: ${String(error)}`)
            const expected = yield* plain(name, make, fates.includes("taken, then another's"))
            assert.deepStrictEqual(yield* stateOf, expected.state, said)
            const left = (yield* checkFiles(said)).length
            const lost = fates.some((fate) => fate.startsWith("lost"))
            if (fates.includes("lost before the swap")) assert.isAbove(left, expected.left, said)
            else if (!lost && !fates.includes("taken once it was looked for")) {
              assert.strictEqual(left, expected.left, said)
            }
          })
        ),
      120_000
    )
  }

  for (const [where, fate] of [
    ["on a server", "lost"],
    ["in a database", "lost before the swap"]
  ] as const) {
    it.effect(
      `is OutcomeUnknown when it is lost each time, ${where}: the table as it was, its files orphans`,
      () =>
        whicheverAction(
          Array<Fate>(5).fill(fate),
          Effect.fnUntraced(function* ({ before, error, name }) {
            assert.strictEqual(error?.reason, "OutcomeUnknown", `${name}: ${String(error)}`)
            assert.deepStrictEqual(yield* standing, before, name)
            if (fate === "lost before the swap") {
              // may yet be put in force, for all that anybody knows: the next commit settles it
              const refused = yield* whileClockRuns(Effect.flip(orphans))
              assert.match(refused.message, /newer than the catalog's metadata/, name)
              yield* commit(setProperties(new Map([["next", "1"]])))
              assert.isAtLeast((yield* checkFiles(name)).length, 5, name)
            } else yield* checkFiles(name)
          })
        ),
      120_000
    )
  }

  it.effect(
    "is OutcomeUnknown when the catalog cannot be asked either: it is in, and nothing of it is removed",
    () =>
      whicheverAction(
        ["taken"],
        Effect.fnUntraced(function* ({ error, make, name }) {
          assert.strictEqual(error?.reason, "OutcomeUnknown", name)
          const expected = yield* plain(name, make, false)
          assert.deepStrictEqual(yield* stateOf, expected.state, name)
          assert.lengthOf(yield* checkFiles(name), expected.left, name)
        }),
        { away: true }
      ),
    120_000
  )

  for (const [what, move] of [
    ["moved", ({ head }: Past) => commit(setRef("beside", branchAt(head)))],
    ["made", ({ first }: Past) => commit(setRef("fresh", branchAt(first)))],
    ["taken back", ({ first }: Past) => commit(rollback(first), "ahead")]
  ] as const) {
    it.effect(`leaves what another commits to a branch that was ${what}`, () =>
      Effect.gen(function* () {
        const past = yield* begin
        const branch = { moved: "beside", made: "fresh", "taken back": "ahead" }[what]
        const catalog = yield* faultyCatalog(["taken, then another's"], {
          other: commit(append([file("others")]), branch)
        })
        yield* whileClockRuns(Effect.provideService(move(past), Catalog, catalog))
        const { metadata } = yield* loadRaw
        const head = metadata.snapshots.find(({ snapshotId }) => snapshotId === metadata.refs.get(branch)?.snapshotId)
        const last = metadata.snapshots.toSorted((a, b) => Number(a.sequenceNumber - b.sequenceNumber)).at(-1)
        assert.strictEqual(head?.snapshotId, last?.snapshotId)
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.effect("of an expiry removes files only when it is known to be in", () =>
    Effect.gen(function* () {
      for (const [fates, away, reason] of [
        [["taken"], false, undefined],
        [["lost", "lost before the swap"], false, undefined],
        [["taken"], true, "OutcomeUnknown"],
        [Array<Fate>(11).fill("lost"), false, "OutcomeUnknown"]
      ] as const) {
        const said = `${fates.join(", ")}${away ? ", away" : ""}`
        yield* inLake(
          Effect.gen(function* () {
            yield* begin
            yield* TestClock.adjust("1 minute")
            const before = yield* storedUris
            const catalog = yield* faultyCatalog(fates, { away })
            const expiry = expireSnapshots(raw, { snapshotAgeMsMax: 0, snapshotsKeptMin: 1 })
            const result = yield* whileClockRuns(Effect.result(Effect.provideService(expiry, Catalog, catalog)))
            assert.strictEqual(result._tag === "Failure" ? result.failure.reason : undefined, reason, said)
            assert.deepStrictEqual((yield* metadataFiles).missing, [], said)
            const after = new Set(yield* storedUris)
            const gone = before.filter((uri) => !after.has(uri))
            if (reason === undefined) assert.isAbove(gone.length, 0, said)
            else assert.deepStrictEqual(gone, [], said)
          })
        )
      }
    })
  )
})
