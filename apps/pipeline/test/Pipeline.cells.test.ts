/** A pipeline that will land something looks at its start whether DuckDB's cells are laid out as expected, and tells once if not. */
import { DuckDb } from "@frazil/lake"
import { dataDirectory, duckDbLayer } from "@frazil/platform"
import { expectRawTransactions, makeCorpus } from "@frazil/sim"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import { makePlace, runIn } from "./support/PipelineRun.ts"

const bytes = makeCorpus({ seed: 8, lines: 50, longLineBytes: [] })
const checking = "checking how cells are laid out"

/** Finds rows that read back in another way, whatever there is; counts how often it is asked. */
const strange = (real: DuckDb["Service"], asked: () => void): DuckDb["Service"] => ({
  ...real,
  connect: Effect.map(real.connect, (connection) => ({
    ...connection,
    query: (sql, doing) => {
      if (doing === checking) asked()
      return connection.query(doing === checking ? "SELECT 1::INTEGER" : sql, doing)
    }
  }))
})

describe("the self-check of DuckDB's cells", () => {
  it.live("is made once, at the start of a run whose tables do not need them, and told; all lands", () =>
    Effect.gen(function* () {
      const place = yield* makePlace(bytes)
      const told: Array<string> = []
      let asked = 0
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel === "Warn") told.push(String(message))
      })
      const duckDb = strange(
        yield* DuckDb.pipe(Effect.provide(yield* Layer.build(duckDbLayer(dataDirectory(place.data))))),
        () => asked++
      )
      const { tables } = yield* runIn(place, { duckDb }).pipe(Effect.provide(Logger.layer([logger])))
      assert.strictEqual(asked, 1)
      assert.deepStrictEqual(told.filter((line) => line.includes("lays out its cells")).length, 1, told.join("\n"))
      const landed = tables.find(({ table }) => table === "transactions.raw")
      assert.strictEqual(landed?.rows, expectRawTransactions(bytes).rows.length)
    }).pipe(Effect.scoped)
  )
})
