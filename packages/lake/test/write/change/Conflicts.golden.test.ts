/**
 * Every pair of changes of which the one is committed while the other is on its way, by isolation level, against rows in memory.
 *
 * Serializable: the later one is as if it had been made on what the earlier one left. Snapshot: it may stand on what it read, with
 * the other's rows beside, but never where both changed rows of one file.
 */
import type { Storage } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import type { DuckDb } from "../../../src/io/DuckDb.ts"
import type { FileIO } from "../../../src/io/FileIO.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { compactManifests } from "../../../src/maintenance/CompactManifests.ts"
import type { Filter } from "../../../src/read/Filter.ts"
import { appendRows, overwritePartitions, overwriteRows, upsertRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { rollback } from "../../../src/write/TableAction.ts"
import {
  type Account,
  byCountry,
  createAccounts,
  layerLake,
  meetOnce,
  readAccounts,
  rowsSql,
  table,
  textOf
} from "./ChangeFixture.ts"

type Rows = ReadonlyArray<Account>
type Isolation = "serializable" | "snapshot"

interface Change {
  /** What it does to rows. */
  readonly on: (rows: Rows) => Rows
  readonly run: (
    isolation: Isolation
  ) => Effect.Effect<unknown, { readonly message: string }, Catalog | FileIO | DuckDb | Storage>
}

const account = (id: number, country: string, cents: number): Account => ({ id, country, cents })

/** The cents are what filters ask for. */
const first: Rows = [0, 1, 2, 3].flatMap((i) => [account(i, "de", i * 10), account(10 + i, "fr", i * 10)])

/** Two files of each country, from two commits. */
const isOld = ({ id }: Account) => id % 10 < 2
const fileOf = (row: Account) => `${row.country} ${isOld(row)}`

const below = (cents: bigint): Filter => ({ _tag: "Compare", column: "balance", operator: "<", value: cents })
const inCountry = (country: string): Filter => ({ _tag: "Compare", column: "country", operator: "=", value: country })

const append = (...rows: Rows): Change => ({
  on: (before) => [...before, ...rows],
  run: () => appendRows(table, rowsSql(rows))
})

const remove = (filter: Filter, means: (row: Account) => boolean): Change => ({
  on: (before) => before.filter((row) => !means(row)),
  run: (isolation) => deleteRows(table, filter, { isolation })
})

const overwrite = (filter: Filter, means: (row: Account) => boolean, ...rows: Rows): Change => ({
  on: (before) => [...before.filter((row) => !means(row)), ...rows],
  run: (isolation) => overwriteRows(table, filter, rowsSql(rows), { isolation })
})

const upsert = (...rows: Rows): Change => ({
  on: (before) => [...before.filter(({ id }) => !rows.some((row) => row.id === id)), ...rows],
  run: (isolation) => upsertRows(table, ["id"], rowsSql(rows), { isolation })
})

const partitions = (...rows: Rows): Change => ({
  on: (before) => [...before.filter(({ country }) => !rows.some((row) => row.country === country)), ...rows],
  run: (isolation) => overwritePartitions(table, rowsSql(rows), { isolation })
})

const rewrite: Change = { on: (rows) => rows, run: () => compactTable(table, { inputFilesMin: 2 }) }
const manifests: Change = { on: (rows) => rows, run: () => compactManifests(table, { all: true }) }

const isDe = ({ country }: Account) => country === "de"
const isLow = ({ cents }: Account) => cents !== null && cents < 15

/** What is on its way. */
const later: Readonly<Record<string, Change>> = {
  append: append(account(20, "de", 5)),
  delete: remove(below(15n), isLow),
  overwrite: overwrite(inCountry("de"), isDe, account(21, "de", 7)),
  upsert: upsert(account(1, "de", 99), account(22, "de", 5)),
  "overwrite of a partition": partitions(account(23, "de", 8)),
  rewrite
}

/** What is first. */
const earlier: Readonly<Record<string, Change>> = {
  "append that it is about": append(account(30, "de", 3)),
  "append that it is not about": append(account(31, "fr", 1000)),
  "delete of the same rows": remove(below(15n), isLow),
  "delete of other rows": remove(
    { _tag: "And", filters: [inCountry("fr"), below(25n)] },
    (row) => !isDe(row) && row.cents !== null && row.cents < 25
  ),
  overwrite: overwrite(inCountry("de"), isDe, account(32, "de", 4)),
  upsert: upsert(account(1, "de", 2), account(33, "fr", 2)),
  "overwrite of a partition": partitions(account(34, "fr", 6)),
  rewrite,
  "rewrite of manifests": manifests
}

const changed = (before: Rows, after: Rows): Rows => before.filter((row) => !after.includes(row))

/** The later one stands on what it read; undefined where both changed rows of one file. */
const beside = (one: Change, other: Change): Rows | undefined => {
  const [ofOne, ofOther] = [changed(first, one.on(first)), changed(first, other.on(first))]
  const files = (rows: Rows) => new Set(rows.map(fileOf))
  if ([...files(ofOne)].some((file) => files(ofOther).has(file))) return undefined
  const gone = new Set([...ofOne, ...ofOther])
  const came = [one, other].flatMap((change) => change.on(first).filter((row) => !first.includes(row)))
  return [...first.filter((row) => !gone.has(row)), ...came]
}

const isolations = ["serializable", "snapshot"] as const

const modes = [
  ["copy-on-write", "2"],
  ["merge-on-read", "2"],
  ["merge-on-read", "3"]
] as const

const full = process.env["FRAZIL_CONFLICTS"] === "full"

type Mode = (typeof modes)[number]

/** The table of the first rows; gives the snapshot to go back to for each pair. */
const begin = Effect.fnUntraced(function* ([mode, version]: Mode) {
  yield* Effect.ignore((yield* Catalog).dropTable(table))
  yield* createAccounts(byCountry, [
    ["format-version", version],
    ["write.delete.mode", mode],
    ["write.update.mode", mode],
    ["write.merge.mode", mode]
  ])
  yield* appendRows(table, rowsSql(first.filter(isOld)))
  return (yield* appendRows(table, rowsSql(first.filter((row) => !isOld(row)))))!.snapshot!.snapshotId
})

const meet = (one: Change, other: Change, isolation: Isolation, [mode, version]: Mode, begun: bigint) =>
  Effect.gen(function* () {
    yield* commitTable({ table, actions: () => Effect.succeed([rollback(begun)]) })
    assert.isAtLeast(yield* meetOnce(one.run(isolation), other.run("serializable")), 1, "they never met")
    const inTurn = one.on(other.on(first))
    const expected = isolation === "serializable" ? inTurn : (beside(one, other) ?? inTurn)
    assert.deepStrictEqual(yield* readAccounts(), textOf(expected), `${isolation}, ${mode}, version ${version}`)
  })

describe("changes that meet", () => {
  for (const [i, [name, one]] of Object.entries(later).entries()) {
    it.live(
      `lose nothing of either, and nothing comes twice: ${name} behind each other one`,
      () =>
        Effect.gen(function* () {
          // appends and rewrites are the same in either
          const levels = name === "append" || name === "rewrite" ? (["serializable"] as const) : isolations
          for (const [at, mode] of modes.entries()) {
            const begun = yield* begin(mode)
            for (const [j, other] of Object.values(earlier).entries()) {
              for (const [k, isolation] of levels.entries()) {
                if (full || (i + j + 2 * k) % modes.length === at) yield* meet(one, other, isolation, mode, begun)
              }
            }
          }
        }).pipe(Effect.provide(layerLake)),
      120_000
    )
  }

  it("tell the two isolation levels apart in the model", () => {
    const [one, other] = [later["delete"]!, earlier["append that it is about"]!]
    assert.notDeepEqual(textOf(beside(one, other)!), textOf(one.on(other.on(first))))
  })
})
