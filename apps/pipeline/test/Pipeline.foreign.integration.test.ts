/**
 * Data that nobody here has made, read by programs that nobody here has written: a Rust generator's transactions land with
 * exactly its counter's counts and sums, and PyIceberg and DuckDB's own Iceberg reader see the same, also while the
 * pipeline is still writing.
 *
 * FRAZIL_FRESH_SEED repeats a run; without it every run has other data.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { partitionOf } from "@frazil/core"
import { expectRawTransactions, makeCorpus } from "@frazil/sim"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import type { Summary } from "../src/Summary.ts"
import { type Figures, freshTransactions, type Seen, watchTable } from "./foreign/Peers.ts"
import { runPipelineProcess, startPipeline } from "./support/PipelineProcess.ts"
import { makePlace, type Place } from "./support/PipelineRun.ts"

const partitions = 4
/** Enough to cross midnight: the generator makes one a millisecond from 23:45 on. */
const freshCount = 930_000

interface Day {
  rows: number
  cents: bigint
}

/** A valid record of the file, by where it stands in its topic. */
interface Landed {
  readonly day: string
  readonly cents: bigint
}

/** By partition and offset what the file's lines are; undefined where a line is no transaction. */
const readLines = (file: string): ReadonlyArray<ReadonlyArray<Landed | undefined>> => {
  const landed: ReadonlyArray<Array<Landed | undefined>> = Array.from({ length: partitions }, () => [])
  const known = new Map<string, number>()
  const bytes = readFileSync(file)
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start)
    const line = bytes.toString("utf8", start, end < 0 ? bytes.length : end)
    start = end < 0 ? bytes.length : end + 1
    const record = parse(line)
    const account = record?.account_id
    let partition = account === undefined ? 0 : known.get(account)
    if (partition === undefined) known.set(account ?? "", (partition = partitionOf(account ?? null, partitions)))
    const valid = record !== undefined && account !== undefined && record.amount > 0
    landed[partition]?.push(
      valid ? { day: record.event_timestamp.slice(0, 10), cents: BigInt(Math.round(record.amount * 100)) } : undefined
    )
  }
  return landed
}

const parse = (line: string) => {
  try {
    // the generator's, or cut short
    return JSON.parse(line) as {
      readonly account_id?: string
      readonly amount: number
      readonly event_timestamp: string
    }
  } catch {
    return undefined
  }
}

/** Rows and cents by day of the records before each partition's mark. */
const daysUpTo = (landed: ReturnType<typeof readLines>, marks: ReadonlyArray<number>): ReadonlyMap<string, Day> => {
  const days = new Map<string, Day>()
  for (const [partition, records] of landed.entries()) {
    for (const record of records.slice(0, marks[partition])) {
      if (record === undefined) continue
      const day = days.get(record.day) ?? { rows: 0, cents: 0n }
      day.rows++
      day.cents += record.cents
      days.set(record.day, day)
    }
  }
  return days
}

const daysOf = (figures: ReadonlyArray<Figures>): ReadonlyMap<string, Day> => {
  const days = new Map<string, Day>()
  for (const { day, offsets, rows, total } of figures) {
    assert.strictEqual(offsets, rows, `day ${day} has an offset twice`)
    const sum = days.get(day) ?? { rows: 0, cents: 0n }
    sum.rows += rows
    sum.cents += BigInt(total.replace(".", ""))
    days.set(day, sum)
  }
  return days
}

/** Where the landing stood, as the snapshot's own summary says it to every reader. */
const marksOf = (seen: Seen): ReadonlyArray<number> =>
  Array.from({ length: partitions }, (_, partition) => {
    const text = seen.summary[`frazil.mark.land.raw-transactions.main.${partition}`]
    // the landing's mark, or nothing
    return (JSON.parse(text ?? '{"next":0}') as { readonly next: number }).next
  })

const watching = (place: Place, rows: boolean) => ({
  catalog: join(place.data, "catalog.db"),
  warehouse: `file://${place.data}/warehouse`,
  table: "transactions.raw",
  time: "event_timestamp",
  sum: "amount",
  partitions,
  until: join(place.folder, "ended"),
  rows
})

