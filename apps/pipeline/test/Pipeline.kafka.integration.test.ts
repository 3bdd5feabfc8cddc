/**
 * The pipeline with its log on a real Kafka broker: the same tables as with the embedded log, whatever dies on the way.
 *
 * Offsets differ, since markers take some; which records an alert came from is compared by their transactions.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Catalog, readTable } from "@frazil/lake"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { makeTransactions, rowText, type TextRow } from "@frazil/sim"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { sharedKafka } from "@frazil/sim/kafka"
import type { Summary } from "../src/Summary.ts"
import { runFrazil, runPipelineProcess, startPipeline } from "./support/PipelineProcess.ts"
import { makePlace, type Place } from "./support/PipelineRun.ts"

// each test begins with an empty log
const kafka = sharedKafka(19_292)
beforeEach(kafka.start, 120_000)
afterEach(kafka.stop, 60_000)

const onKafka = `kafka://127.0.0.1:${kafka.broker.port}`
const log = { _tag: "Kafka", brokers: [kafka.broker] } as const

/** Two in the morning in the Americas, so that every kind of fraud has its hour. */
const startMs = Date.UTC(2026, 0, 14, 7)

/** Generated transactions, some of them invalid, and a line that is longer than a record may be. */
const makeInput = (records: number): Uint8Array => {
  const generator = makeTransactions({ seed: 11, fraudShare: 0.02, invalidShare: 0.02 })
  const lines: Array<Uint8Array> = []
  for (let index = 0; index < records; index++) {
    const { bytes, length } = generator.next(startMs + index * 500)
    lines.push(bytes.slice(0, length), Uint8Array.of(10))
  }
  lines.splice(records, 0, Buffer.from(`{"transaction_id":"${"x".repeat(1_500_000)}"}\n`))
  return Buffer.concat(lines)
}

const rowsOf = Effect.fnUntraced(function* (namespace: string, name: string, query: string) {
  const catalog = yield* Catalog
  const { rows } = yield* readTable(yield* catalog.loadTable({ namespace, name }), { query })
  return rows.map((row): TextRow => row)
})

const lastRevisions = (rows: ReadonlyArray<TextRow>): ReadonlyArray<TextRow> => {
  const last = new Map<unknown, TextRow>()
  for (const row of rows) {
    const before = last.get(row["alert_id"])
    if (before === undefined || Number(before["revision"]) < Number(row["revision"])) last.set(row["alert_id"], row)
  }
  return [...last.values()]
}

/** Rows of the tables, without where they lie in the log. */
const answers = (data: string, at: Parameters<typeof dataDirectory>[2]) =>
  Effect.gen(function* () {
    const raw = yield* rowsOf("transactions", "raw", "SELECT * REPLACE (CAST(amount AS VARCHAR) AS amount) FROM t")
    const letters = yield* rowsOf("system", "dead_letter", "SELECT * FROM t")
    const alerts = yield* rowsOf("transactions", "alerts", "SELECT * FROM t")
    const places = new Map(
      raw.map((row) => [`${String(row["source_partition"])}/${String(row["source_offset"])}`, row["transaction_id"]])
    )
    const sourcesOf = (text: unknown) =>
      (JSON.parse(String(text)) as ReadonlyArray<{ readonly partition: number; readonly offset: number }>).map(
        ({ offset, partition }) => places.get(`${partition}/${offset}`) ?? "unknown"
      )
    const texts = (rows: ReadonlyArray<TextRow>, without: ReadonlyArray<string>) =>
      rows.map((row) => rowText({ ...row, ...Object.fromEntries(without.map((name) => [name, null])) })).sort()
    return {
      raw: texts(raw, ["source_offset"]),
      letters: texts(letters, ["source_offset", "offset", "failed_at"]),
      alerts: lastRevisions(alerts)
        .map((row) =>
          rowText({ ...row, alert_id: null, source_offset: null, sources: sourcesOf(row["sources"]).join() })
        )
        .sort()
    }
  }).pipe(Effect.provide(systemLayer(dataDirectory(data, undefined, at))))

const args = ({ file }: Place, data: string, more: ReadonlyArray<string>) => [
  ...["--jobs", "transactions", "--data", data, "--input", `raw-transactions=${file}`],
  ...[
    "--summary",
    `${data}.json`,
    "--epoch",
    "50ms",
    "--lake-commit-every",
    "300ms",
    "--checkpoint-every",
    "1s",
    ...more
  ]
]

/** By name: a run that finds everything done tells them in another order. */
const tablesOf = (data: string): Summary["tables"] => {
  const { tables } = JSON.parse(readFileSync(`${data}.json`, "utf8")) as Summary
  return [...tables].sort((left, right) => (left.table < right.table ? -1 : 1))
}

describe("the pipeline on Kafka", () => {
  it.live(
    "gives the tables that the embedded log gives; run again it does nothing; audits agree",
    () =>
      Effect.gen(function* () {
        const place = yield* makePlace(makeInput(20_000))
        const embedded = join(place.folder, "embedded")
        const kafkaData = join(place.folder, "kafka")
        for (const [data, more] of [
          [embedded, []],
          [kafkaData, ["--log", onKafka]]
        ] as const) {
          const ended = yield* runPipelineProcess({ args: args(place, data, more) })
          assert.strictEqual(ended.code, 0, ended.lines.join("\n"))
        }
        const expected = yield* answers(embedded, undefined)
        assert.deepStrictEqual(yield* answers(kafkaData, log), expected)
        assert.isAbove(expected.alerts.length, 100)
        assert.isAbove(expected.letters.length, 10)
        const before = tablesOf(kafkaData)
        const again = yield* runPipelineProcess({ args: args(place, kafkaData, ["--log", onKafka]) })
        assert.strictEqual(again.code, 0, again.lines.join("\n"))
        assert.deepStrictEqual(tablesOf(kafkaData), before)
        for (const table of ["transactions.raw", "transactions.alerts", "system.dead_letter"]) {
          const audit = yield* runFrazil(kafkaData, "tables", "audit", table, "--log", onKafka)
          assert.strictEqual(audit.code, 0, audit.lines.join("\n"))
        }
      }),
    300_000
  )

  it.live(
    "killed again and again, and the broker with it, loses nothing and doubles nothing",
    () =>
      Effect.gen(function* () {
        const place = yield* makePlace(makeInput(40_000))
        const embedded = join(place.folder, "embedded")
        const kafkaData = join(place.folder, "kafka")
        const undisturbed = yield* runPipelineProcess({ args: args(place, embedded, []) })
        assert.strictEqual(undisturbed.code, 0, undisturbed.lines.join("\n"))
        const run = args(place, kafkaData, ["--log", onKafka])
        for (let kill = 0; kill < 6; kill++) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* startPipeline({ args: run })
              yield* Effect.sleep(1_200 + kill * 250)
              if (kill % 2 === 0) return
              // the broker first: what it had acknowledged must be there when it comes back
              yield* kafka.server().kill
              yield* Effect.sleep(300)
              yield* kafka.server().start
              yield* Effect.sleep(1_000)
            })
          )
        }
        const ended = yield* runPipelineProcess({ args: run })
        assert.strictEqual(ended.code, 0, ended.lines.join("\n"))
        assert.deepStrictEqual(yield* answers(kafkaData, log), yield* answers(embedded, undefined))
        const audit = yield* runFrazil(kafkaData, "tables", "audit", "transactions.raw", "--log", onKafka)
        assert.strictEqual(audit.code, 0, audit.lines.join("\n"))
      }),
    400_000
  )
})
