/**
 * Random sequences of every action of a table against a table in memory: whatever their order, every snapshot that is kept, every
 * branch and every tag reads as the model says, what has gone says so, and the table audits as right.
 *
 * `FRAZIL_MODEL_SEEDS=200` runs that many; a failure names its seed and the actions up to it.
 */
import { Storage } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { FileIO } from "../../../src/io/FileIO.ts"
import { auditFacts } from "../../../src/maintenance/audit/AuditFacts.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { compactManifests } from "../../../src/maintenance/CompactManifests.ts"
import { expireSnapshots } from "../../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../../src/maintenance/RemoveOrphans.ts"
import type { AsOf } from "../../../src/read/AsOf.ts"
import { planScan } from "../../../src/read/PlanScan.ts"
import { readTable } from "../../../src/read/ReadTable.ts"
import { liveFiles } from "../../../src/spec/Manifest.ts"
import type { PartitionChange } from "../../../src/spec/PartitionChange.ts"
import { partitionSpec } from "../../../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../../../src/spec/Schema.ts"
import { branchAt } from "../../../src/spec/Snapshot.ts"
import { ancestorsOf, currentSnapshot } from "../../../src/spec/TableMetadata.ts"
import { appendRows, overwritePartitions, overwriteRows, upsertRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import {
  cherryPick,
  removeRef,
  removeStatistics,
  repairManifests,
  replaceSortOrder,
  rollback,
  setProperties,
  setRef,
  setStatistics,
  type TableAction,
  updatePartitionSpec,
  updateSchema,
  upgradeFormat
} from "../../../src/write/TableAction.ts"
import { seeded } from "../parquet/WriterCases.ts"
import { layerLake, load, table } from "./ChangeFixture.ts"
import {
  addColumn,
  type Evolved,
  partitionAdded,
  partitionRemoved,
  partitionRenamed,
  schemaChange,
  schemaChangeKinds
} from "./ModelStructure.ts"
import {
  balanceKey,
  chooseFilter,
  column,
  countryKey,
  idKey,
  type Kind,
  kinds,
  newRow,
  partitionOf,
  someRows,
  type World,
  written
} from "./ModelWorld.ts"
import { type Column, linesOf, linesRead, type Row } from "./TableModel.ts"

const seeds = Number(process.env["FRAZIL_MODEL_SEEDS"] ?? 4)
const steps = 32

const schema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: "id", required: true, type: { _tag: "long" } },
    { id: 2, name: "country", required: false, type: { _tag: "string" } },
    { id: 3, name: "balance", required: false, type: { _tag: "decimal", precision: 12, scale: 2 } }
  ]
}

const firstColumns: ReadonlyArray<Column> = [
  { key: idKey, name: "id", type: "long", initial: null, write: null },
  { key: countryKey, name: "country", type: "string", initial: null, write: null },
  { key: balanceKey, name: "balance", type: "decimal", initial: null, write: null }
]

const kindsOf = (action: TableAction): ReadonlyArray<Kind> =>
  action._tag === "UpdateSchema" || action._tag === "UpdatePartitionSpec"
    ? [action._tag, ...action.changes.map(({ _tag }) => _tag)]
    : [action._tag]

const show = (world: World, ...shown: ReadonlyArray<Kind>): void => {
  for (const kind of shown) world.shown.add(kind)
}

const commit = (world: World, ...actions: ReadonlyArray<TableAction>) =>
  Effect.tap(commitTable({ table, actions: () => Effect.succeed(actions) }), () =>
    Effect.sync(() => show(world, ...actions.flatMap(kindsOf)))
  )

/** Remembers the snapshots that are new, all of which have the branch's rows now. */
const remember = Effect.fnUntraced(function* (world: World, branch: string, appended?: ReadonlyArray<Row>) {
  const { metadata } = yield* load
  const rows = world.branches.get(branch) ?? []
  for (const { operation, snapshotId } of metadata.snapshots) {
    if (world.snapshots.has(snapshotId)) continue
    world.snapshots.set(snapshotId, {
      rows,
      columns: world.columns,
      appended: operation === "append" ? appended : undefined
    })
  }
})