describe("fresh data from outside", () => {
  it.live("lands with the counts and sums of the program that made it, for foreign readers at any moment", () =>
    Effect.gen(function* () {
      const given = process.env["FRAZIL_FRESH_SEED"]
      const seed = given === undefined ? yield* Random.nextIntBetween(1, 2 ** 31) : Number(given)
      process.stdout.write(`fresh data: FRAZIL_FRESH_SEED=${seed}\n`)
      const place = yield* makePlace(new Uint8Array())
      const counted = yield* freshTransactions(place.file, freshCount, seed)
      const lines = readLines(place.file)
      const all = daysUpTo(
        lines,
        lines.map((records) => records.length)
      )
      const sumOf = (days: ReadonlyMap<string, Day>) =>
        [...days.values()].reduce((sum, { cents, rows }) => ({ rows: sum.rows + rows, cents: sum.cents + cents }), {
          rows: 0,
          cents: 0n
        })
      assert.deepStrictEqual(sumOf(all), { rows: counted.n - counted.invalid, cents: BigInt(counted.amount_cents) })

      const request = watching(place, false)
      const seen = yield* watchTable(request)
      const summary = join(place.folder, "summary.json")
      const pipeline = yield* startPipeline({
        args: [
          ...["--data", place.data, "--input", `raw-transactions=${place.file}`],
          // more often than readers can look: a fast machine, too, gives them several
          ...["--lake-commit-every", "200ms", "--summary", summary]
        ]
      })
      const { code, lines: said } = yield* pipeline.ended
      assert.strictEqual(code, 0, said.join("\n"))
      writeFileSync(request.until, "")

      // written by the run just before
      const { jobs, tables } = JSON.parse(readFileSync(summary, "utf8")) as Summary
      const { invalid, n } = counted
      assert.deepInclude(jobs[0], { in: n, out: n - invalid, dead_lettered: invalid })
      assert.deepInclude(
        tables.find(({ table }) => table === "transactions.raw"),
        { rows: n - invalid }
      )

      const snapshots = yield* seen
      process.stdout.write(`foreign readers saw ${snapshots.length} snapshots while the pipeline ran\n`)
      assert.isAtLeast(snapshots.length, 3)
      for (const each of snapshots) {
        const expected = daysUpTo(lines, marksOf(each))
        assert.deepStrictEqual(daysOf(each.pyiceberg), expected, `PyIceberg, snapshot ${each.snapshotId}`)
        assert.deepStrictEqual(daysOf(each.duckdb), expected, `DuckDB, snapshot ${each.snapshotId}`)
      }
      assert.deepStrictEqual(daysOf(snapshots.at(-1)?.pyiceberg ?? []), all)
    })
  )
})

describe("nasty data", () => {
  it.live("is the same row by row for foreign readers, in every snapshot", () =>
    Effect.gen(function* () {
      const bytes = makeCorpus({ seed: 11, lines: 15_000, longLineBytes: [1_500_000, 100_000] })
      const expected = expectRawTransactions(bytes)
      assert.isAbove(expected.rows.length, 10_000)
      assert.isAbove(expected.days.size, 3)
      const place = yield* makePlace(bytes)
      const { code, lines } = yield* runPipelineProcess({
        args: [
          ...["--data", place.data, "--input", `raw-transactions=${place.file}`],
          ...["--epoch", "20ms", "--lake-commit-every", "1ms"]
        ]
      })
      assert.strictEqual(code, 0, lines.join("\n"))
      const request = watching(place, true)
      writeFileSync(request.until, "")
      const snapshots = (yield* yield* watchTable(request)).filter(({ pyicebergRows }) => pyicebergRows !== undefined)
      assert.isAtLeast(snapshots.length, 2)
      for (const each of snapshots) {
        const marks = marksOf(each)
        const rows = expected.rows.filter(({ offset, partition }) => offset < (marks[partition] ?? 0))
        const should = rows
          .map(({ extraFields, offset, partition, values }) =>
            rowText({
              ...values,
              event_timestamp: microsOf(values["event_timestamp"] ?? ""),
              source_topic: "raw-transactions",
              source_partition: String(partition),
              source_offset: String(offset),
              extra_fields: extraFields
            })
          )
          .sort()
        assert.deepStrictEqual(each.pyicebergRows?.map(rowText).sort(), should, `PyIceberg, ${each.snapshotId}`)
        assert.deepStrictEqual(each.duckdbRows?.map(rowText).sort(), should, `DuckDB, ${each.snapshotId}`)
      }
    })
  )
})

const microsOf = (instant: string): string => {
  const [, whole = "", fraction = ""] = /^(.*)\.(\d{6})Z$/.exec(instant) ?? []
  return String(BigInt(Date.parse(`${whole}Z`)) * 1_000n + BigInt(fraction))
}

/** Doubles are printed differently by every language: they are compared as numbers. */
const rowText = (row: Readonly<Record<string, string | null>>): string =>
  JSON.stringify(
    Object.keys(row)
      .sort()
      .map((name) => [name, name === "lat" || name === "lon" ? Number(row[name]) + 0 : row[name]])
  )
