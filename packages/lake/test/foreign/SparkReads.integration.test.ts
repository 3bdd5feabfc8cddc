/**
 * Java's Iceberg, through Spark, on tables of every type: what we write reads there as written down, and what it writes here.
 * Rows, earlier moments, deleted rows, filters with and without metrics, changed columns, types, partitions.
 *
 * One Spark for all of it, as it takes long to start. It answers some questions always, and whole sweeps where FRAZIL_FOREIGN is
 * `full`.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { afterAll } from "vitest"
import { dividedQuestions, writeDivided } from "./DividedTables.ts"
import { askSpark, sparkEngine, withoutTime } from "./Engines.ts"
import {
  askAll,
  evolvedQuestion,
  full,
  keptUpQuestions,
  matchesQuery,
  probesOf,
  probesQuestion,
  typesQuestion
} from "./EngineSweep.ts"
import { typeNamesQuestion } from "./EngineTypes.ts"
import { writeEvolved } from "./EvolvedTable.ts"
import { writeQueried } from "./Floats.ts"
import { floatsQuestion } from "./FloatsAbroad.ts"
import { folder, layerAt } from "./ForeignTable.ts"
import { sparkAt } from "./SparkSession.ts"
import { probeSql, sweep } from "./Sweep.ts"
import { checkDivided } from "./Theirs.ts"
import { typesSchema, type TypeCase } from "./TypeCases.ts"
import { keepUp, keptRows, metricsTables, vectorsTable, writeTypes } from "./TypesTable.ts"

const scope = Scope.makeUnsafe()
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const started = Effect.runSync(
  Effect.cached(
    Effect.gen(function* () {
      const path = yield* folder
      return { spark: yield* sparkAt(path), layer: layerAt(path) }
    }).pipe(Scope.provide(scope))
  )
)

const tables = full
  ? [...metricsTables, vectorsTable]
  : [...metricsTables.filter(({ name }) => name === "without_metrics" || name === "truncated"), vectorsTable]

/** Its identifiers become text, in tables of its own. */
const written = (each: TypeCase) => withoutTime(each) && each.column !== "c_uuid"
const writtenNames = typesSchema.fields.map(({ name }) => name).filter((name) => name !== "c_uuid" && name !== "c_time")

/** Partitions of every transform and type that Spark divides by. */
const divisions: ReadonlyArray<ReadonlyArray<string>> = [
  ["truncate(2, c_string)", "bucket(3, c_binary)"],
  ["days(c_timestamptz)", "bucket(3, c_timestamp)"],
  ["c_boolean", "bucket(3, c_int)"],
  ["truncate(10, c_int)", "bucket(4, c_long)"],
  ["truncate(1000, c_long)", "bucket(3, c_decimal9)"],
  // Java refuses to truncate the least decimal: it would need a digit more
  ["bucket(5, c_decimal38)", "bucket(3, c_decimal18)"],
  ["years(c_date)", "bucket(3, c_string)"],
  ["months(c_timestamp)", "bucket(4, c_timestamptz)"],
  ["hours(c_timestamp)"],
  ["c_string", "truncate(1, c_binary)"],
  ["c_float", "c_double"],
  ["c_decimal38", "c_date"],
  ["c_timestamptz", "bucket(2, c_date)"]
]

/** The row that Spark deletes. */
const gone = 7

