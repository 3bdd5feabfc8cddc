/**
 * Flink SQL's MATCH_RECOGNIZE, which compiles to Flink CEP, over the same records: the same matches.
 *
 * MATCH_RECOGNIZE is strict throughout: what `followedBy` leaves between is a reluctant variable of what does not fit. Rows of
 * one time have the order of their ids there, which is the order of the log here; late ones both drop. SQL's
 * watermark is one millisecond further behind: there a record of its very time is late, here the first one below it.
 */
import { expr } from "@frazil/core"
import { flinkSql, type FlinkRow } from "@frazil/sim/flink"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Flow, Job, Pattern } from "../../src/index.ts"
import { makeChance } from "../support/Chance.ts"
import { append, readAll, runToEnd, world } from "../support/Harness.ts"
import { Matches, randomSignals, Signals } from "../support/Sequences.ts"

const lines = randomSignals(makeChance(7), 3000, 6000)

const table = `CREATE TABLE signals (id BIGINT, account STRING, kind STRING, n BIGINT, at_ms BIGINT,
  ts AS TO_TIMESTAMP_LTZ(at_ms, 3), WATERMARK FOR ts AS ts - INTERVAL '3.001' SECOND)
  WITH ('connector' = 'filesystem', 'path' = '\${FILE}', 'format' = 'json')`

const query = (measures: string, skip: string, pattern: string, within: string, define: string) =>
  `SELECT account, ids FROM signals MATCH_RECOGNIZE (PARTITION BY account ORDER BY ts, id
  MEASURES ${measures} AS ids ONE ROW PER MATCH AFTER MATCH SKIP ${skip}
  PATTERN (${pattern}) WITHIN INTERVAL ${within} DEFINE ${define})`

const text = (...ids: ReadonlyArray<string>) => ids.map((id) => `CAST(${id} AS STRING)`).join(" || ' ' || ")

const a = Pattern.on(Signals).begin("a", expr("kind == 'a'"))
const three = Pattern.on(Signals).begin("a", expr("kind == 'a'")).times(3).consecutive()

/** Each pattern here and there; the ids of a match's records, in the order of its steps. */
type Signal = (typeof Signals)["schema"]["Type"]

type Taken = Signal | ReadonlyArray<Signal> | null

interface Question {
  readonly name: string
  readonly pattern: Pattern<Signal, Readonly<Record<string, Taken>>>
  /** Of several records of a step the last is shown. */
  readonly lastOnly?: boolean
  readonly sql: string
}