type Act = Effect.Effect<void, unknown, Layers>
type Layers = Effect.Services<ReturnType<typeof compactTable>>

/** A branch that there is; rows of it are changed. */
const someBranch = ({ below, branches }: World): string => Array.from(branches.keys())[below(branches.size)]!

const changed = (world: World, branch: string, rows: ReadonlyArray<Row>, appended?: ReadonlyArray<Row>) =>
  Effect.gen(function* () {
    world.branches.set(branch, rows)
    yield* remember(world, branch, appended)
  })

const appendTo = Effect.fnUntraced(function* (world: World, branch: string) {
  const { rows, select } = written(world, someRows(world, 6))
  yield* appendRows(table, select, { branch })
  show(world, "Append")
  yield* changed(world, branch, [...world.branches.get(branch)!, ...rows], rows)
})

const rowActions: Readonly<Record<string, (world: World) => Act>> = {
  append: (world) => appendTo(world, someBranch(world)),
  delete: (world) =>
    Effect.gen(function* () {
      const branch = someBranch(world)
      const { filter, means } = chooseFilter(world)
      yield* deleteRows(table, filter, { branch })
      yield* changed(
        world,
        branch,
        world.branches.get(branch)!.filter((row) => !means(row))
      )
    }),
  overwrite: (world) =>
    Effect.gen(function* () {
      const branch = someBranch(world)
      const { filter, means } = chooseFilter(world)
      const { rows, select } = written(world, someRows(world, 4))
      yield* overwriteRows(table, filter, select, { branch })
      yield* changed(world, branch, [...world.branches.get(branch)!.filter((row) => !means(row)), ...rows])
    }),
  "overwrite partitions": (world) =>
    Effect.gen(function* () {
      const branch = someBranch(world)
      const { rows, select } = written(world, someRows(world, 3))
      yield* overwritePartitions(table, select, { branch })
      const gone = new Set(rows.map((row) => partitionOf(world, row)))
      const kept = world.branches.get(branch)!.filter((row) => !gone.has(partitionOf(world, row)))
      yield* changed(world, branch, [...kept, ...rows])
    }),
  upsert: (world) =>
    Effect.gen(function* () {
      const branch = someBranch(world)
      const before = world.branches.get(branch)!
      const known = before.filter(() => world.below(3) === 0).map((row) => newRow(world, Number(row.get(idKey))))
      const { rows, select } = written(world, [...known, ...someRows(world, 3)])
      yield* upsertRows(table, [column(world, idKey).name], select, { branch })
      show(world, "ChangeRows")
      const ids = new Set(rows.map((row) => row.get(idKey)))
      yield* changed(world, branch, [...before.filter((row) => !ids.has(row.get(idKey))), ...rows])
    }),
  "rewrite files": (world) =>
    Effect.gen(function* () {
      const { snapshotId } = yield* compactTable(table, { inputFilesMin: 2 })
      if (snapshotId !== undefined) show(world, "RewriteFiles")
      yield* remember(world, "main")
    }),
  "rewrite manifests": (world) =>
    Effect.gen(function* () {
      const { snapshotId } = yield* compactManifests(table, { all: world.below(2) === 0 })
      if (snapshotId !== undefined) show(world, "RewriteManifests")
      yield* remember(world, "main")
    }),
  // of a manifest's files nothing is known any more but what has to be
  "repair manifests": (world) =>
    Effect.gen(function* () {
      const head = currentSnapshot((yield* load).metadata)
      if (head === undefined) return
      const manifests = (yield* (yield* FileIO).readManifestList(head.manifestList)).filter(
        (manifest) => liveFiles(manifest) > 0
      )
      const chosen = manifests[world.below(Math.max(1, manifests.length))]
      if (chosen === undefined) return
      const none = { lowerBounds: new Map(), upperBounds: new Map(), nullValueCounts: new Map() }
      const { entries } = yield* planScan(yield* load)
      const facts = new Map(entries.map(({ dataFile }) => [dataFile.filePath, none]))
      const repair = { manifests: new Set([chosen.manifestPath]), facts, summary: new Map() }
      yield* commit(world, repairManifests(repair))
      yield* remember(world, "main")
    })
}

