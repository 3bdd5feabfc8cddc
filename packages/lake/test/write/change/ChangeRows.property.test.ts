/**
 * Random sequences of changes against rows in memory: after each, every snapshot, tag and branch reads as the model says.
 *
 * The model knows rows only: no files, deletes, partitions or schemas of the lake.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import type { Filter } from "../../../src/read/Filter.ts"
import { currentSnapshot } from "../../../src/spec/TableMetadata.ts"
import { appendRows, overwriteRows, upsertRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { rollback, updatePartitionSpec } from "../../../src/write/TableAction.ts"
import { seeded } from "../parquet/WriterCases.ts"
import {
  type Account,
  byCountry,
  createAccounts,
  layerLake,
  load,
  readAccounts,
  rowsSql,
  table,
  textOf
} from "./ChangeFixture.ts"

const countries = ["US", "DE", "JP", null]

interface Chosen {
  readonly filter: Filter
  readonly means: (row: Account) => boolean
}

const chooseFilter = (below: (n: number) => number): Chosen => {
  const country = countries[below(4)]
  const cents = below(2000) - 1000
  const byCountryOf: Chosen =
    country === null || country === undefined
      ? { filter: { _tag: "IsNull", column: "country" }, means: (row) => row.country === null }
      : {
          filter: { _tag: "Compare", column: "country", operator: "=", value: country },
          means: (row) => row.country === country
        }
  const byBalance: Chosen = {
    filter: { _tag: "Compare", column: "balance", operator: "<", value: BigInt(cents) },
    means: (row) => row.cents !== null && row.cents < cents
  }
  switch (below(4)) {
    case 0:
      return byCountryOf
    case 1:
      return byBalance
    case 2:
      return {
        filter: { _tag: "And", filters: [byCountryOf.filter, byBalance.filter] },
        means: (row) => byCountryOf.means(row) && byBalance.means(row)
      }
    default:
      return {
        filter: { _tag: "Or", filters: [byCountryOf.filter, byBalance.filter] },
        means: (row) => byCountryOf.means(row) || byBalance.means(row)
      }
  }
}

const run = (seed: number, mode: "copy-on-write" | "merge-on-read", partitioned: boolean, version: "2" | "3") =>
  Effect.gen(function* () {
    const below = seeded(seed)
    let nextId = 0
    const account = (id = nextId++): Account => ({
      id,
      country: countries[below(4)]!,
      cents: below(10) === 0 ? null : below(2000) - 1000
    })
    const some = (max: number) => Array.from({ length: 1 + below(max) }, () => account())
    yield* createAccounts(partitioned ? byCountry : [], [
      ["format-version", version],
      ["write.delete.mode", mode],
      ["write.update.mode", mode],
      ["write.merge.mode", mode]
    ])
    let rows: ReadonlyArray<Account> = []
    const past = new Map<bigint, ReadonlyArray<Account>>()
    for (let step = 0; step < 12; step++) {
      const what = step < 2 ? 0 : below(8)
      if (what <= 1) {
        const added = some(8)
        yield* appendRows(table, rowsSql(added))
        rows = [...rows, ...added]
      } else if (what <= 3) {
        const { filter, means } = chooseFilter(below)
        yield* deleteRows(table, filter)
        rows = rows.filter((row) => !means(row))
      } else if (what === 4) {
        const { filter, means } = chooseFilter(below)
        const added = some(4)
        yield* overwriteRows(table, filter, rowsSql(added))
        rows = [...rows.filter((row) => !means(row)), ...added]
      } else if (what === 5) {
        const known = rows.filter(() => below(3) === 0).map(({ id }) => account(id))
        const put = [...new Map([...known, ...some(3)].map((row) => [row.id, row])).values()]
        yield* upsertRows(table, ["id"], rowsSql(put))
        const ids = new Set(put.map(({ id }) => id))
        rows = [...rows.filter(({ id }) => !ids.has(id)), ...put]
      } else if (what === 6) {
        yield* compactTable(table, { inputFilesMin: 2 })
      } else if (below(2) === 0 && past.size > 1) {
        const ids = Array.from(past.keys())
        const to = ids[below(ids.length)]!
        yield* commitTable({ table, actions: () => Effect.succeed([rollback(to)]) }).pipe(
          Effect.tap(() => Effect.sync(() => (rows = past.get(to)!))),
          // of a line that was rolled back before
          Effect.catchIf(
            (error) => error.reason === "Invalid",
            () => Effect.void
          )
        )
      } else {
        const change = partitioned
          ? ({ _tag: "RemovePartitionField", name: "country" } as const)
          : ({ _tag: "AddPartitionField", column: "id", transform: { _tag: "bucket", buckets: 3 } } as const)
        yield* Effect.ignore(commitTable({ table, actions: () => Effect.succeed([updatePartitionSpec(change)]) }))
      }
      const head = currentSnapshot((yield* load).metadata)
      if (head !== undefined) past.set(head.snapshotId, rows)
      assert.deepStrictEqual(yield* readAccounts(), textOf(rows), `seed ${seed}, step ${step}, action ${what}`)
    }
    for (const [snapshotId, expected] of past)
      assert.deepStrictEqual(yield* readAccounts({ _tag: "SnapshotId", snapshotId }), textOf(expected), `seed ${seed}`)
  }).pipe(Effect.provide(layerLake))

describe("changes of rows", () => {
  // both modes, both versions, with and without partitions; FRAZIL_CASES as of casesOf in the engine's tests
  const seeds = 5 * Number(process.env["FRAZIL_CASES"] ?? 1)
  for (let seed = 1; seed <= seeds; seed++) {
    const mode = seed % 2 === 0 ? "copy-on-write" : "merge-on-read"
    const version = seed % 4 < 2 ? "2" : "3"
    const what = `${mode}, format version ${version}, seed ${seed}`
    it.live(`reads as rows in memory do, ${what}`, () => run(seed, mode, seed % 3 !== 0, version), 60_000)
  }
})
