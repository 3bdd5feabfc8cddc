/**
 * NaN, both zeros and infinities as others find them: no filter of theirs, or of ours, may leave out a file whose rows it means.
 *
 * What it means each engine says by its own answer over the same rows without files; ours is DuckDB's. The engines on Java
 * are asked in `FloatsAbroad.ts`.
 */
import { join } from "node:path"
import { EmbeddedLog } from "@frazil/connect"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Catalog, identifierText } from "../../src/catalog/Catalog.ts"
import { readTable } from "../../src/read/ReadTable.ts"
import { filterOf, landed, queried, questionsOf, writeLanded, writeQueried, type FloatQuestion } from "./Floats.ts"
import { runPython } from "./ForeignReaders.ts"
import { folder, layerAt } from "./ForeignTable.ts"

const Ids = Schema.Array(Schema.Int)
const Found = Schema.Struct({ table: Ids, rows: Ids })
const Answers = Schema.Record(
  Schema.String,
  Schema.Struct({
    pyiceberg: Schema.Record(Schema.String, Found),
    duckdb: Schema.Record(Schema.String, Found)
  })
)

const tables = [queried, landed].map((each) => ({ ...each, questions: questionsOf(each.columns) }))

const ask = (path: string) =>
  runPython("float_readers.py", {
    catalogName: "frazil",
    catalogFile: join(path, "catalog.db"),
    warehouse: `file://${path}/warehouse`,
    tables: tables.map(({ columns, files, questions, table }) => ({
      table: identifierText(table),
      columns,
      rows: files.flat(),
      questions
    }))
  }).pipe(Effect.flatMap(Schema.decodeUnknownEffect(Answers)))

/** Our own answer, and of how many files. */
const askUs = Effect.fnUntraced(function* (table: typeof queried.table | typeof landed.table, question: FloatQuestion) {
  const filter = filterOf(question)
  const found = yield* readTable(yield* Catalog.use((catalog) => catalog.loadTable(table)), {
    ...(filter === undefined ? {} : { filter }),
    query: `SELECT id FROM t WHERE ${question.where} ORDER BY id`
  })
  return { ids: found.rows.map(({ id }) => Number(id)), files: found.plan.entries.length }
})

const write = (path: string) =>
  Effect.andThen(writeQueried, writeLanded).pipe(Effect.provide(Layer.mergeAll(layerAt(path), EmbeddedLog.layerMemory)))

/** Answers that are not what was meant. */
const wrongOf = Effect.fnUntraced(function* (asked: (typeof tables)[number], answer: (typeof Answers.Type)[string]) {
  const { duckdb, pyiceberg } = answer
  const wrong: Array<unknown> = []
  const check = (reader: string, name: string, found: ReadonlyArray<number>, meant: ReadonlyArray<number>) => {
    if (JSON.stringify(found) !== JSON.stringify(meant)) wrong.push({ reader, name, found, meant })
  }
  let leftOut = 0
  for (const question of asked.questions) {
    const { name } = question
    check("duckdb", name, duckdb[name]!.table, duckdb[name]!.rows)
    const theirs = pyiceberg[name]
    if (theirs !== undefined) check("pyiceberg", name, theirs.table, theirs.rows)
    const ours = yield* askUs(asked.table, question)
    check("ours", name, ours.ids, duckdb[name]!.rows)
    if (ours.files < asked.files.length) leftOut++
  }
  assert.isAbove(leftOut, 0, "no filter left out a file")
  return wrong
})

describe("numbers that are no common ones", () => {
  it.live("are found by PyIceberg, DuckDB's reader and ours whatever files a filter leaves out", () =>
    Effect.gen(function* () {
      const path = yield* folder
      yield* write(path)
      const answers = yield* ask(path)
      yield* Effect.forEach(tables, (asked) =>
        Effect.gen(function* () {
          const answer = answers[identifierText(asked.table)]!
          assert.deepStrictEqual(yield* wrongOf(asked, answer), [], identifierText(asked.table))
          // both zeros are one number to all of them: the answers are not empty ones
          const zeros = asked.files.flat().flatMap(({ id, value }) => (value?.endsWith("0.0") === true ? [id] : []))
          const found = [answer.duckdb, answer.pyiceberg].map((each) => each["d = -0.0"]?.table)
          assert.deepStrictEqual(found, [zeros, zeros])
        })
      ).pipe(Effect.provide(layerAt(path)))
    }).pipe(Effect.scoped)
  )
})