const evolve = Effect.fnUntraced(function* (world: World, { changes, columns }: Evolved) {
  yield* commit(world, updateSchema(...changes))
  world.columns = columns
})

const repartition = (world: World, change: PartitionChange | undefined): Act =>
  change === undefined ? Effect.void : Effect.asVoid(commit(world, updatePartitionSpec(change)))

const upgrade = Effect.fnUntraced(function* (world: World) {
  yield* commit(world, upgradeFormat(3))
  world.version = 3
})

const structureActions: Readonly<Record<string, (world: World) => Act>> = {
  ...Object.fromEntries(
    schemaChangeKinds.map((kind) => [
      kind,
      (world: World) =>
        Effect.gen(function* () {
          const change = schemaChange(world, kind)
          if (change !== undefined) return yield* evolve(world, change)
          // only version 3 has defaults
          if (kind === "ChangeDefault") yield* upgrade(world)
          yield* evolve(world, addColumn(world, kind))
          const then = schemaChange(world, kind)
          if (then !== undefined) yield* evolve(world, then)
        })
    ])
  ),
  "partition field": (world) => repartition(world, partitionAdded(world)),
  "no partition field": (world) => repartition(world, partitionRemoved(world) ?? partitionAdded(world)),
  "partition field's name": (world) => repartition(world, partitionRenamed(world) ?? partitionAdded(world)),
  "sort order": (world) =>
    Effect.gen(function* () {
      world.sorted = !world.sorted
      const by = {
        column: "balance",
        transform: { _tag: "identity" },
        direction: "desc",
        nullOrder: "nulls-last"
      } as const
      yield* commit(world, world.sorted ? replaceSortOrder(by) : replaceSortOrder())
    }),
  properties: (world) => {
    const mode = world.below(2) === 0 ? "copy-on-write" : "merge-on-read"
    const merge = world.below(2) === 0 ? "2" : "100"
    return Effect.asVoid(
      commit(
        world,
        setProperties(
          new Map([
            ["write.delete.mode", mode],
            ["write.update.mode", mode],
            ["write.merge.mode", mode],
            ["commit.manifest.min-count-to-merge", merge],
            ["write.metadata.metrics.default", ["none", "counts", "truncate(2)", "full"][world.below(4)]!]
          ])
        )
      )
    )
  },
  "no properties": (world) =>
    Effect.gen(function* () {
      const gone = world.below(2) === 0 ? "write.metadata.metrics.default" : "write.update.mode"
      yield* commit(world, setProperties(new Map(), [gone]))
      assert.isFalse((yield* load).metadata.properties.has(gone))
    }),
  statistics: (world) =>
    Effect.gen(function* () {
      const ids = Array.from(world.snapshots.keys())
      const [id, other] = [ids[world.below(ids.length)]!, ids[world.below(ids.length)]!]
      const { location } = (yield* load).metadata
      const path = `${location}/metadata/stats-${world.nextKey++}.puffin`
      yield* (yield* Storage).writeNew(path, Uint8Array.of(1, 2, 3))
      const statistics = {
        "snapshot-id": id,
        "statistics-path": path,
        "file-size-in-bytes": 3,
        "file-footer-size-in-bytes": 3,
        "blob-metadata": []
      }
      yield* commit(world, setStatistics("table", statistics))
      if (other !== id) yield* commit(world, removeStatistics(other))
    }),
  upgrade
}

/** The snapshot that a branch has; undefined before the first one. */
const headIn = (name: string) => Effect.map(load, ({ metadata }) => metadata.refs.get(name)?.snapshotId)

