/**
 * Parts are joined without losing what lies outside row groups, and only when they belong together.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DuckDb, sqlText } from "../../../src/io/DuckDb.ts"
import { FormatError } from "../../../src/spec/FormatError.ts"
import {
  footerFromBytes,
  footerLength,
  footerRowCount,
  footerToBytes
} from "../../../src/write/parquet/ParquetFooter.ts"
import { PartFile } from "../../../src/write/parquet/PartFile.ts"
import { lake } from "./WriterCases.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-footer-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Writes one part per query. */
const writeParts = Effect.fnUntraced(function* (queries: ReadonlyArray<string>) {
  const path = yield* folder
  const { connect } = yield* DuckDb
  const { run } = yield* connect
  const paths = queries.map((_, i) => join(path, `part-${i}.parquet`))
  for (const [i, query] of queries.entries()) {
    yield* run(`COPY (${query}) TO ${sqlText(paths[i]!)} (FORMAT parquet, COMPRESSION zstd)`, "writing a part")
  }
  return paths
})

const words = (from: number) => `SELECT 'word ' || (i % 5 + ${from}) AS word, i AS n FROM range(20000) AS r(i)`

describe("a joined Parquet file", () => {
  it.effect("keeps dictionaries and bloom filters of every part", () =>
    Effect.gen(function* () {
      const parts = yield* writeParts([words(0), words(10), words(20)])
      const [first = ""] = parts
      yield* Effect.promise(async () => {
        const file = await PartFile.start(first)
        for (const part of parts.slice(1)) await file.append(part)
        assert.strictEqual(file.rows, 60_000)
        await file.finish()
      })
      const { connect } = yield* DuckDb
      const { query } = yield* connect
      for (const number of [0, 4, 10, 14, 20, 24]) {
        const found = yield* query(
          `SELECT count(*)::INTEGER, sum(n)::INTEGER FROM read_parquet(${sqlText(first)}) WHERE word = 'word ${number}'`,
          "asking"
        )
        assert.deepStrictEqual(found.getRows()[0], [4000, 39_990_000 + (number % 5) * 4000])
      }
      const probe = yield* query(
        `SELECT bloom_filter_excludes FROM parquet_bloom_probe(${sqlText(first)}, 'word', 'word 12') ORDER BY row_group_id`,
        "probing"
      )
      assert.deepStrictEqual(probe.getRows(), [[true], [false], [true]])
    }).pipe(Effect.scoped, Effect.provide(lake))
  )

  it.effect("is refused for parts of different schemas, for a torn part and for one that is no Parquet", () =>
    Effect.gen(function* () {
      const [whole = "", other = "", torn = "", noise = ""] = yield* writeParts([
        words(0),
        "SELECT 1 AS other",
        words(0),
        words(0)
      ])
      writeFileSync(torn, readFileSync(torn).subarray(0, 1000))
      writeFileSync(noise, "no Parquet file at all")
      yield* Effect.promise(async () => {
        const file = await PartFile.start(whole)
        for (const part of [other, torn, noise]) {
          const error = await file.append(part).then(
            () => undefined,
            (cause: unknown) => cause
          )
          assert.instanceOf(error, FormatError)
        }
        await file.abandon()
      })
    }).pipe(Effect.scoped, Effect.provide(lake))
  )

  it.effect("has a footer that is read and written without a change", () =>
    Effect.gen(function* () {
      const [path = ""] = yield* writeParts([words(0)])
      const bytes = readFileSync(path)
      const length = footerLength(bytes.subarray(-8))
      const footer = footerFromBytes(bytes.subarray(-8 - length, -8))
      assert.deepStrictEqual(Buffer.from(footerToBytes(footer)), bytes.subarray(-8 - length))
      assert.strictEqual(footerRowCount(footer), 20_000)
    }).pipe(Effect.scoped, Effect.provide(lake))
  )
})
