/**
 * All jobs of the pipeline on a REST catalog of Java's and a store of objects: the tables have the rows, one by one, that
 * the same commands leave in a data directory of their own; so they do after all upkeep, and at earlier snapshots.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { HttpCalls } from "@frazil/core"
import { openRestClient } from "@frazil/lake"
import { kinds, makeCorpus } from "@frazil/sim"
import { restServerOnS3, s3Server } from "@frazil/sim/servers"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { askGateway, frazil, maintain, ofStore } from "./support/FarLake.ts"
import { lookupsPlace } from "./support/LookupRuns.ts"
import { runPipelineProcess } from "./support/PipelineProcess.ts"
import type { Place } from "./support/PipelineRun.ts"

/**
 * By table, what is another at each run whatever the lake is: the clock, and where records of several jobs, or answers
 * that come when they come, stand in their topic.
 */
const tables = {
  "transactions.raw": [],
  "transactions.alerts": ["source_offset"],
  "lending.applications": [],
  "lending.decisions": ["decided_at", "timings", "source_offset"],
  "claims.enriched": ["enrichment_timestamp", "source_offset"],
  "claims.failed": ["enrichment_timestamp", "source_offset"],
  "system.dead_letter": ["failed_at", "source_partition", "source_offset"]
}

const columnsOf = (left: ReadonlyArray<string>): string => (left.length === 0 ? "*" : `* EXCLUDE (${left.join(", ")})`)

/** Counts over ranges of offsets, which end where batches do. */
const ledger = `SELECT job, operator, reason, key, event_timestamp, topic, partition, min(offset_from), max(offset_to),
  sum(count) FROM system.ledger GROUP BY ALL`

/** Every row of every table as a line. */
const everything = [
  ...Object.entries(tables).map(([table, left]) => [table, `SELECT ${columnsOf(left)} FROM ${table}`]),
  ["system.ledger", ledger]
]
  .map(([table, select]) => `SELECT '${table}' AS t, CAST(r AS VARCHAR) AS line FROM (${select}) AS r`)
  .join(" UNION ALL ")

/** As long as a landing reads one of at a time: there are more than partitions, so that it commits more than once. */
const longLines = 14

const names = [...Object.keys(tables), "system.ledger"].toSorted()

const eventsOf = (kind: "clicks" | "logins"): string => {
  const source = kinds[kind].source(5)
  return Array.from({ length: 200 }, (_, index) => {
    const { bytes, length } = source.next(Date.UTC(2026, 0, 15) + index * 7_000)
    return `${new TextDecoder().decode(bytes.subarray(0, length))}\n`
  }).join("")
}

/** A place with an input for each job. */
const placeOfAll = Effect.gen(function* () {
  const made = yield* lookupsPlace
  const others = {
    "raw-transactions": makeCorpus({
      seed: 31,
      lines: 2_000,
      longLineBytes: Array.from({ length: longLines }, () => 700_000)
    }),
    clickstream: eventsOf("clicks"),
    authentication: eventsOf("logins")
  }
  const files = Object.entries(others).map(([topic, bytes]) => {
    const file = join(made.folder, `${topic}.ndjson`)
    writeFileSync(file, bytes)
    return [topic, file] as const
  })
  return { ...made, inputs: new Map([...made.inputs, ...files]) } satisfies Place
})

type Environment = Readonly<Record<string, string>>

/** Runs all jobs to the end of their inputs, with commits as small as they come. */
const runAll = Effect.fnUntraced(function* (place: Place, where: ReadonlyArray<string>, env: Environment) {
  const inputs = Array.from(place.inputs, ([topic, file]) => ["--input", `${topic}=${file}`]).flat()
  const ended = yield* runPipelineProcess({ args: [...where, ...inputs, "--lake-commit-every", "1ms"], env })
  assert.deepStrictEqual([ended.code, ended.errors], [0, []], ended.lines.join("\n"))
})

interface Row {
  readonly t: string
  readonly line: string
}