const refActions: Readonly<Record<string, (world: World) => Act>> = {
  branch: (world) =>
    Effect.gen(function* () {
      const ids = Array.from(world.snapshots.keys())
      const id = ids[world.below(ids.length)]!
      const name = `b${world.below(2)}`
      if (world.branches.has(name) && world.below(2) === 0) {
        yield* commit(world, removeRef(name))
        world.branches.delete(name)
      } else {
        yield* commit(world, setRef(name, branchAt(id)))
        world.branches.set(name, world.snapshots.get(id)!.rows)
      }
    }),
  tag: (world) =>
    Effect.gen(function* () {
      const ids = Array.from(world.snapshots.keys())
      const id = ids[world.below(ids.length)]!
      const name = `t${world.below(2)}`
      if (world.tags.has(name)) {
        yield* commit(world, removeRef(name))
        world.tags.delete(name)
      } else {
        yield* commit(world, setRef(name, { ...branchAt(id), type: "tag" }))
        world.tags.set(name, id)
      }
    }),
  "no ref": (world) =>
    Effect.gen(function* () {
      const others = [...world.branches.keys(), ...world.tags.keys()].filter((name) => name !== "main")
      const name = others[world.below(Math.max(1, others.length))]
      if (name === undefined) return yield* refActions["tag"]!(world)
      yield* commit(world, removeRef(name))
      world.branches.delete(name)
      world.tags.delete(name)
    }),
  rollback: (world) =>
    Effect.gen(function* () {
      const ids = Array.from(world.snapshots.keys())
      const id = ids[world.below(ids.length)]!
      const outcome = yield* Effect.result(commit(world, rollback(id)))
      // of another line
      if (Result.isFailure(outcome)) assert.match(outcome.failure.message, /no ancestor of main/)
      else world.branches.set("main", world.snapshots.get(id)!.rows)
    }),
  "cherry-pick": (world) =>
    Effect.gen(function* () {
      const before = yield* headIn("main")
      if (before === undefined) return
      const line = new Set(Array.from(ancestorsOf((yield* load).metadata, before), ({ snapshotId }) => snapshotId))
      const picks = () => Array.from(world.snapshots).filter(([, { appended }]) => appended !== undefined)
      const others = () => picks().filter(([id]) => !line.has(id))
      if (others().length === 0) {
        yield* commit(world, setRef("b0", branchAt(before)))
        world.branches.set("b0", world.branches.get("main")!)
        yield* appendTo(world, "b0")
      }
      const chosen = world.below(4) === 0 ? picks() : others()
      const [id, { appended, rows }] = chosen[world.below(chosen.length)]!
      const outcome = yield* Effect.result(commit(world, cherryPick(id)))
      if (Result.isFailure(outcome)) return assert.match(outcome.failure.message, /already/)
      const { metadata } = yield* load
      const parent = metadata.snapshots.find(({ snapshotId }) => snapshotId === id)?.parentSnapshotId ?? undefined
      yield* parent === before
        ? changed(world, "main", rows)
        : changed(world, "main", [...world.branches.get("main")!, ...appended!], appended)
    }),
  expire: (world) =>
    Effect.gen(function* () {
      const kept = 1 + world.below(4)
      const { snapshotsExpired } = yield* expireSnapshots(table, { snapshotAgeMsMax: -1, snapshotsKeptMin: kept })
      if (snapshotsExpired > 0) show(world, "RemoveSnapshots")
      const left = new Set((yield* load).metadata.snapshots.map(({ snapshotId }) => snapshotId))
      for (const id of world.snapshots.keys()) {
        if (left.has(id)) continue
        const gone = yield* Effect.flip(readTable(yield* load, { asOf: { _tag: "SnapshotId", snapshotId: id } }))
        assert.match(gone.message, /it has expired/)
        world.snapshots.delete(id)
      }
    }),
  orphans: (world) =>
    Effect.gen(function* () {
      const uri = `${(yield* load).metadata.location}/data/stray-${world.nextKey++}.parquet`
      yield* (yield* Storage).writeNew(uri, Uint8Array.of(1))
      const { removed } = yield* removeOrphans(table, { ageMsMin: -60_000 })
      assert.include(removed, uri)
    })
}

const actions = { ...rowActions, ...structureActions, ...refActions }
const names = Object.keys(actions)
const weights: ReadonlyArray<string> = [
  ...["append", "append", "append", "delete", "delete", "upsert", "upsert"],
  ...Object.keys(rowActions),
  ...names
]

const read = (world: World, asOf: AsOf) =>
  Effect.gen(function* () {
    const { rows } = yield* readTable(yield* load, { asOf })
    return linesRead(rows)
  }).pipe(Effect.mapError((error) => new Error(`${world.done.join(", ")}: ${error.message}`)))