const questions: ReadonlyArray<Question> = [
  {
    name: "next",
    pattern: a.next("b", (record, { a }) => record.kind === "b" && record.n > a.n).within("4 seconds"),
    sql: query(text("A.id", "B.id"), "TO NEXT ROW", "A B", "'4' SECOND", "A AS kind = 'a', B AS kind = 'b' AND n > A.n")
  },
  {
    name: "followedBy",
    pattern: a.followedBy("b", (record, { a }) => record.kind === "b" && record.n !== a.n).within("5 seconds"),
    sql: query(
      text("A.id", "B.id"),
      "TO NEXT ROW",
      "A X*? B",
      "'5' SECOND",
      "A AS kind = 'a', X AS NOT (kind = 'b' AND n <> A.n), B AS kind = 'b' AND n <> A.n"
    )
  },
  {
    name: "times",
    pattern: three.followedBy("c", expr("kind == 'c'")).within("1 minute", { skip: "skipPastLastEvent" }),
    sql: query(
      text("FIRST(A.id)", "LAST(A.id, 1)", "LAST(A.id)", "C.id"),
      "PAST LAST ROW",
      "A{3} X*? C",
      "'1' MINUTE",
      "A AS kind = 'a', X AS kind <> 'c', C AS kind = 'c'"
    )
  },
  {
    name: "notFollowedBy",
    pattern: a.notFollowedBy("b", expr("kind == 'b'")).followedBy("c", expr("kind == 'c'")).within("3 seconds"),
    sql: query(
      text("A.id", "C.id"),
      "TO NEXT ROW",
      "A X*? C",
      "'3' SECOND",
      "A AS kind = 'a', X AS kind = 'a', C AS kind = 'c'"
    )
  },
  {
    name: "skipToLast",
    pattern: a
      .followedBy("b", expr("kind == 'b'"))
      .followedBy("c", expr("kind == 'c'"))
      .within("20 seconds", { skip: { skipToLast: "b" } }),
    sql: query(
      text("A.id", "B.id", "C.id"),
      "TO LAST B",
      "A X*? B Y*? C",
      "'20' SECOND",
      "A AS kind = 'a', X AS kind <> 'b', B AS kind = 'b', Y AS kind <> 'c', C AS kind = 'c'"
    )
  },
  {
    name: "oneOrMore",
    pattern: a
      .next("b", expr("kind == 'b'"))
      .oneOrMore({ max: 50 })
      .consecutive()
      .next("c", expr("kind == 'c'"))
      .within("10 seconds", { skip: "skipPastLastEvent" }),
    lastOnly: true,
    sql: query(
      text("A.id", "LAST(B.id)", "C.id"),
      "PAST LAST ROW",
      "A B+ C",
      "'10' SECOND",
      "A AS kind = 'a', B AS kind = 'b', C AS kind = 'c'"
    )
  },
  {
    name: "optional",
    pattern: a
      .next("b", expr("kind == 'b'"))
      .optional()
      .next("c", expr("kind == 'c'"))
      .within("10 seconds", { skip: "skipToNext" }),
    sql: query(
      `${text("A.id")} || COALESCE(' ' || ${text("B.id")}, '') || ' ' || ${text("C.id")}`,
      "TO NEXT ROW",
      "A B? C",
      "'10' SECOND",
      "A AS kind = 'a', B AS kind = 'b', C AS kind = 'c'"
    )
  }
]

const shown = (taken: Taken, lastOnly: boolean): ReadonlyArray<number> => {
  const ids = (taken === null ? [] : "id" in taken ? [taken] : taken).map(({ id }) => id)
  return lastOnly ? ids.slice(-1) : ids
}

const ours = ({ lastOnly = false, pattern }: Question) =>
  Effect.gen(function* () {
    const topic = { ...Signals, partitions: 1 }
    yield* append(topic, lines)
    const matched = Flow.from(topic).pipe(
      Flow.eventTime("at", { outOfOrderness: "3 seconds" }),
      Flow.keyBy("account"),
      Flow.pattern(pattern),
      Flow.map(({ account, steps }) => ({
        account,
        steps: Object.values(steps)
          .flatMap((taken) => shown(taken, lastOnly))
          .join(" ")
      })),
      Flow.to(Matches)
    )
    yield* runToEnd(Job.make("asked", [matched]), { epochRecords: 100 })
    const late = (yield* readAll("ledger")).length
    assert.isAbove(late, 10)
    return (yield* readAll("matches"))
      .map(({ value }) => JSON.parse(value) as { readonly account: string; readonly steps: string })
      .map(({ account, steps }) => `${account} ${steps}`)
      .sort()
  }).pipe(Effect.provide(world))

const theirs = (rows: ReadonlyArray<FlinkRow>) =>
  rows.map(({ row }) => `${String(row["account"])} ${String(row["ids"])}`).sort()

describe("Flink SQL, asked for the same patterns", () => {
  it.live(
    "finds the same matches",
    () =>
      Effect.gen(function* () {
        const input = lines.map(({ account, at, id, kind, n }) => JSON.stringify({ id, account, kind, n, at_ms: at }))
        const rows = yield* flinkSql(input, [table, ...questions.map(({ sql }) => sql)])
        const numbers = [...new Set(rows.map(({ q }) => q))].sort((left, right) => left - right)
        assert.strictEqual(numbers.length, questions.length)
        for (const [index, question] of questions.entries()) {
          const { name } = question
          const found = yield* ours(question)
          assert.isAbove(found.length, 20, name)
          assert.deepStrictEqual(found, theirs(rows.filter(({ q }) => q === numbers[index])), name)
        }
      }),
    300_000
  )
})
