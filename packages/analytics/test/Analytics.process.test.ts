import { assert, it } from "@effect/vitest"
import { layerLocal } from "@frazil/core"
import { expireSnapshots } from "@frazil/lake"
import { bytesWrittenIn } from "@frazil/sim/written"
import { DuckDBInstance } from "@duckdb/node-api"
import { tableFromIPC } from "apache-arrow"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { Analytics } from "../src/index.ts"
import { ask, askBytes, askRows, refusal } from "./Queries.ts"
import { analyticsOver, appendAgain, makeTestLake, rowsPerSnapshot, type TestLake } from "./TestLake.ts"

const overLake = <A, E>(
  test: (lake: TestLake) => Effect.Effect<A, E, Analytics>,
  options: Parameters<typeof analyticsOver>[1] = {}
) => Effect.flatMap(makeTestLake(), (lake) => Effect.provide(test(lake), analyticsOver(lake, options)))

const count = "SELECT count(*) AS n FROM transactions.raw"

it.live("a table is read as it was: by snapshot id, time, ref, and as_of", () =>
  overLake((lake) =>
    Effect.gen(function* () {
      const [first, second] = lake.snapshots
      if (first === undefined || second === undefined) throw new Error("no snapshots")
      const secondTime = new Date(second.committedMs).toISOString()
      const cases: ReadonlyArray<readonly [string, string | undefined, number]> = [
        [count, undefined, 3],
        [`${count} AT (VERSION => ${first.id})`, undefined, 1],
        [`${count} AT (version => '${first.id}')`, undefined, 1],
        [`${count} AS r AT (VERSION => ${second.id})`, undefined, 2],
        [`${count} AT (TIMESTAMP => TIMESTAMP '${secondTime.slice(0, -1)}')`, undefined, 2],
        [`${count} AT (TIMESTAMP => '${secondTime}')`, undefined, 2],
        [`${count} AT (BRANCH => 'main')`, undefined, 3],
        [`${count} at /* AT (x => */ ( version => 'main' ) -- AT (`, undefined, 3],
        [count, String(first.id), 1],
        [count, secondTime, 2],
        [count, "main", 3],
        [`${count} AT (VERSION => ${second.id})`, String(first.id), 2]
      ]
      for (const [sql, asOf, snapshots] of cases) {
        assert.deepStrictEqual(yield* askRows(sql, asOf), [{ n: snapshots * rowsPerSnapshot }], sql)
      }
      const both = `SELECT (SELECT count(*) FROM transactions.raw) - (${count} AT (VERSION => ${first.id})) AS added, 'AT (TAG => 1)' AS text`
      const answer = yield* ask({ sql: both })
      assert.deepStrictEqual(answer.rows, [{ added: 2 * rowsPerSnapshot, text: "AT (TAG => 1)" }])
      assert.strictEqual(answer.status.snapshots.length, 2)
    })
  )
)

it.live(
  "what was asked before is answered anew when the table has moved on, and as before where it was meant as of then",
  () =>
    overLake((lake) =>
      Effect.gen(function* () {
        const moments = [undefined, "main", String(lake.snapshots[1]?.id), new Date(Date.UTC(2089, 0, 1)).toISOString()]
        const counts = Effect.forEach(moments, (asOf) => Effect.map(askRows(count, asOf), ([row]) => row?.["n"]))
        for (let again = 0; again < 2; again++) {
          assert.deepStrictEqual(
            yield* counts,
            [3, 3, 2, 3].map((snapshots) => snapshots * rowsPerSnapshot)
          )
        }
        yield* appendAgain(lake)
        assert.deepStrictEqual(
          yield* counts,
          [4, 4, 2, 4].map((snapshots) => snapshots * rowsPerSnapshot)
        )
      })
    )
)