/** By a filter, the rows that it means, whatever files it leaves out. */
const checkFiltered = Effect.fnUntraced(function* (world: World, said: string) {
  const { filter, means, sql } = chooseFilter(world)
  const { rows } = yield* readTable(yield* load, { filter, query: `SELECT * FROM t WHERE ${sql}` })
  const expected = world.branches.get("main")!.filter(means)
  assert.deepStrictEqual(linesRead(rows), linesOf(expected, world.columns), `${said}; WHERE ${sql}`)
})

const checkAll = Effect.fnUntraced(function* (world: World, said: string) {
  for (const [snapshotId, { columns, rows }] of world.snapshots)
    assert.deepStrictEqual(yield* read(world, { _tag: "SnapshotId", snapshotId }), linesOf(rows, columns), said)
  for (const [name, rows] of world.branches) {
    if ((yield* headIn(name)) === undefined) continue
    assert.deepStrictEqual(yield* read(world, { _tag: "Ref", name }), linesOf(rows, world.columns), `${said}, ${name}`)
  }
  for (const [name, id] of world.tags) {
    const { columns, rows } = world.snapshots.get(id)!
    assert.deepStrictEqual(yield* read(world, { _tag: "Ref", name }), linesOf(rows, columns), `${said}, ${name}`)
  }
})

const run = (seed: number, ran: Set<string>, shown: Set<Kind>) =>
  Effect.gen(function* () {
    const version = seed % 2 === 0 ? 2 : 3
    const world: World = {
      below: seeded(seed),
      columns: firstColumns,
      version,
      by: seed % 3 === 0 ? [] : ["country"],
      fieldNames: new Map(seed % 3 === 0 ? [] : [["country", "country"]]),
      idOptional: false,
      sorted: false,
      branches: new Map([["main", []]]),
      tags: new Map(),
      snapshots: new Map(),
      nextId: 0,
      nextKey: 4,
      done: [],
      shown
    }
    const mode = seed % 4 < 2 ? "merge-on-read" : "copy-on-write"
    yield* (yield* Catalog).createTable({
      identifier: table,
      schema,
      partitionSpec: partitionSpec(
        schema,
        seed % 3 === 0 ? [] : [{ column: "country", transform: { _tag: "identity" } }]
      ),
      properties: new Map([
        ["format-version", String(version)],
        ["write.delete.mode", mode],
        ["write.update.mode", mode],
        ["write.merge.mode", mode]
      ])
    })
    for (let step = 0; step < steps; step++) {
      // every other one after the first two in turn, so that a few seeds have them all
      const inTurn = names[(seed * (steps / 2 - 1) + step / 2) % names.length]
      const name = step < 2 ? "append" : step % 2 === 0 ? inTurn! : weights[world.below(weights.length)]!
      world.done.push(name)
      ran.add(name)
      const said = `seed ${seed}: ${world.done.join(", ")}`
      yield* actions[name]!(world).pipe(Effect.mapError((error) => new Error(`${said}: ${String(error)}`)))
      assert.deepStrictEqual(
        yield* read(world, { _tag: "Current" }),
        linesOf(world.branches.get("main")!, world.columns),
        said
      )
      yield* checkFiltered(world, said)
      if (step % 9 === 8) yield* checkAll(world, said)
    }
    const said = `seed ${seed}: ${world.done.join(", ")}`
    yield* checkAll(world, said)
    assert.deepStrictEqual((yield* auditFacts(table)).problems, [], said)
  }).pipe(Effect.provide(layerLake))

describe("every action in any order", () => {
  const ran = new Set<string>()
  const shown = new Set<Kind>()
  for (let seed = 1; seed <= seeds; seed++) {
    it.live(`reads as a table in memory does, seed ${seed}`, () => run(seed, ran, shown), 60_000)
  }

  it("leaves none of the actions out, and no kind of change that a table takes", () => {
    assert.deepStrictEqual(
      names.filter((name) => !ran.has(name)),
      []
    )
    const all = Object.keys(kinds) as ReadonlyArray<Kind> // a record of just these
    assert.deepStrictEqual(
      all.filter((kind) => !shown.has(kind)),
      []
    )
  })
})
