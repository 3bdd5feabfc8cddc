/** Transactions on Kafka and on the embedded log: the input of a run, and its tables without where their rows lie in the log. */
import { readFileSync } from "node:fs"
import { Catalog, readTable } from "@frazil/lake"
import { dataDirectory, systemLayer } from "@frazil/platform"
import { makeTransactions, rawRowsQuery, rowText, type TextRow } from "@frazil/sim"
import { Effect } from "effect"
import type { Summary } from "../../src/Summary.ts"
import type { Place } from "./PipelineRun.ts"

/** Two in the morning in the Americas, so that every kind of fraud has its hour. */
const startMs = Date.UTC(2026, 0, 14, 7)

/** Generated transactions, some of them invalid, and a line that is longer than a record may be. */
export const makeInput = (records: number): Uint8Array => {
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

/** Rows of the raw table as the oracle has them, without where they lie in the log. */
export const rawRows = (data: string, at: Parameters<typeof dataDirectory>[2]) =>
  rowsOf("transactions", "raw", rawRowsQuery).pipe(
    Effect.map((rows) => rows.map((row) => rowText({ ...row, source_offset: null })).sort()),
    Effect.provide(systemLayer(dataDirectory(data, undefined, at)))
  )

/**
 * Entries of the ledger without where records lie in the log. What conditions left out is told by blocks of offsets: it is
 * added up, by operator and partition.
 */
const ledgerTexts = (rows: ReadonlyArray<TextRow>): ReadonlyArray<string> => {
  const filtered = new Map<string, number>()
  const texts: Array<string> = []
  for (const row of rows) {
    if (row["reason"] !== "filtered") {
      texts.push(rowText({ ...row, source_offset: null, offset_from: null, offset_to: null }))
      continue
    }
    const of = `filtered ${String(row["operator"])} ${String(row["partition"])}`
    filtered.set(of, (filtered.get(of) ?? 0) + Number(row["count"]))
  }
  return [...texts, ...Array.from(filtered, ([of, count]) => `${of} ${count}`)].sort()
}

/** Rows of the tables, without where they lie in the log. */
export const answers = (data: string, at: Parameters<typeof dataDirectory>[2]) =>
  Effect.gen(function* () {
    const raw = yield* rowsOf("transactions", "raw", "SELECT * REPLACE (CAST(amount AS VARCHAR) AS amount) FROM t")
    const letters = yield* rowsOf("system", "dead_letter", "SELECT * FROM t")
    const alerts = yield* rowsOf("transactions", "alerts", "SELECT * FROM t")
    const ledger = yield* rowsOf("system", "ledger", "SELECT * FROM t")
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
      ledger: ledgerTexts(ledger),
      alerts: lastRevisions(alerts)
        .map((row) =>
          rowText({ ...row, alert_id: null, source_offset: null, sources: sourcesOf(row["sources"]).join() })
        )
        .sort()
    }
  }).pipe(Effect.provide(systemLayer(dataDirectory(data, undefined, at))))

/** Small, so that much happens in a short run. */
export const often = ["--epoch", "50ms", "--lake-commit-every", "300ms", "--checkpoint-every", "1s"] as const

/** A bounded run in small epochs, commits and checkpoints. */
export const boundedArgs = ({ file }: Place, data: string, more: ReadonlyArray<string>) => [
  ...["--jobs", "transactions", "--data", data, "--input", `raw-transactions=${file}`],
  ...["--summary", `${data}.json`, ...often, ...more]
]

/** By name: a run that finds everything done tells them in another order. */
export const tablesOf = (data: string): Summary["tables"] => {
  const { tables } = JSON.parse(readFileSync(`${data}.json`, "utf8")) as Summary
  return [...tables].sort((left, right) => (left.table < right.table ? -1 : 1))
}