it.live("what cannot be answered says why, where, and what there is instead", () =>
  overLake((lake) =>
    Effect.gen(function* () {
      const syntax = yield* refusal({ sql: "SELECT 'é',\n  count(* FROM transactions.raw" })
      assert.deepInclude(syntax, { reason: "Syntax", atLine: 2, atColumn: 11 })
      const afterAt = yield* refusal({ sql: `SELECT x FROM transactions.raw AT (TAG => 'a') WHERE ( ` })
      assert.strictEqual(afterAt.reason, "Syntax")
      const table = yield* refusal({ sql: "SELECT 1,\n2 FROM transactions.rwa" })
      assert.deepInclude(table, {
        reason: "TableMissing",
        atLine: 2,
        atColumn: 8,
        hint: "did you mean transactions.raw?"
      })
      const column = yield* refusal({ sql: "SELECT amont FROM transactions.raw" })
      assert.deepInclude(column, { reason: "ColumnMissing", atLine: 1, atColumn: 8 })
      assert.include(column.hint, "amount")
      const expired = yield* refusal({ sql: `${count} AT (VERSION => 42)` })
      assert.strictEqual(expired.reason, "SnapshotMissing")
      assert.isUndefined(expired.atLine)
      assert.include(expired.hint, String(lake.snapshots[0]?.id))
      const early = yield* refusal({ sql: count, asOf: "2001-01-01" })
      assert.strictEqual(early.reason, "SnapshotMissing")
      assert.include(early.message, "history begins at")
      const ref = yield* refusal({ sql: `${count} AT (TAG => 'none')` })
      assert.include(ref.message, "it has main")
      const computed = yield* refusal({ sql: `${count} AT (VERSION => 1 + 1)` })
      assert.strictEqual(computed.reason, "Invalid")
      const rows = yield* refusal({ sql: "SELECT * FROM transactions.raw", limits: { rowsMax: 10 } })
      assert.deepInclude(rows, { reason: "LimitReached", limit: "rows" })
      const bytes = yield* refusal({ sql: "SELECT * FROM transactions.raw", limits: { bytesMax: 1000 } })
      assert.deepInclude(bytes, { reason: "LimitReached", limit: "bytes" })
      const raised = yield* refusal({ sql: "SELECT 1", limits: { timeoutMs: 1e9 } })
      assert.strictEqual(raised.reason, "Invalid")
    })
  )
)

it.live("a snapshot that has expired, and a time before the first that is left, say which remain", () =>
  overLake((lake) =>
    Effect.gen(function* () {
      const [first, , newest] = lake.snapshots
      if (first === undefined || newest === undefined) throw new Error("no snapshots")
      const table = { namespace: "transactions", name: "raw" }
      const expired = yield* expireSnapshots(table, { snapshotAgeMsMax: -1, snapshotsKeptMin: 1 })
      assert.deepInclude(expired, { snapshotsExpired: 2, error: undefined })
      const remaining = `transactions.raw has 1 snapshot, the oldest ${newest.id} of ${new Date(newest.committedMs).toISOString()}`
      const byId = yield* refusal({ sql: `${count} AT (VERSION => ${first.id})` })
      assert.deepInclude(byId, { reason: "SnapshotMissing", hint: remaining })
      const byTime = yield* refusal({ sql: count, asOf: new Date(first.committedMs).toISOString() })
      assert.deepInclude(byTime, { reason: "SnapshotMissing", hint: remaining })
      assert.include(byTime.message, "history begins at")
      assert.deepStrictEqual(yield* askRows(count), [{ n: 3 * rowsPerSnapshot }])
    }).pipe(Effect.provide([lake.layer, layerLocal(`file://${lake.folder}/warehouse/`)]))
  )
)

it.live("an empty table and a query without tables are answered", () =>
  overLake(() =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* askRows("SELECT * FROM system.dead_letter"), [])
      const qualified = "SELECT count(system.dead_letter.amount) AS n FROM system.dead_letter, transactions.raw"
      assert.deepStrictEqual(yield* askRows(qualified), [{ n: 0 }])
      assert.deepStrictEqual(yield* askRows("SELECT 1 AS a, 1 AS a"), [{ a: 1, "a:1": 1 }])
    })
  )
)

