/**
 * Flink on tables of every type that we write: rows, earlier moments, deleted rows, filters with and without metrics, changed
 * columns, types, partitions, what upkeep makes of tables, and format version 3; what it does not find is in `FlinkDifferences.ts`.
 *
 * One Java machine a test answers all questions, as it takes long to start: some of them always, by its newer line; whole sweeps
 * by both where FRAZIL_FOREIGN is `full`.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { dividedQuestions, writeDivided } from "./DividedTables.ts"
import { askFlink, flinkEngine, flinkVersions, withoutTime } from "./Engines.ts"
import {
  askAll,
  evolvedQuestion,
  full,
  keptUpQuestions,
  probesOf,
  probesQuestion,
  typesQuestion
} from "./EngineSweep.ts"
import { typeNamesQuestion } from "./EngineTypes.ts"
import { writeEvolved } from "./EvolvedTable.ts"
import { flinkDifferencesQuestion } from "./FlinkDifferences.ts"
import { checkFlinkVersion3, flinkNanosecondsQuestion } from "./FlinkVersion3.ts"
import { writeQueried } from "./Floats.ts"
import { floatsQuestion } from "./FloatsAbroad.ts"
import { folder, layerAt } from "./ForeignTable.ts"
import { keepUp, metricsTables, vectorsTable, writeTypes } from "./TypesTable.ts"
import { writeVersion3 } from "./Version3Table.ts"

const tables = full ? [...metricsTables, vectorsTable] : metricsTables.filter(({ name }) => name === "truncated")

describe("Flink", () => {
  it.live.each(full ? flinkVersions : flinkVersions.slice(-1))(
    "%s reads every type that we write, at any moment, whatever the filter and the metrics, columns that changed, and nanoseconds; what it leaves out it leaves out of its own",
    (version) =>
      Effect.gen(function* () {
        const path = yield* folder
        const layer = layerAt(path)
        const ask = askFlink(path, version)
        const { evolved, types } = yield* Effect.gen(function* () {
          return {
            types: yield* Effect.forEach(tables, (each) => writeTypes(each, withoutTime)),
            evolved: yield* writeEvolved
          }
        }).pipe(Effect.tap(writeVersion3), Effect.provide(layer))
        yield* askAll(ask, [
          typeNamesQuestion(flinkEngine),
          evolvedQuestion(flinkEngine, evolved),
          flinkNanosecondsQuestion,
          flinkDifferencesQuestion,
          ...types.map((each) => typesQuestion(flinkEngine, each)),
          ...tables.map((each) => probesQuestion(flinkEngine, each.name, probesOf(flinkEngine, each, withoutTime)))
        ])
        if (!full) return
        yield* checkFlinkVersion3(ask).pipe(Effect.provide(layer))
        yield* Effect.forEach([...tables, { name: "evolved" }], ({ name }) => keepUp(name)).pipe(Effect.provide(layer))
        yield* askAll(ask, keptUpQuestions(flinkEngine, types, evolved))
      }).pipe(Effect.scoped),
    1_800_000
  )
})

describe.skipIf(!full)("Flink, on what is divided", () => {
  it.live.each(flinkVersions)(
    "%s reads tables that we divide by every transform, whole and by filters, and finds NaN, zeros and infinities as in its own",
    (version) =>
      Effect.gen(function* () {
        const path = yield* folder
        const divided = yield* Effect.andThen(writeQueried, writeDivided(withoutTime)).pipe(
          Effect.provide(layerAt(path))
        )
        assert.isAbove(divided.length, 12)
        yield* askAll(askFlink(path, version), [
          floatsQuestion(flinkEngine),
          ...divided.flatMap((each) => dividedQuestions(flinkEngine, each, 10))
        ])
      }).pipe(Effect.scoped),
    1_800_000
  )
})
