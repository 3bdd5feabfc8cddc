/**
 * Appending 10 million rows of 16 columns from one Parquet file, beside PyIceberg.
 *
 * usage: bun bench/src/lake-append.ts [--rows N]. Prints one JSON object. PyIceberg appends twice, of a whole Arrow table and of
 * a stream of batches: its faster time and its smaller memory are compared with. All tables must hold the same rows, or it fails.
 */
import { Catalog, readTable } from "@frazil/lake"
import type { DataDirectory } from "@frazil/platform"
import { Effect } from "effect"
import { BenchError } from "./support/BenchError.ts"
import { runOwn, tell } from "./lake/Measured.ts"
import { numberOf } from "./support/Words.ts"
import { rounded } from "./support/Measure.ts"
import { inNewFolder, withLake } from "./lake/Place.ts"
import { askPyIceberg } from "./lake/PyIceberg.ts"
import { makeSource, schema, table } from "./lake/SixteenColumns.ts"

const rows = numberOf("--rows", 10_000_000)
const days = 10

const theirsOf = (streamed: boolean) => ({ namespace: table.namespace, name: streamed ? "streamed" : "whole" })

/** Rows and sums, whose digits two wrong tables would not share. */
const answerOf = (directory: DataDirectory, identifier: typeof table) =>
  withLake(
    directory,
    Effect.gen(function* () {
      const query = `SELECT count(*)::VARCHAR AS n, sum(amount)::VARCHAR AS amounts, sum(source_offset)::VARCHAR AS offsets,
        sum(hash(transaction_id, account_id, ip))::VARCHAR AS texts, max(event_timestamp)::VARCHAR AS newest FROM t`
      return JSON.stringify((yield* readTable(yield* (yield* Catalog).loadTable(identifier), { query })).rows[0])
    })
  )

await inNewFolder(async (directory) => {
  const source = `${directory.root}/source.parquet`
  await withLake(
    directory,
    Effect.gen(function* () {
      yield* makeSource(source, rows, rows / days)
      const catalog = yield* Catalog
      for (const identifier of [table, theirsOf(false), theirsOf(true)])
        yield* catalog.createTable({ identifier, schema })
    })
  )
  const ours = runOwn("AppendOnce.ts", directory.root, source)
  const [whole, streamed] = [false, true].map((each) => {
    const { name, namespace } = theirsOf(each)
    return askPyIceberg(directory, "append", { table: `${namespace}.${name}`, source, streamed: each })
  })
  const answer = await answerOf(directory, table)
  for (const each of [false, true]) {
    const theirs = await answerOf(directory, theirsOf(each))
    if (theirs !== answer) throw new BenchError(`the tables differ: ${answer} and PyIceberg's ${theirs}`)
  }
  const both = [whole, streamed].map((each) => [each!["seconds"], each!["rssPeakMb"], each!["cpuSeconds"]].map(Number))
  const [seconds, rssMb, cpu] = [0, 1, 2].map((at) => Math.min(...both.map((each) => each[at]!)))
  tell({
    w: "lake-append",
    rows: Number(ours["rows"]),
    files: Number(ours["files"]),
    seconds: Number(ours["seconds"]),
    cpuSeconds: Number(ours["cpuSeconds"]),
    rssPeakMb: Number(ours["rssPeakMb"]),
    eventsPerSecond: Math.round(rows / Number(ours["seconds"])),
    wholeSeconds: rounded(both[0]![0]!, 2),
    wholeCpuSeconds: rounded(both[0]![2]!, 2),
    wholeRssPeakMb: Math.round(both[0]![1]!),
    streamedSeconds: rounded(both[1]![0]!, 2),
    streamedCpuSeconds: rounded(both[1]![2]!, 2),
    streamedRssPeakMb: Math.round(both[1]![1]!),
    secondsOver: rounded(Number(ours["seconds"]) / seconds!, 3),
    cpuOver: rounded(Number(ours["cpuSeconds"]) / cpu!, 3),
    rssOver: rounded(Number(ours["rssPeakMb"]) / rssMb!, 3)
  })
})
