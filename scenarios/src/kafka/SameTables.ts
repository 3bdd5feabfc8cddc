/**
 * What the tables of a run hold, as figures that are equal where the answers are: for a log on Kafka and an embedded one with
 * the same records. Offsets differ between them, since markers take some; what an alert came from is told by its
 * transactions.
 */
import { Catalog, readTable } from "@frazil/lake"
import { type dataDirectory, systemLayer } from "@frazil/platform"
import { Effect } from "effect"

/** A hash of some columns over all rows, whatever their order, beside their number. */
const figures = (columns: ReadonlyArray<string>, from = "t"): string =>
  `SELECT count(*) AS rows, CAST(coalesce(sum(hash(${columns.join(", ")})::HUGEINT), 0) AS VARCHAR) AS hash FROM ${from}`

/** The last revision of each alert. */
const lastAlerts = "(SELECT * FROM t QUALIFY row_number() OVER (PARTITION BY alert_id ORDER BY revision DESC) = 1)"
const alertColumns = ["rule_id", "rule_version", "severity", "key", "event_timestamp", "window_start", "window_end"]
const alertAnswers = ["revision", "outcome", "score", `"values"`, "message", "sources_count"]

const alertSources = (raw: string): string => {
  const sources = `from_json(sources, '[{"partition":"INTEGER","offset":"BIGINT"}]')`
  const each = `(SELECT ${alertColumns.join(", ")}, unnest(${sources}) AS source FROM ${lastAlerts})`
  const found = `(SELECT each.*, r.transaction_id FROM ${each} each LEFT JOIN (${raw}) r
    ON r.source_partition = each.source.partition AND r.source_offset = each.source.offset)`
  return figures([...alertColumns, "transaction_id"], found)
}

const rawColumns = ["transaction_id", "account_id", "CAST(amount AS VARCHAR)", "event_timestamp", "source_partition"]
const letterColumns = [`"partition"`, "reason", "field", "message", "original"]
const ledgerColumns = ["job", "operator", "reason", "key", "event_timestamp", "lateness_ms", `"partition"`]
const ledgerEntries = "(SELECT * FROM t WHERE reason NOT IN ('lead', 'filtered'))"

/** Entries of filtered records are one for so many offsets, so that markers make more of them: what they count is the same. */
const filteredColumns = ["job", "operator", `"partition"`]
const filteredRecords = `(SELECT ${filteredColumns.join(", ")}, CAST(sum("count") AS BIGINT) AS records
  FROM t WHERE reason = 'filtered' GROUP BY ALL)`

/** The figures of each table, by name. */
export const tableFigures = (at: ReturnType<typeof dataDirectory>) =>
  Effect.gen(function* () {
    const catalog = yield* Catalog
    const ask = Effect.fnUntraced(function* (namespace: string, name: string, query: string) {
      const { relation, rows } = yield* readTable(yield* catalog.loadTable({ namespace, name }), { query })
      return { relation, answer: rows.map((row) => `${String(row["rows"])} ${String(row["hash"])}`).join() }
    })
    const raw = yield* ask("transactions", "raw", figures(rawColumns))
    const places = yield* ask(
      "transactions",
      "raw",
      figures(["1"], "(SELECT DISTINCT source_partition, source_offset FROM t)")
    )
    const alerts = yield* ask("transactions", "alerts", figures([...alertColumns, ...alertAnswers], lastAlerts))
    const told = yield* ask("transactions", "alerts", figures(["1"]))
    const revisions = yield* ask(
      "transactions",
      "alerts",
      figures(["1"], "(SELECT DISTINCT alert_id, revision FROM t)")
    )
    const sources = yield* ask("transactions", "alerts", alertSources(raw.relation))
    const letters = yield* ask("system", "dead_letter", figures(letterColumns))
    const ledger = yield* ask("system", "ledger", figures(ledgerColumns, ledgerEntries))
    const filtered = yield* ask("system", "ledger", figures([...filteredColumns, "records"], filteredRecords))
    return {
      answers: new Map([
        ["transactions.raw", raw.answer],
        ["transactions.alerts", alerts.answer],
        ["sources of alerts", sources.answer],
        ["system.dead_letter", letters.answer],
        ["system.ledger", ledger.answer],
        ["filtered records", filtered.answer]
      ]),
      /** Each row of a record, and each revision of an alert, is there once. */
      once: places.answer.split(" ")[0] === raw.answer.split(" ")[0] && told.answer === revisions.answer,
      rows: Number(raw.answer.split(" ")[0]),
      alerts: Number(alerts.answer.split(" ")[0])
    }
  }).pipe(Effect.provide(systemLayer(at)), Effect.scoped)
