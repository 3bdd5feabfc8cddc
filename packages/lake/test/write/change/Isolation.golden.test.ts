/**
 * Which change the table's isolation level refuses when another was committed between its decision and its commit, as the
 * reference implementation has it (`SparkWrite`, `SparkPositionDeltaWrite`, `BaseOverwriteFiles`, `BaseRowDelta`,
 * `BaseReplacePartitions`). A change that is refused is decided anew here, on what the other left.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { compactManifests } from "../../../src/maintenance/CompactManifests.ts"
import type { Filter } from "../../../src/read/Filter.ts"
import { appendRows, overwritePartitions, overwriteRows, upsertRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { isolationOf, mergesOnRead } from "../../../src/write/change/RowOperation.ts"
import { commitTable } from "../../../src/write/CommitTable.ts"
import { rollback, setProperties } from "../../../src/write/TableAction.ts"
import {
  type Account,
  byCountry,
  createAccounts,
  layerLake,
  meetOnce,
  readAccounts,
  rowsSql,
  table
} from "./ChangeFixture.ts"

const account = (id: number, country: string, cents: number): Account => ({ id, country, cents })
const isId = (value: bigint): Filter => ({ _tag: "Compare", column: "id", operator: "=", value })
const isDe: Filter = { _tag: "Compare", column: "country", operator: "=", value: "de" }
const cheapInDe: Filter = {
  _tag: "And",
  filters: [isDe, { _tag: "Compare", column: "balance", operator: "<", value: 15n }]
}

/** Two files of each country. */
const first = [account(1, "de", 5), account(2, "de", 500), account(11, "fr", 5), account(12, "fr", 500)]
const second = [account(3, "de", 400), account(13, "fr", 400)]

/** What is on its way: each changes 1, and leaves 2 where it can. */
const changes = {
  delete: { property: "delete", run: deleteRows(table, cheapInDe) },
  overwrite: { property: "update", run: overwriteRows(table, cheapInDe, rowsSql([account(50, "de", 500)])) },
  upsert: { property: "merge", run: upsertRows(table, ["id"], rowsSql([account(1, "de", 70), account(51, "de", 71)])) },
  "overwrite of a partition": { property: "update", run: overwritePartitions(table, rowsSql([account(52, "de", 500)])) }
} as const

/** What is committed meanwhile. */
const others = {
  "append it is about": appendRows(table, rowsSql([account(60, "de", 5)])),
  "append to its partition": appendRows(table, rowsSql([account(61, "de", 900)])),
  "append elsewhere": appendRows(table, rowsSql([account(62, "fr", 5)])),
  "delete in its file": deleteRows(table, isId(2n)),
  "delete elsewhere": deleteRows(table, isId(12n)),
  "rewrite of its file": compactTable(table, { inputFilesMin: 2 }),
  "rewrite of manifests": compactManifests(table, { all: true })
} as const

const levels = ["serializable", "snapshot"] as const
type Verdict = "both" | "serializable" | "neither"

/**
 * Which levels refuse, of copy-on-write. `BaseOverwriteFiles.validate`: files that came, by `validateNoConflictingData`, which
 * only serializable asks for; new deletes of replaced files, and files that have gone, in both.
 */
const byFilter: Readonly<Record<keyof typeof others, Verdict>> = {
  "append it is about": "serializable",
  "append to its partition": "neither",
  "append elsewhere": "neither",
  "delete in its file": "both",
  "delete elsewhere": "neither",
  "rewrite of its file": "both",
  "rewrite of manifests": "neither"
}

const verdicts: Readonly<Record<keyof typeof changes, typeof byFilter>> = {
  delete: byFilter,
  overwrite: byFilter,
  // MERGE's condition is between two tables, so that any file that came may be meant: also what a delete wrote anew elsewhere
  upsert: {
    ...byFilter,
    "append to its partition": "serializable",
    "append elsewhere": "serializable",
    "delete elsewhere": "serializable"
  },
  // `BaseReplacePartitions.validate`: by the replaced partitions
  "overwrite of a partition": { ...byFilter, "append to its partition": "serializable" }
}

