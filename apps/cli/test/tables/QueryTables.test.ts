/**
 * Questions in SQL from the command line: as a table for people, as bytes for programs, an error as one line.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { fillData, temporaryFolder, transactions } from "../DataFixture.ts"
import { frazil } from "../RunFrazil.ts"

it.live("tables query answers in every format, now and as of a ref, and says in one line what is wrong", () =>
  Effect.gen(function* () {
    const data = yield* Effect.flatMap(temporaryFolder, (folder) => fillData(folder, transactions(20)))
    const query = (sql: string, ...options: ReadonlyArray<string>) =>
      frazil(["tables", "query", sql, "--data", data, ...options])
    const count = "SELECT currency, count(*) AS n FROM transactions.raw GROUP BY ALL"
    assert.strictEqual((yield* query(count)).stdout, "currency   n\nEUR       16\n")
    assert.strictEqual((yield* query(count, "--format", "csv", "--as-of", "main")).stdout, "currency,n\r\nEUR,16\r\n")
    const lines = (yield* query(count, "--format", "ndjson")).stdout.split("\n")
    assert.strictEqual(lines[0], `{"currency":"EUR","n":16}`)
    assert.include(lines[1], `"state":"complete"`)
    assert.isAbove((yield* query(count, "--format", "arrow")).stdout.length, 100)
    const column = yield* query("SELECT curency FROM transactions.raw")
    assert.match(column.error ?? "", /"curency" not found .*\(line 1, column 8\): did you mean "currency"/)
    const early = yield* query(count, "--as-of", "2001-01-01")
    assert.include(early.error, "no snapshot at or before")
    assert.notInclude(early.error, "(line")
  })
)

it.live("tables query masks what is personal unless it is told otherwise", () =>
  Effect.gen(function* () {
    // every fifth line is a dead letter, whose original is personal
    const data = yield* Effect.flatMap(temporaryFolder, (folder) => fillData(folder, transactions(20)))
    const query = (...options: ReadonlyArray<string>) =>
      Effect.map(
        frazil(["tables", "query", "SELECT DISTINCT original FROM system.dead_letter", "--data", data, ...options]),
        ({ stdout }) => stdout.split("\n")[1]
      )
    assert.strictEqual(yield* query(), "(personal)")
    assert.strictEqual(yield* query("--unmask"), Buffer.from("{torn").toString("base64"))
  })
)
