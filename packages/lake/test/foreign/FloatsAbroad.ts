/**
 * NaN, both zeros and infinities as engines on Java find them in our table.
 *
 * What a filter means an engine says by its answer over the same rows without files. That is not what it finds in tables of its
 * own: Java takes both zeros for two numbers, so that Spark finds no −0.0 by `= 0.0`, though its SQL says that they are equal.
 * So of our table it must give no row that is not meant, and every one that it gives of a table of its own.
 */
import { assert } from "@effect/vitest"
import { Array as Lists } from "effect"
import { idsByMatch, matchesQuery, type Engine, type EngineRows, type Question } from "./EngineSweep.ts"
import { literal, queried, questionsOf, sqlTypeOf, type FloatRow } from "./Floats.ts"

/** Flink has no literals of NaN and of infinities, nor a test of NaN. */
const asked = ({ dialect }: Engine) =>
  questionsOf(queried.columns, dialect).filter(
    ({ operator, values }) => dialect !== "flink" || !(operator.endsWith("nan") || values.some(isSpecial))
  )

const isSpecial = (value: string): boolean => !Number.isFinite(Number(value))

const valuesOf = ({ dialect }: Engine, rows: ReadonlyArray<FloatRow>): string =>
  `VALUES ${rows
    .map(({ id, value }) => `(${id}, ${queried.columns.map((column) => literal(dialect, column, value)).join(", ")})`)
    .join(", ")}`

const columnsText = queried.columns.join(", ")

/** A file's rows; those that Flink cannot write down it copies from ours. */
const rowsOf = (engine: Engine, ours: string, rows: ReadonlyArray<FloatRow>): string =>
  engine.dialect === "flink"
    ? `SELECT id, ${columnsText} FROM ${ours} WHERE id >= ${rows[0]!.id} AND id <= ${rows.at(-1)!.id}`
    : valuesOf(engine, rows)

/** The rows without files. Flink has none such: columns that are worked out, of which no filter leaves out a file. */
const plainRows = (engine: Engine, ours: string): string => {
  if (engine.dialect !== "flink") return `(${valuesOf(engine, queried.files.flat())}) AS t(id, ${columnsText})`
  const columns = queried.columns.map((column) => `CASE WHEN id > 0 THEN ${column} END AS ${column}`)
  return `(SELECT id, ${columns.join(", ")} FROM ${ours}) AS t`
}

/** The engine makes a table of its own, with the same files. */
export const floatsQuestion = (engine: Engine): Question => {
  const { dialect, prefix, probesAtOnce } = engine
  const [ours, own] = [`${prefix}floats.queried`, `${prefix}floats.of_${dialect}`]
  const columns = queried.columns.map((column) => `${column} ${sqlTypeOf(dialect, column)}`).join(", ")
  const made = [
    `CREATE TABLE ${own} (id BIGINT, ${columns})`,
    ...queried.files.map((rows) => `INSERT INTO ${own} ${rowsOf(engine, ours, rows)}`)
  ]
  const questions = asked(engine)
  const groups = Lists.chunksOf(questions, probesAtOnce)
  const sources = [ours, own, plainRows(engine, ours)]
  const queries = sources.flatMap((from) =>
    groups.map((group) =>
      matchesQuery(
        group.map(({ where }) => where),
        from
      )
    )
  )
  return {
    queries: [...made, ...queries],
    check: (answers) => {
      const found = Lists.chunksOf(answers.slice(made.length), groups.length).map(idsOfAll(groups))
      const wrong = questions.flatMap(({ name }, i) => {
        const [here, theirs, meant] = found.map((each) => each[i]!)
        const fits = theirs!.every((id) => here!.includes(id)) && here!.every((id) => meant!.includes(id))
        return fits ? [] : [{ name, here, theirs, meant }]
      })
      assert.deepStrictEqual(wrong, [], ours)
      const whole = questions.filter((_, i) => JSON.stringify(found[0]![i]) === JSON.stringify(found[2]![i]))
      assert.isAbove(whole.length, questions.length / 2, "few filters give what they mean")
    }
  }
}

/** The ids that each question gave, in the order of all of them. */
const idsOfAll =
  (groups: ReadonlyArray<ReadonlyArray<unknown>>) =>
  (answers: ReadonlyArray<EngineRows>): ReadonlyArray<ReadonlyArray<number>> =>
    groups.flatMap((group, i) => {
      const ids = idsByMatch(answers[i]!)
      return group.map((_, j) => ids.get(j) ?? [])
    })