describe("Spark", () => {
  it.live(
    "reads every type that we write, at any moment, whatever the filter and the metrics, and columns that changed",
    () =>
      Effect.gen(function* () {
        const { layer, spark } = yield* started
        const { evolved, types } = yield* Effect.gen(function* () {
          return {
            types: yield* Effect.forEach(tables, (each) => writeTypes(each, withoutTime)),
            evolved: yield* writeEvolved
          }
        }).pipe(Effect.provide(layer))
        yield* askAll(askSpark(spark), [
          typeNamesQuestion(sparkEngine),
          evolvedQuestion(sparkEngine, evolved),
          ...types.map((each) => typesQuestion(sparkEngine, each)),
          ...tables.map((each) => probesQuestion(sparkEngine, each.name, probesOf(sparkEngine, each, withoutTime)))
        ])
        if (!full) return
        yield* Effect.forEach([...tables, { name: "evolved" }], ({ name }) => keepUp(name)).pipe(Effect.provide(layer))
        yield* askAll(askSpark(spark), keptUpQuestions(sparkEngine, types, evolved))
      }),
    1_800_000
  )

  it.live(
    "reads tables that we divide by every transform, whole and by filters on what they are divided by",
    () =>
      Effect.gen(function* () {
        const { layer, spark } = yield* started
        const divided = yield* writeDivided(withoutTime, full ? undefined : 2).pipe(Effect.provide(layer))
        assert.isAbove(divided.length, full ? 12 : 1)
        const questions = divided.flatMap((each) => dividedQuestions(sparkEngine, each, full ? 40 : 4))
        yield* askAll(askSpark(spark), questions)
      }),
    1_800_000
  )

  it.live.skipIf(!full)(
    "finds NaN, zeros and infinities in our files as in its own",
    () =>
      Effect.gen(function* () {
        const { layer, spark } = yield* started
        yield* writeQueried.pipe(Effect.provide(layer))
        yield* askAll(askSpark(spark), [floatsQuestion(sparkEngine)])
      }),
    1_800_000
  )

  it.live.skipIf(!full)(
    "misses rows by a UUID that lies not between bounds by sign, and does not read what is divided by a fixed",
    () =>
      Effect.gen(function* () {
        const { layer, spark } = yield* started
        const only = (column: string) => (each: TypeCase) => each.column === column
        const each = { metrics: "truncate(16)", deletes: "copy-on-write" } as const
        const byFixed = [{ column: "c_fixed", transform: { _tag: "identity" } }] as const
        yield* Effect.gen(function* () {
          yield* writeTypes({ name: "of_uuids", ...each }, only("c_uuid"))
          yield* writeTypes({ name: "by_fixed", ...each }, only("c_fixed"), byFixed)
        }).pipe(Effect.provide(layer))

        // faults of Iceberg's Java library, about which the sweeps do not ask: they are to ask once these are mended
        const asked = sweep(only("c_uuid")).filter(({ operator }) => operator === "=")
        const wheres = asked.map((probe) => probeSql("spark", probe))
        const rows = yield* spark(matchesQuery(wheres, "frazil.types.of_uuids"))
        // Java takes ffff… for less than 0000… (apache/iceberg#14216): where a file has both, the bounds have nothing between them
        assert.deepStrictEqual(rows, [
          { probe: 0, id: 1 },
          { probe: 2, id: 3 },
          { probe: 6, id: 7 },
          { probe: 8, id: 9 }
        ])
        assert.lengthOf(yield* spark("SELECT * FROM frazil.types.by_fixed.refs"), 3)
        // it reads a length before the bytes of a partition, which has none, and gives up on what follows
        const all = spark("SELECT id FROM frazil.types.by_fixed ORDER BY id")
        const kept = keptRows.map(({ id }) => ({ id }))
        assert.notDeepEqual(yield* Effect.orElseSucceed(all, () => []), kept)
      }),
    1_800_000
  )

  it.live(
    "divides tables and deletes rows of them: read here as written down, by filters too",
    () =>
      Effect.gen(function* () {
        const { layer, spark } = yield* started
        yield* Effect.gen(function* () {
          yield* writeTypes({ name: "source", metrics: "full", deletes: "copy-on-write" }, written)
          const rows = keptRows.filter(({ id }) => id !== gone)
          for (const [i, division] of divisions.slice(0, full ? undefined : 2).entries()) {
            yield* spark(`CREATE TABLE frazil.types.by_${i} USING iceberg PARTITIONED BY (${division.join(", ")})
              TBLPROPERTIES ('write.delete.mode' = '${i % 2 === 0 ? "merge-on-read" : "copy-on-write"}') AS SELECT * FROM frazil.types.source`)
            yield* spark(`DELETE FROM frazil.types.by_${i} WHERE id = ${gone}`)
            yield* checkDivided({ namespace: "types", name: `by_${i}`, division, rows, columns: writtenNames, seed: i })
          }
        }).pipe(Effect.provide(layer))
      }),
    1_800_000
  )
})