const values = `SELECT 9007199254740993 AS big, 5::BIGINT AS small, 12.30::DECIMAL(18,2) AS money, -0.05::DECIMAL(38,10) AS tiny,
  TIMESTAMPTZ '2026-01-14 23:45:00.000001+00' AS micros, TIMESTAMPTZ '1969-12-31 23:59:59.5+00' AS before, TIMESTAMP '2026-01-14 00:00:00' AS local, DATE '1900-02-28' AS day,
  'NaN'::DOUBLE AS nan, true AS yes, NULL AS nothing, 'a"b,c' || chr(10) AS text, [1, NULL] AS list, {'a': 1, 'b': 'x'} AS struct,
  MAP {'k': 1} AS map, '00000000-0000-0000-0000-000000000001'::UUID AS id, encode('hi') AS bytes, 170141183460469231731687303715884105727::HUGEINT AS huge, '' AS empty`

it.live("values come exact in every format", () =>
  overLake(() =>
    Effect.gen(function* () {
      const [row] = yield* askRows(values)
      assert.deepStrictEqual(row, {
        big: "9007199254740993",
        small: 5,
        money: "12.30",
        tiny: "-0.0500000000",
        micros: "2026-01-14T23:45:00.000001Z",
        before: "1969-12-31T23:59:59.500Z",
        local: "2026-01-14T00:00:00.000",
        day: "1900-02-28",
        nan: "NaN",
        yes: true,
        nothing: null,
        text: 'a"b,c\n',
        list: [1, null],
        struct: { a: 1, b: "x" },
        map: [{ key: "k", value: 1 }],
        id: "00000000-0000-0000-0000-000000000001",
        bytes: "aGk=",
        huge: "170141183460469231731687303715884105727",
        empty: ""
      })
      const ndjson = (yield* askBytes({ sql: values }, "ndjson")).toString().trimEnd().split("\n")
      assert.deepStrictEqual(JSON.parse(ndjson[0] ?? ""), row)
      assert.strictEqual(JSON.parse(ndjson[1] ?? "").frazil_status.state, "complete")
      const csv = (yield* askBytes({ sql: values }, "csv")).toString()
      assert.include(csv, "9007199254740993,5,12.30,-0.0500000000,2026-01-14T23:45:00.000001Z")
      assert.include(csv, ',true,,"a""b,c\n","[1,null]","{""a"":1,""b"":""x""}"')
      assert.isTrue(csv.endsWith(',""\r\n'))
    })
  )
)

it.live("Arrow holds the same values as DuckDB, in many batches", () =>
  overLake((lake) =>
    Effect.gen(function* () {
      const sql = "SELECT * FROM transactions.raw ORDER BY source_offset"
      const table = tableFromIPC(yield* askBytes({ sql }, "arrow"))
      const files = lake.snapshots.at(-1)?.files ?? []
      const database = yield* Effect.promise(() => DuckDBInstance.create(":memory:"))
      const connection = yield* Effect.promise(() => database.connect())
      const own = yield* Effect.promise(() =>
        connection.runAndReadAll(
          `SELECT *, epoch_us(event_timestamp) AS us, (amount * 100)::BIGINT AS cents FROM read_parquet([${files.map((file) => `'${file}'`).join(", ")}]) ORDER BY source_offset`
        )
      )
      const expected = own.getRowObjectsJson()
      assert.strictEqual(table.numRows, expected.length)
      assert.strictEqual(String(table.schema.fields[2]?.type), "Decimal[18e+2]")
      for (const [index, row] of expected.entries()) {
        const got = table.get(index)?.toJSON()
        assert.strictEqual(got?.transaction_id, row.transaction_id)
        assert.strictEqual(got?.account_id, row.account_id)
        assert.strictEqual(String(got?.amount), String(row.cents))
        assert.strictEqual(String(got?.source_offset), String(row.source_offset))
        assert.strictEqual(got?.lat, row.lat)
        assert.strictEqual(got?.event_timestamp, Number(row.us) / 1000)
      }
      assert.strictEqual(tableFromIPC(yield* askBytes({ sql: "SELECT * FROM system.dead_letter" }, "arrow")).numRows, 0)
    })
  )
)

