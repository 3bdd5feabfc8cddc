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
import { auditFacts } from "../../../src/maintenance/audit/AuditFacts.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { compactManifests } from "../../../src/maintenance/CompactManifests.ts"
import { expireSnapshots } from "../../../src/maintenance/Expire.ts"
import { removeOrphans } from "../../../src/maintenance/RemoveOrphans.ts"
import type { AsOf } from "../../../src/read/AsOf.ts"
import type { Filter } from "../../../src/read/Filter.ts"
import { readTable } from "../../../src/read/ReadTable.ts"
import type { PartitionChange } from "../../../src/spec/PartitionChange.ts"
import { partitionSpec } from "../../../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../../../src/spec/Schema.ts"
import type { SchemaChange } from "../../../src/spec/SchemaChange.ts"
import { branchAt } from "../../../src/spec/Snapshot.ts"
import { appendRows, overwritePartitions, overwriteRows, upsertRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import {
  cherryPick,
  removeRef,
  removeStatistics,
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
import { type Column, type Kept, linesOf, linesRead, type Row, selectOf, valueOf } from "./TableModel.ts"

const seeds = Number(process.env["FRAZIL_MODEL_SEEDS"] ?? 4)
const steps = 26

const countries = ["US", "DE", "null", null]
const [idKey, countryKey, balanceKey] = [1, 2, 3]

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

interface World {
  readonly below: (n: number) => number
  columns: ReadonlyArray<Column>
  version: 2 | 3
  /** What files are divided by: identity of the country, tens of the id. */
  by: ReadonlyArray<"country" | "tens">
  sorted: boolean
  branches: Map<string, ReadonlyArray<Row>>
  tags: Map<string, bigint>
  snapshots: Map<bigint, Kept>
  nextId: number
  nextKey: number
  /** Actions so far, for the message. */
  readonly done: Array<string>
}

const commit = (...actions: ReadonlyArray<TableAction>) =>
  commitTable({ table, actions: () => Effect.succeed(actions) })

const newRow = ({ below, columns }: World, id: number): Row =>
  new Map(
    columns.map(({ key, type }): readonly [number, string | null] => {
      if (key === idKey) return [key, String(id)]
      if (key === countryKey) return [key, countries[below(4)]!]
      if (below(8) === 0) return [key, null]
      const number = below(2000) - 1000
      return [key, type === "decimal" ? (number / 100).toFixed(2) : type === "string" ? `t${below(5)}` : String(number)]
    })
  )

const someRows = (world: World, max: number): ReadonlyArray<Row> =>
  Array.from({ length: 1 + world.below(max) }, () => newRow(world, world.nextId++))

/** As SQL, some columns that have a default left out; the rows as they are then. */
const written = (world: World, rows: ReadonlyArray<Row>) => {
  const left = world.columns.filter(({ write }) => write !== null && world.below(2) === 0)
  const given = world.columns.filter((column) => !left.includes(column))
  return {
    select: selectOf(rows, given),
    rows: rows.map((row): Row => new Map([...row, ...left.map(({ key, write }) => [key, write] as const)]))
  }
}

const column = ({ columns }: World, key: number): Column => columns.find((each) => each.key === key)!

interface Chosen {
  readonly filter: Filter
  readonly means: (row: Row) => boolean
}

const chooseFilter = (world: World): Chosen => {
  const { below } = world
  const [id, country, balance] = [column(world, idKey), column(world, countryKey), column(world, balanceKey)]
  const cents = below(2000) - 1000
  const least = below(world.nextId + 1)
  const wanted = countries[below(4)]!
  const choices: ReadonlyArray<Chosen> = [
    wanted === null
      ? { filter: { _tag: "IsNull", column: country.name }, means: (row) => valueOf(row, country) === null }
      : {
          filter: { _tag: "Compare", column: country.name, operator: "=", value: wanted },
          means: (row) => valueOf(row, country) === wanted
        },
    {
      filter: { _tag: "Compare", column: balance.name, operator: "<", value: BigInt(cents) },
      means: (row) => {
        const value = valueOf(row, balance)
        return value !== null && Math.round(Number(value) * 100) < cents
      }
    },
    {
      filter: { _tag: "Compare", column: id.name, operator: ">=", value: BigInt(least) },
      means: (row) => Number(valueOf(row, id)) >= least
    }
  ]
  const [one, other] = [choices[below(3)]!, choices[below(3)]!]
  return below(2) === 0
    ? one
    : {
        filter: { _tag: "Or", filters: [one.filter, other.filter] },
        means: (row) => one.means(row) || other.means(row)
      }
}

/** Equal for rows of one partition. */
const partitionOf = (world: World, row: Row): string =>
  JSON.stringify(
    world.by.map((by) =>
      by === "country" ? valueOf(row, column(world, countryKey)) : Math.floor(Number(row.get(idKey)) / 10)
    )
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

const rowActions: Readonly<Record<string, (world: World) => Act>> = {
  append: (world) =>
    Effect.gen(function* () {
      const branch = someBranch(world)
      const { rows, select } = written(world, someRows(world, 6))
      yield* appendRows(table, select, { branch })
      yield* changed(world, branch, [...world.branches.get(branch)!, ...rows], rows)
    }),
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
      const ids = new Set(rows.map((row) => row.get(idKey)))
      yield* changed(world, branch, [...before.filter((row) => !ids.has(row.get(idKey))), ...rows])
    }),
  "rewrite files": (world) => Effect.andThen(compactTable(table, { inputFilesMin: 2 }), remember(world, "main")),
  "rewrite manifests": (world) =>
    Effect.andThen(compactManifests(table, { all: world.below(2) === 0 }), remember(world, "main"))
}

const schemaChange = (world: World): { readonly change: SchemaChange; readonly columns: ReadonlyArray<Column> } => {
  const { below, columns } = world
  const extras = columns.filter(({ key }) => key > balanceKey)
  const some = extras[below(Math.max(1, extras.length))]
  const what = below(some === undefined ? 2 : 6)
  const name = `x${world.nextKey}`
  if (what <= 1 || some === undefined) {
    const type = (["int", "string", "decimal"] as const)[below(3)]!
    const value =
      world.version === 3 && below(2) === 0 ? { int: "7", string: "none", decimal: "1.50" }[type] : undefined
    const added: Column = { key: world.nextKey++, name, type, initial: value ?? null, write: value ?? null }
    const json = type === "int" && value !== undefined ? Number(value) : value
    const of = type === "decimal" ? ({ _tag: type, precision: 12, scale: 2 } as const) : ({ _tag: type } as const)
    const change = { _tag: "AddColumn" as const, name, type: of }
    return { change: json === undefined ? change : { ...change, defaultValue: json }, columns: [...columns, added] }
  }
  const others = columns.filter((each) => each !== some)
  const replaced = (by: Column) => columns.map((each) => (each === some ? by : each))
  switch (what) {
    case 2:
      return { change: { _tag: "DropColumn", column: some.name }, columns: others }
    case 3:
      world.nextKey++
      return { change: { _tag: "RenameColumn", column: some.name, name }, columns: replaced({ ...some, name }) }
    case 4:
      return { change: { _tag: "MoveColumn", column: some.name, to: { _tag: "First" } }, columns }
    default:
      if (some.write !== null && some.type === "string") {
        const value = `none${world.nextKey++}`
        return {
          change: { _tag: "ChangeDefault", column: some.name, defaultValue: value },
          columns: replaced({ ...some, write: value })
        }
      }
      return some.type === "int"
        ? {
            change: { _tag: "WidenColumn", column: some.name, type: { _tag: "long" } },
            columns: replaced({ ...some, type: "long" })
          }
        : { change: { _tag: "DescribeColumn", column: some.name, doc: `d${below(9)}` }, columns }
  }
}

const partitionChange = (world: World): PartitionChange => {
  const by = world.below(2) === 0 ? "country" : "tens"
  const has = world.by.includes(by)
  world.by = has ? world.by.filter((each) => each !== by) : [...world.by, by]
  if (has) return { _tag: "RemovePartitionField", name: by === "country" ? "country" : "tens" }
  return by === "country"
    ? { _tag: "AddPartitionField", column: "country", transform: { _tag: "identity" } }
    : { _tag: "AddPartitionField", column: "id", transform: { _tag: "truncate", width: 10 }, name: "tens" }
}

const structureActions: Readonly<Record<string, (world: World) => Act>> = {
  schema: (world) =>
    Effect.gen(function* () {
      const { change, columns } = schemaChange(world)
      yield* commit(updateSchema(change))
      world.columns = columns
    }),
  "partition spec": (world) => Effect.asVoid(commit(updatePartitionSpec(partitionChange(world)))),
  "sort order": (world) =>
    Effect.gen(function* () {
      world.sorted = !world.sorted
      const by = {
        column: "balance",
        transform: { _tag: "identity" },
        direction: "desc",
        nullOrder: "nulls-last"
      } as const
      yield* commit(world.sorted ? replaceSortOrder(by) : replaceSortOrder())
    }),
  properties: (world) => {
    const mode = world.below(2) === 0 ? "copy-on-write" : "merge-on-read"
    const merge = world.below(2) === 0 ? "2" : "100"
    return Effect.asVoid(
      commit(
        setProperties(
          new Map([
            ["write.delete.mode", mode],
            ["write.update.mode", mode],
            ["commit.manifest.min-count-to-merge", merge],
            ["write.metadata.metrics.default", ["none", "counts", "truncate(2)", "full"][world.below(4)]!]
          ])
        )
      )
    )
  },
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
      yield* commit(setStatistics("table", statistics))
      if (other !== id) yield* commit(removeStatistics(other))
    }),
  upgrade: (world) =>
    Effect.gen(function* () {
      yield* commit(upgradeFormat(3))
      world.version = 3
    })
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
        yield* commit(removeRef(name))
        world.branches.delete(name)
      } else {
        yield* commit(setRef(name, branchAt(id)))
        world.branches.set(name, world.snapshots.get(id)!.rows)
      }
    }),
  tag: (world) =>
    Effect.gen(function* () {
      const ids = Array.from(world.snapshots.keys())
      const id = ids[world.below(ids.length)]!
      const name = `t${world.below(2)}`
      if (world.tags.has(name)) {
        yield* commit(removeRef(name))
        world.tags.delete(name)
      } else {
        yield* commit(setRef(name, { ...branchAt(id), type: "tag" }))
        world.tags.set(name, id)
      }
    }),
  rollback: (world) =>
    Effect.gen(function* () {
      const ids = Array.from(world.snapshots.keys())
      const id = ids[world.below(ids.length)]!
      const outcome = yield* Effect.result(commit(rollback(id)))
      // of another line
      if (Result.isFailure(outcome)) assert.match(outcome.failure.message, /no ancestor of main/)
      else world.branches.set("main", world.snapshots.get(id)!.rows)
    }),
  "cherry-pick": (world) =>
    Effect.gen(function* () {
      const picks = Array.from(world.snapshots).filter(([, { appended }]) => appended !== undefined)
      if (picks.length === 0) return
      const [id, { appended, rows }] = picks[world.below(picks.length)]!
      const before = yield* headIn("main")
      const outcome = yield* Effect.result(commit(cherryPick(id)))
      if (Result.isFailure(outcome)) return assert.match(outcome.failure.message, /already/)
      const { metadata } = yield* load
      const parent = metadata.snapshots.find(({ snapshotId }) => snapshotId === id)?.parentSnapshotId ?? undefined
      yield* parent === before
        ? changed(world, "main", rows)
        : changed(world, "main", [...world.branches.get("main")!, ...appended!], appended)
    }),
  expire: (world) =>
    Effect.gen(function* () {
      yield* expireSnapshots(table, { snapshotAgeMsMax: -1, snapshotsKeptMin: 1 + world.below(4) })
      const kept = new Set((yield* load).metadata.snapshots.map(({ snapshotId }) => snapshotId))
      for (const id of world.snapshots.keys()) {
        if (kept.has(id)) continue
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
  ...names
]

const read = (world: World, asOf: AsOf) =>
  Effect.gen(function* () {
    const { rows } = yield* readTable(yield* load, { asOf })
    return linesRead(rows)
  }).pipe(Effect.mapError((error) => new Error(`${world.done.join(", ")}: ${error.message}`)))

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

const run = (seed: number, ran: Set<string>) =>
  Effect.gen(function* () {
    const version = seed % 2 === 0 ? 2 : 3
    const world: World = {
      below: seeded(seed),
      columns: firstColumns,
      version,
      by: seed % 3 === 0 ? [] : ["country"],
      sorted: false,
      branches: new Map([["main", []]]),
      tags: new Map(),
      snapshots: new Map(),
      nextId: 0,
      nextKey: 4,
      done: []
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
        ["write.update.mode", mode]
      ])
    })
    for (let step = 0; step < steps; step++) {
      // every other one in turn, so that a few seeds have them all
      const inTurn = names[(seed * (steps / 2) + step / 2) % names.length]
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
      if (step % 9 === 8) yield* checkAll(world, said)
    }
    const said = `seed ${seed}: ${world.done.join(", ")}`
    yield* checkAll(world, said)
    assert.deepStrictEqual((yield* auditFacts(table)).problems, [], said)
  }).pipe(Effect.provide(layerLake))

describe("every action in any order", () => {
  const ran = new Set<string>()
  for (let seed = 1; seed <= seeds; seed++) {
    it.live(`reads as a table in memory does, seed ${seed}`, () => run(seed, ran), 60_000)
  }

  it("leaves none of the actions out", () => {
    assert.sameMembers(Array.from(ran), names)
  })
})