/** Rows of all tables. */
const rowsOf = Effect.fnUntraced(function* (where: ReadonlyArray<string>, env: Environment) {
  const printed = yield* frazil(["tables", "query", everything, "--unmask", "--format", "ndjson", ...where], env)
  // what the command prints for this query: its rows, and a line that says how many
  const lines = printed
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Partial<Row>)
  return lines.flatMap(({ line, t }): ReadonlyArray<Row> =>
    t === undefined || line === undefined ? [] : [{ t, line }]
  )
})

const textOf = (rows: ReadonlyArray<Row>) => rows.map(({ line, t }) => `${t} ${line}`).toSorted()

/** The report of a maintenance run, one for each action and table. */
interface Report {
  readonly table: string
  readonly action: string
  readonly files_before: number
  readonly files_after: number
  readonly snapshots_expired: number
  readonly error: string | null
}

const upkeep = Effect.fnUntraced(function* (args: ReadonlyArray<string>, env: Environment) {
  // what the command prints for --json
  const reports = JSON.parse(yield* maintain([...args, "--json"], env)) as ReadonlyArray<Report>
  assert.deepStrictEqual(
    reports.flatMap(({ error, table }) => (error === null ? [] : [`${table}: ${error}`])),
    []
  )
  return reports
})

const countRaw = "SELECT count(*) AS n FROM transactions.raw"

describe("all jobs on a REST catalog and S3", () => {
  it.live("leave the rows that they leave on local disk, through all upkeep and at earlier snapshots", () =>
    Effect.gen(function* () {
      const near = yield* placeOfAll
      const home = ["--data", near.data]
      yield* runAll(near, home, {})
      const expected = yield* rowsOf(home, {})
      assert.deepStrictEqual(Array.from(new Set(expected.map(({ t }) => t))).toSorted(), names)

      const far = yield* placeOfAll
      const store = yield* s3Server(9957, "lake")
      const catalog = yield* restServerOnS3(8255, far.folder, store, "s3://lake/tables")
      const env = ofStore(store.url)
      const where = ["--data", far.data, "--catalog", catalog.url, "--warehouse", "s3://lake/tables"]
      yield* runAll(far, where, env)
      assert.deepStrictEqual(textOf(yield* rowsOf(where, env)), textOf(expected))

      const table = { namespace: "transactions", name: "raw" }
      const { metadata } = yield* HttpCalls.use((http) => openRestClient(http, { url: catalog.url })).pipe(
        Effect.flatMap((client) => client.loadTable(table)),
        Effect.provide(HttpCalls.layer)
      )
      const landed = metadata.snapshots.map(({ snapshotId, summary }) => ({
        asOf: String(snapshotId),
        rows: Number(summary.get("total-records"))
      }))
      const [first] = landed
      if (first === undefined) return assert.fail("nothing landed")
      assert.isAbove(landed.length, 1)

      const kept = yield* upkeep(["all", "--min-input-files", "2", ...where], env)
      const compacted = kept.find((report) => report.action === "compact" && report.table === "transactions.raw")
      assert.isAbove(compacted?.files_before ?? 0, compacted?.files_after ?? 0)
      assert.deepStrictEqual(textOf(yield* rowsOf(where, env)), textOf(expected))
      const answers = yield* askGateway(where, env, 8263, [
        { sql: countRaw },
        ...landed.map(({ asOf }) => ({ sql: countRaw, asOf }))
      ])
      const counts = answers.map((answer) => /^200 [^]*"rows":\[\s*\{"n":(\d+)\}/.exec(answer)?.[1] ?? answer)
      const last = landed.at(-1)!
      assert.deepStrictEqual(
        counts,
        [last, ...landed].map(({ rows }) => String(rows))
      )
      assert.isBelow(first.rows, last.rows)

      const expired = yield* upkeep(["all", "--snapshots-older-than", "1s", "--snapshots-keep", "1", ...where], env)
      const forgotten = expired.find((report) => report.action === "expire" && report.table === "transactions.raw")
      assert.isAtLeast(forgotten?.snapshots_expired ?? 0, landed.length - 1)
      assert.deepStrictEqual(textOf(yield* rowsOf(where, env)), textOf(expected))
      for (const name of ["transactions.raw", "lending.decisions", "system.ledger"]) {
        assert.match(yield* frazil(["tables", "audit", name, ...where], env), /none missing, none doubled/)
      }
    })
  )
})
