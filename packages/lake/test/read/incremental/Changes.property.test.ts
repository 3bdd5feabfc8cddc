/**
 * Appends and changelogs of random histories against rows in memory: between any two snapshots, the rows of the earlier one
 * with the changes done to them are those of the later one, and no change is one of a row that only moved.
 *
 * The model knows rows only. What a snapshot's own manifests say is held against a comparison of all files.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { planChanges, sidesByFiles } from "../../../src/read/incremental/PlanChanges.ts"
import { readAppends, readChanges } from "../../../src/read/incremental/ReadIncremental.ts"
import type { JsonRow } from "../../../src/read/ReadTable.ts"
import { currentSnapshot, snapshotById } from "../../../src/spec/TableMetadata.ts"
import { appendRows, upsertRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import {
  type Account,
  byCountry,
  createAccounts,
  layerLake,
  load,
  rowsSql,
  table,
  textOf
} from "../../write/change/ChangeFixture.ts"
import { seeded } from "../../write/parquet/WriterCases.ts"

const countries = ["US", "DE", null]

const lineOf = ({ balance, country, id }: JsonRow): string => `${String(id)}|${String(country)}|${String(balance)}`

/** Lines of `rows` that are not in `others`, as multisets. */
const minus = (rows: ReadonlyArray<string>, others: ReadonlyArray<string>): ReadonlyArray<string> => {
  const left = [...rows]
  for (const line of others) {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
  }
  return left.toSorted()
}

interface Step {
  readonly snapshotId: bigint
  readonly rows: ReadonlyArray<string>
  readonly operation: string
}

const makeHistory = Effect.fnUntraced(function* (below: (n: number) => number) {
  let rows: ReadonlyArray<Account> = []
  let nextId = 0
  const account = (id = nextId++): Account => ({ id, country: countries[below(3)]!, cents: below(9) })
  const steps: Array<Step> = []
  for (let step = 0; step < 9; step++) {
    const what = step < 2 ? 0 : below(6)
    if (what <= 1) {
      // rows that are there already come once more
      const added = [account(), account(), ...rows.slice(0, below(2)), account()]
      yield* appendRows(table, rowsSql(added))
      rows = [...rows, ...added]
    } else if (what <= 3) {
      const cents = below(9)
      yield* deleteRows(table, { _tag: "Compare", column: "balance", operator: "<", value: BigInt(cents) })
      rows = rows.filter((row) => row.cents === null || row.cents >= cents)
    } else if (what === 4) {
      const put = [...new Map(rows.slice(0, 3).map(({ id }) => [id, account(id)])).values(), account()]
      yield* upsertRows(table, ["id"], rowsSql(put))
      rows = [...rows.filter(({ id }) => !put.some((each) => each.id === id)), ...put]
    } else {
      yield* compactTable(table, { inputFilesMin: 2 })
    }
    const head = currentSnapshot((yield* load).metadata)
    if (head !== undefined && head.snapshotId !== steps.at(-1)?.snapshotId) {
      steps.push({ snapshotId: head.snapshotId, rows: textOf(rows), operation: head.operation })
    }
  }
  return steps
})

const checkChanges = Effect.fnUntraced(function* (steps: ReadonlyArray<Step>, from: number, to: number) {
  const loaded = yield* load
  const fromSnapshotId = steps[from]?.snapshotId
  const between = {
    ...(fromSnapshotId === undefined ? {} : { fromSnapshotId }),
    to: { _tag: "SnapshotId", snapshotId: steps[to]!.snapshotId } as const
  }
  const changes = yield* readChanges(loaded, between)
  const changing = steps.slice(from + 1, to + 1).filter(({ operation }) => operation !== "replace")
  for (const [ordinal, { snapshotId }] of changing.entries()) {
    const at = steps.findIndex((each) => each.snapshotId === snapshotId)
    const [before, after] = [steps[at - 1]?.rows ?? [], steps[at]!.rows]
    const own = (type: string) =>
      changes
        .filter((row) => row["_change_ordinal"] === ordinal && row["_change_type"] === type)
        .map((row) => {
          assert.strictEqual(row["_commit_snapshot_id"], String(snapshotId))
          return lineOf(row)
        })
        .sort()
    assert.deepStrictEqual(own("DELETE"), minus(before, after), `deleted by ${ordinal} of ${from}..${to}`)
    assert.deepStrictEqual(own("INSERT"), minus(after, before), `inserted by ${ordinal} of ${from}..${to}`)
  }
  assert.isTrue(changes.every((row) => Number(row["_change_ordinal"]) < changing.length))
})

