/**
 * DuckDB as the lake opens it: in UTC, in its bounds, its files gone at the end, its failures told apart.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, type Scope } from "effect"
import { DuckDb, type DuckDbOptions, sqlName, sqlText } from "../../src/io/DuckDb.ts"
import { toDuckDbError } from "../../src/io/DuckDbError.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-duckdb-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const withDuckDb = <A, E>(
  options: Partial<DuckDbOptions>,
  run: (duckDb: DuckDb["Service"], path: string) => Effect.Effect<A, E, Scope.Scope>
) =>
  Effect.scoped(
    Effect.flatMap(folder, (path) =>
      Effect.flatMap(DuckDb, (duckDb) => run(duckDb, path)).pipe(
        Effect.provide(DuckDb.layer({ dataDirectory: path, ...options }))
      )
    )
  )

describe("DuckDb", () => {
  it.effect("prints instants in UTC on every connection", () =>
    withDuckDb({}, ({ connect }) =>
      Effect.gen(function* () {
        const { query } = yield* connect
        const reader = yield* query("SELECT TIMESTAMPTZ '2026-01-14 23:45:00+02'::VARCHAR", "asking")
        assert.strictEqual(reader.getRows()[0]?.[0], "2026-01-14 21:45:00+00")
      })
    )
  )

  it.effect("takes its folder away at the end, and those of processes that died", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const path = yield* folder
        // no system gives a process this id
        const abandoned = join(path, "tmp/duckdb-2147483646-1")
        mkdirSync(abandoned, { recursive: true })
        const scratch = yield* Effect.map(DuckDb, (duckDb) => {
          assert.isTrue(existsSync(duckDb.scratchDirectory))
          return duckDb.scratchDirectory
        }).pipe(Effect.provide(DuckDb.layer({ dataDirectory: path })))
        assert.isFalse(existsSync(scratch))
        assert.deepStrictEqual(readdirSync(join(path, "tmp")), [])
      })
    )
  )

  it.effect("cancels a statement when its effect is interrupted, and the connection goes on", () =>
    withDuckDb({}, ({ connect }) =>
      Effect.gen(function* () {
        const { query } = yield* connect
        const endless = query("SELECT count(*) FROM range(1000000000000) AS r(i) WHERE i % 7 = 3", "counting")
        const fiber = yield* Effect.forkChild(endless, { startImmediately: true })
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 50)))
        yield* Fiber.interrupt(fiber)
        assert.strictEqual((yield* query("SELECT 1", "asking")).getRows()[0]?.[0], 1)
      })
    )
  )

  it.effect("fails with a reason when memory and the room to spill are used up", () =>
    withDuckDb({ memoryBytesMax: 24 << 20, spillBytesMax: 1 << 20 }, ({ connect }) =>
      Effect.gen(function* () {
        const { run } = yield* connect
        const large = "CREATE TABLE t AS SELECT i, hash(i) AS h, hash(i + 1) AS g FROM range(3000000) AS r(i)"
        const error = yield* Effect.flip(run(large, "filling"))
        assert.strictEqual(error.reason, "Full")
        assert.match(error.message, /^DuckDB, filling: /)
      })
    )
  )
})

describe("a DuckDB error", () => {
  const reasonOf = (text: string) => toDuckDbError("writing")(new Error(text)).reason

  it("is told apart by its text", () => {
    assert.strictEqual(reasonOf('IO Error: Could not write file "/x": No space left on device'), "Full")
    assert.strictEqual(reasonOf('IO Error: Cannot open file "/x": Permission denied'), "Unavailable")
    assert.strictEqual(reasonOf("Out of Memory Error: failed to pin block"), "OutOfMemory")
    assert.strictEqual(reasonOf("INTERRUPT Error: Interrupted!"), "Interrupted")
    assert.strictEqual(reasonOf('Parser Error: syntax error at or near ")"'), "Failed")
  })

  it("keeps no text that may quote a record's value", () => {
    const error = toDuckDbError("writing")(
      new Error("Conversion Error: Could not convert string '123-45-6789' to UUID")
    )
    assert.strictEqual(error.reason, "Failed")
    assert.notInclude(error.message, "6789")
    assert.strictEqual(error.cause, undefined)
  })

  it("names and texts are quoted for SQL", () => {
    assert.strictEqual(sqlName('a"b'), '"a""b"')
    assert.strictEqual(sqlText("it's"), "'it''s'")
  })
})