const keysOf = <K extends string>(record: Readonly<Record<K, unknown>>): ReadonlyArray<K> =>
  // the records above have no other keys
  Object.keys(record) as Array<K>

/** The property of the change says `level`, the two others say the other one. */
const isolated = (property: string, level: (typeof levels)[number]) => {
  const other = level === "snapshot" ? "serializable" : "snapshot"
  return setProperties(
    new Map(
      ["delete", "update", "merge"].map((each) => [`write.${each}.isolation-level`, each === property ? level : other])
    )
  )
}

/** The table of the first rows; gives the snapshot to go back to. */
const begin = Effect.fnUntraced(function* (properties: ReadonlyArray<readonly [string, string]> = []) {
  yield* createAccounts(byCountry, properties)
  yield* appendRows(table, rowsSql(first))
  return (yield* appendRows(table, rowsSql(second)))!.snapshot!.snapshotId
})

const refused = Effect.fnUntraced(function* (
  name: keyof typeof changes,
  other: keyof typeof others,
  level: (typeof levels)[number],
  begun: bigint
) {
  const { property, run } = changes[name]
  yield* commitTable({
    table,
    actions: () => Effect.succeed([rollback(begun), isolated(property, level)])
  })
  return (yield* meetOnce(run, others[other])) > 1
})

describe("the table's isolation level", () => {
  for (const name of keysOf(changes)) {
    it.live(
      `says what refuses the ${name}`,
      () =>
        Effect.gen(function* () {
          const begun = yield* begin()
          for (const other of keysOf(others)) {
            const verdict = verdicts[name][other]
            for (const level of levels) {
              const said = `${other}, ${level}`
              const expected = verdict === "both" || verdict === level
              assert.strictEqual(yield* refused(name, other, level, begun), expected, said)
              // what was refused takes the row that came; what stands beside it leaves it
              const cheapCame = (yield* readAccounts()).includes("60|de|0.05")
              const stays = other === "append it is about" && (name === "upsert" || level === "snapshot")
              assert.strictEqual(cheapCame, stays, said)
            }
          }
        }).pipe(Effect.provide(layerLake)),
      60_000
    )
  }

  // Java's lets two deletes of one file stand side by side in version 2, and refuses the second vector in version 3
  for (const version of ["2", "3"]) {
    it.live(`lets nothing stand on a file of which rows were deleted, merge-on-read, version ${version}`, () =>
      Effect.gen(function* () {
        const modes = ["delete", "update", "merge"].map((each) => [`write.${each}.mode`, "merge-on-read"] as const)
        const begun = yield* begin([["format-version", version], ...modes])
        for (const name of keysOf(changes)) {
          for (const level of levels) {
            assert.isTrue(yield* refused(name, "delete in its file", level, begun), `${name}, ${level}`)
            assert.isFalse(
              (yield* readAccounts()).some((row) => row.startsWith("2|")),
              `${name}, ${level}`
            )
          }
        }
      }).pipe(Effect.provide(layerLake))
    )
  }

  it("is read as Java's engines read it, and the stricter one where it says nothing that is known", () => {
    const level = (text?: string) =>
      isolationOf(new Map(text === undefined ? [] : [["write.merge.isolation-level", text]]), "merge")
    assert.deepStrictEqual(["snapshot", "SNAPSHOT", "Snapshot"].map(level), Array(3).fill("snapshot"))
    assert.deepStrictEqual([undefined, "serializable", "none", ""].map(level), Array(4).fill("serializable"))
    const mode = (text: string) => mergesOnRead(new Map([["write.merge.mode", text]]), "merge")
    assert.deepStrictEqual(["merge-on-read", "MERGE-ON-READ", "copy-on-write", "merge"].map(mode), [
      true,
      true,
      false,
      false
    ])
  })
})