const checkAppends = Effect.fnUntraced(function* (steps: ReadonlyArray<Step>, from: number, to: number) {
  const loaded = yield* load
  const fromSnapshotId = steps[from]?.snapshotId
  const options = {
    ...(fromSnapshotId === undefined ? {} : { fromSnapshotId }),
    to: { _tag: "SnapshotId", snapshotId: steps[to]!.snapshotId } as const
  }
  const between = steps.slice(from + 1, to + 1)
  const expected = between.flatMap(({ operation, rows }, i) =>
    operation === "append" ? minus(rows, steps[from + i]?.rows ?? []) : []
  )
  const others = between.some(({ operation }) => operation !== "append" && operation !== "replace")
  if (others) {
    const error = yield* Effect.flip(readAppends(loaded, options))
    assert.strictEqual(error.reason, "Invalid")
  }
  const rows = yield* readAppends(loaded, { ...options, ...(others ? { otherSnapshots: "skip" as const } : {}) })
  assert.deepStrictEqual(rows.map(lineOf).sort(), expected.toSorted(), `appended in ${from}..${to}`)
})

/** The fast way of a snapshot without new delete files tells what the comparison of all files tells. */
const checkTwin = Effect.gen(function* () {
  const loaded = yield* load
  const { steps } = yield* planChanges(loaded)
  for (const { after, before, snapshot } of steps) {
    const parent =
      snapshot.parentSnapshotId === null ? undefined : snapshotById(loaded.metadata, snapshot.parentSnapshotId)
    const [gone, came] = yield* sidesByFiles(loaded, parent, snapshot)
    const paths = (side: Pick<typeof after, "entries" | "deletes">) =>
      side.entries
        .map((entry) => [entry.dataFile.filePath, side.deletes.get(entry)?.map((each) => each.dataFile.filePath)])
        .toSorted((a, b) => String(a[0]).localeCompare(String(b[0])))
    assert.deepStrictEqual([paths(before), paths(after)], [paths(gone), paths(came)])
  }
  return steps.length
})

const run = (seed: number, mode: "copy-on-write" | "merge-on-read", partitioned: boolean, version: "2" | "3") =>
  Effect.gen(function* () {
    yield* createAccounts(partitioned ? byCountry : [], [
      ["format-version", version],
      ["write.delete.mode", mode],
      ["write.update.mode", mode],
      ["write.merge.mode", mode]
    ])
    const steps = yield* makeHistory(seeded(seed))
    assert.isAbove(yield* checkTwin, 2)
    const last = steps.length - 1
    for (const [from, to] of [
      [-1, last],
      [1, last],
      [2, last - 1],
      [last, last]
    ] as const) {
      yield* checkChanges(steps, from, to)
      yield* checkAppends(steps, from, to)
    }
  }).pipe(Effect.provide(layerLake))

describe("changes between snapshots", () => {
  for (let seed = 1; seed <= 4; seed++) {
    const mode = seed % 2 === 0 ? "copy-on-write" : "merge-on-read"
    const version = seed < 3 ? "2" : "3"
    const what = `${mode}, format version ${version}, seed ${seed}`
    it.live(`are those of rows in memory, ${what}`, () => run(seed, mode, seed > 2, version), 60_000)
  }
})