it.live("a long answer is streamed, and a slow reader holds it up instead of filling memory", () =>
  overLake(({ folder }) =>
    Effect.scoped(
      Effect.gen(function* () {
        const analytics = yield* Analytics
        // 200 MB of lines
        const sql = "SELECT a.*, b.range FROM transactions.raw a, range(400) b"
        const prepared = yield* analytics.prepare({ sql, limits: { rowsMax: 2_000_000 } })
        const answer = yield* prepared.run("ndjson")
        assert.isUndefined(answer.bytes)
        let taken = 0
        const third = yield* Deferred.make<void>()
        const reader = Stream.runForEach(answer.body, () =>
          ++taken < 3 ? Effect.void : Effect.andThen(Deferred.succeed(third, undefined), Effect.never)
        )
        yield* Effect.forkScoped(reader)
        yield* Deferred.await(third)
        yield* Effect.sleep(700)
        assert.strictEqual(taken, 3)
        assert.isBelow(bytesWrittenIn(folder), 10 * 1024 * 1024)
      })
    )
  )
)

it.live("an answer that breaks off says so: a status where there is a place for it, an error elsewhere", () =>
  overLake(() =>
    Effect.gen(function* () {
      const query = { sql: "SELECT a.* FROM transactions.raw a, range(100) b", limits: { rowsMax: 100_000 } }
      const last = (yield* askBytes(query, "ndjson")).toString().trimEnd().split("\n").at(-1) ?? ""
      assert.deepInclude(JSON.parse(last).frazil_status, { state: "failed", rows: 100_000 })
      assert.strictEqual(JSON.parse((yield* askBytes(query, "json")).toString()).status.error.limit, "rows")
      assert.strictEqual((yield* Effect.flip(askBytes(query, "csv"))).limit, "rows")
      assert.strictEqual((yield* Effect.flip(askBytes(query, "arrow"))).limit, "rows")
    })
  )
)

it.live("a query that fails after many rows is no whole answer in any format, and says why", () =>
  overLake(() =>
    Effect.gen(function* () {
      const cases = [
        "SELECT range AS i, CASE WHEN range = 299999 THEN error('too far') END AS e FROM range(300000)",
        "SELECT range AS i, CASE WHEN range = 299999 THEN ('x' || range)::INTEGER END AS e FROM range(300000)"
      ]
      for (const [at, sql] of cases.entries()) {
        const document = yield* ask({ sql })
        assert.strictEqual(document.status.state, "failed", sql)
        assert.include(JSON.stringify(document.status), at === 0 ? "too far" : "Could not convert")
        const lines = (yield* askBytes({ sql }, "ndjson")).toString().trimEnd().split("\n")
        assert.strictEqual(JSON.parse(lines.at(-1)!).frazil_status.state, "failed")
        for (const format of ["csv", "arrow"] as const) {
          const error = yield* Effect.flip(askBytes({ sql }, format))
          assert.strictEqual(error.reason, "Invalid", `${format}: ${error.message}`)
        }
      }
    })
  )
)

it.live("more queries than slots wait for one; more than may wait are told so", () =>
  overLake(
    () =>
      Effect.gen(function* () {
        const analytics = yield* Analytics
        const forever = "SELECT count(*) FROM range(100000000) a, range(100000000) b"
        const loaded = (running: number, waiting: number) =>
          Effect.gen(function* () {
            for (;;) {
              const load = analytics.load()
              if (load.running === running && load.waiting === waiting) return
              yield* Effect.sleep(2)
            }
          })
        const running = yield* Effect.forkChild(Effect.all([askRows(forever), askRows(forever)], { concurrency: 2 }))
        yield* loaded(2, 0)
        const waiting = yield* Effect.forkChild(Effect.all([askRows(count), askRows(count)], { concurrency: 2 }))
        yield* loaded(2, 2)
        assert.strictEqual((yield* refusal({ sql: count })).reason, "Busy")
        yield* Fiber.interrupt(running)
        assert.deepStrictEqual(yield* Fiber.join(waiting), [[{ n: 3000 }], [{ n: 3000 }]])
      }),
    { slots: 2, waitingMax: 2 }
  )
)

it.live("interrupting who waits ends the query and frees its slot", () =>
  overLake(
    () =>
      Effect.gen(function* () {
        const forever = "SELECT count(*) FROM range(100000000) a, range(100000000) b"
        const running = yield* Effect.forkChild(askRows(forever))
        yield* Effect.sleep(400)
        yield* Fiber.interrupt(running)
        assert.deepStrictEqual(yield* askRows(count), [{ n: 3000 }])
      }),
    { slots: 1 }
  )
)
