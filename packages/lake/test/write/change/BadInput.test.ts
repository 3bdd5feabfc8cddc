/** Rows that do not fit, and disks that fill: the right error, the table as it was, and whatever was written an orphan. */
import { Storage, StorageError, type StorageShape, writeEach } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Catalog, type CatalogShape } from "../../../src/catalog/Catalog.ts"
import { LakeError } from "../../../src/LakeError.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { removeOrphans } from "../../../src/maintenance/RemoveOrphans.ts"
import { partitionSpec, type PartitionBy } from "../../../src/spec/PartitionSpec.ts"
import type { TableSchema } from "../../../src/spec/Schema.ts"
import { currentSnapshot } from "../../../src/spec/TableMetadata.ts"
import type { PrimitiveType } from "../../../src/spec/Type.ts"
import { appendRows, overwritePartitions, overwriteRows, upsertRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { byCountry, createAccounts, layerLake, load, readAccounts, rowsSql, table } from "./ChangeFixture.ts"
import { expectUntouched } from "./Untouched.ts"

const badRows: ReadonlyArray<readonly [what: string, select: string, says: string]> = [
  [
    "a null in a required column",
    "SELECT NULL::BIGINT AS id, 'de' AS country, 1.00 AS balance",
    "column id is required"
  ],
  [
    "text for a number",
    "SELECT 'one' AS id, 'de' AS country, 1.00 AS balance",
    "column id has values that are no long"
  ],
  [
    "a number beyond its type",
    "SELECT 9223372036854775808::HUGEINT AS id, 'de' AS country, 1.00 AS balance",
    "column id has values that are no long"
  ],
  [
    "a decimal beyond its precision",
    "SELECT 5000 AS id, 'de' AS country, 10000000000.00 AS balance",
    "column balance has values that are no decimal(12, 2)"
  ],
  [
    "a fraction of a whole number",
    "SELECT 1.5 AS id, 'de' AS country, 1.00 AS balance",
    "column id has values that long would round or cut"
  ],
  [
    "more decimals than there are places",
    "SELECT 5000 AS id, 'de' AS country, 1.005 AS balance",
    "column balance has values that decimal(12, 2) would round or cut"
  ],
  ["a column that is missing", "SELECT 1 AS id, 'de' AS country", "balance"],
  [
    "a column that the table has not",
    "SELECT 1 AS id, 'de' AS country, 1.00 AS balance, 2.00 AS fee",
    "it has no column fee"
  ],
  [
    "a column of another kind",
    "SELECT 1 AS id, 'de' AS country, [1.00] AS balance",
    "column balance has values that are no decimal(12, 2)"
  ]
]

describe("rows that do not fit", () => {
  for (const [what, bad, says] of badRows) {
    // the bad row comes after good ones, so that something may have been written by then
    const good = "SELECT i AS id, 'fr' AS country, 1.00 AS balance FROM range(3000) AS r(i)"
    const select = what.startsWith("a column") ? bad : `(${good}) UNION ALL (${bad})`
    it.live(`are refused by the column's name: ${what}`, () =>
      Effect.gen(function* () {
        yield* createAccounts(byCountry)
        yield* appendRows(table, rowsSql([{ id: 1, country: "de", cents: 5 }]))
        const filter = { _tag: "Compare", column: "id", operator: "=", value: 1n } as const
        const changes = [
          appendRows(table, select),
          overwriteRows(table, filter, select),
          overwritePartitions(table, select),
          upsertRows(table, ["id"], select)
        ]
        for (const change of changes) {
          const { error } = yield* expectUntouched(change, "Invalid")
          assert.match(error.message, /^table file:.*rows/)
          assert.include(error.message, says)
        }
      }).pipe(Effect.provide(layerLake))
    )
  }
})

const outOfRange: ReadonlyArray<
  readonly [what: string, type: PrimitiveType, by: PartitionBy["transform"], value: string]
> = [
  ["an hour beyond 32 bits", { _tag: "timestamp" }, { _tag: "hour" }, "TIMESTAMP '290000-01-01 00:00:00'"],
  ["a day without end", { _tag: "date" }, { _tag: "identity" }, "DATE 'infinity'"],
  ["a year without end", { _tag: "timestamptz" }, { _tag: "year" }, "TIMESTAMPTZ '-infinity'"],
  [
    "a truncated number below 64 bits",
    { _tag: "long" },
    { _tag: "truncate", width: 10 },
    "-9223372036854775808::BIGINT"
  ],
  [
    "a truncated decimal below its precision",
    { _tag: "decimal", precision: 4, scale: 2 },
    { _tag: "truncate", width: 1000 },
    "-99.99"
  ]
]

/** Of each type, one that fits. */
const goodValues: Readonly<Partial<Record<PrimitiveType["_tag"], string>>> = {
  timestamp: "TIMESTAMP '2026-01-01 00:00:00'",
  date: "DATE '2026-01-01'",
  timestamptz: "TIMESTAMPTZ '2026-01-01 00:00:00+00'",
  long: "7::BIGINT",
  decimal: "7.00::DECIMAL(4, 2)"
}

describe("partition values out of range", () => {
  for (const [what, type, transform, value] of outOfRange) {
    it.live(`are refused: ${what}, after rows that fit`, () =>
      Effect.gen(function* () {
        const schema: TableSchema = {
          schemaId: 0,
          identifierFieldIds: [],
          fields: [
            { id: 1, name: "id", required: true, type: { _tag: "long" } },
            { id: 2, name: "v", required: false, type }
          ]
        }
        const catalog = yield* Catalog
        yield* catalog.createTable({
          identifier: table,
          schema,
          partitionSpec: partitionSpec(schema, [{ column: "v", transform }])
        })
        const good = `SELECT 1 AS id, NULL AS v UNION ALL SELECT 2, ${goodValues[type._tag]}`
        yield* appendRows(table, good)
        const { error } = yield* expectUntouched(appendRows(table, `${good} UNION ALL SELECT 3, ${value}`), "Invalid")
        assert.match(error.message, /^table file:.*rows/)
      }).pipe(Effect.provide(layerLake))
    )
  }
})

/** Storage whose n-th write says that the disk is full. */
const filling = (storage: StorageShape, n: number) => {
  let writes = 0
  const orFull = <A>(uri: string, effect: Effect.Effect<A, StorageError>) =>
    Effect.suspend(() =>
      ++writes >= n
        ? Effect.fail(new StorageError({ reason: "Full", uri, message: `${uri}: the disk is full` }))
        : effect
    )
  const faulty: StorageShape = {
    ...storage,
    writeNew: (uri, bytes) => orFull(uri, storage.writeNew(uri, bytes)),
    writeNewAll: writeEach((uri, bytes) => orFull(uri, storage.writeNew(uri, bytes))),
    writeNewFromFile: (uri, from) => orFull(uri, storage.writeNewFromFile(uri, from))
  }
  return faulty
}

const more =
  "SELECT i AS id, CASE WHEN i % 2 = 0 THEN 'de' ELSE 'fr' END AS country, 1.00 AS balance FROM range(8) AS r(i)"

const changesOfRows = {
  append: Effect.asVoid(appendRows(table, more)),
  overwrite: Effect.asVoid(overwriteRows(table, undefined, more)),
  delete: Effect.asVoid(deleteRows(table, { _tag: "Compare", column: "id", operator: "<", value: 3n }))
}

describe("a disk that fills", () => {
  for (const [what, change] of Object.entries(changesOfRows)) {
    it.live(`at any write of ${what} leaves the table as it was, and orphans`, () =>
      Effect.gen(function* () {
        yield* createAccounts(byCountry)
        for (let commit = 0; commit < 3; commit++) yield* appendRows(table, more)
        const storage = yield* Storage
        let [n, left] = [1, 0]
        for (; ; n++) {
          const outcome = yield* Effect.exit(
            Effect.scoped(expectUntouched(Effect.provideService(change, Storage, filling(storage, n)), "Full"))
          )
          if (outcome._tag === "Failure") break
          left += outcome.value.left.length
          if (n > 50) return assert.fail("it never came to an end")
        }
        assert.isAtLeast(n, 2, "nothing was written")
        assert.isAtLeast(left, 1, "no file was ever left")
      }).pipe(Effect.provide(layerLake))
    )
  }

  it.live("at the second group of a compaction: the first one is in, with the same rows, and nothing is left", () =>
    Effect.gen(function* () {
      yield* createAccounts(byCountry)
      for (let commit = 0; commit < 3; commit++) yield* appendRows(table, more)
      const rows = yield* readAccounts()
      const full = filling(yield* Storage, 2)
      const compact = Effect.provideService(compactTable(table, { inputFilesMin: 2 }), Storage, full)
      assert.strictEqual((yield* Effect.flip(compact)).reason, "Full")
      assert.deepStrictEqual(yield* readAccounts(), rows)
      const current = currentSnapshot((yield* load).metadata)
      const said = ["deleted-data-files", "added-data-files"].map((name) => current?.summary.get(name))
      assert.deepStrictEqual([current?.operation, ...said], ["replace", "3", "1"])
      assert.deepStrictEqual((yield* removeOrphans(table, { dryRun: true, ageMsMin: -1_000 })).removed, [])
    }).pipe(Effect.provide(layerLake))
  )
})

const unavailable = new LakeError({ reason: "Unavailable", message: "the catalog answers 500" })
const unknown = new LakeError({ reason: "OutcomeUnknown", message: "the catalog never answered" })

/** Catalogs that fail when the change is to be swapped in. */
const failing: ReadonlyArray<readonly [string, string, (real: CatalogShape) => Partial<CatalogShape>]> = [
  ["answers 500", "Unavailable", () => ({ commit: () => Effect.fail(unavailable) })],
  [
    "never answers, nor says afterwards what became of it",
    "OutcomeUnknown",
    (real) => {
      let away = false
      return {
        loadTable: (identifier) => (away ? Effect.fail(unavailable) : real.loadTable(identifier)),
        commit: () =>
          Effect.andThen(
            Effect.sync(() => (away = true)),
            Effect.fail(unknown)
          )
      }
    }
  ]
]

describe("a catalog", () => {
  for (const [what, reason, faults] of failing) {
    for (const [name, change] of Object.entries(changesOfRows)) {
      it.live(`that ${what} leaves the table as it was, and orphans, at ${name}`, () =>
        Effect.gen(function* () {
          yield* createAccounts(byCountry)
          yield* appendRows(table, more)
          const real = yield* Catalog
          const { left } = yield* expectUntouched(
            Effect.provideService(change, Catalog, { ...real, ...faults(real) }),
            reason
          )
          assert.isAtLeast(left.length, 2)
        }).pipe(Effect.provide(layerLake))
      )
    }
  }
})
