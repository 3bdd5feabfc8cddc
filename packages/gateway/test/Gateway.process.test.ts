import { statSync, truncateSync } from "node:fs"
import { request } from "node:http"
import { connect } from "node:net"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import { bytesWrittenIn } from "@frazil/sim/written"
import { Effect, Fiber, Schema } from "effect"
import { endpoints } from "../src/Gateway.ts"
import { gatewayFolders, get, jsonOf, post, records, testGateway, textOf } from "./TestSystem.ts"
import { parsePrometheus } from "./PrometheusParser.ts"

const count = { sql: "SELECT count(*) AS n FROM transactions.raw" }

it.live("SQL is answered in the format asked for, and not again to who has the answer", () =>
  Effect.gen(function* () {
    const address = yield* testGateway()
    const first = yield* post(address, count)
    assert.strictEqual(first.status, 200)
    assert.match(first.headers.get("frazil-snapshots") ?? "", /^transactions\.raw=\d+$/)
    assert.deepInclude(yield* jsonOf(first), { rows: [{ n: records }] })
    const etag = first.headers.get("etag") ?? ""
    const again = yield* post(address, count, { "if-none-match": etag })
    assert.strictEqual(again.status, 304)
    assert.strictEqual(yield* textOf(again), "")
    assert.strictEqual((yield* post(address, count, { "if-none-match": `"other"` })).status, 200)
    const volatile = yield* post(address, { sql: "SELECT now(), count(*) FROM transactions.raw" })
    assert.isNull(volatile.headers.get("etag"))

    const types = ["application/x-ndjson", "text/csv", "application/vnd.apache.arrow.stream"]
    for (const accept of types) {
      const answer = yield* post(address, count, { accept })
      assert.isTrue(answer.headers.get("content-type")?.startsWith(accept))
      assert.notStrictEqual(answer.headers.get("etag"), etag)
      yield* textOf(answer)
    }
    const preferred = yield* post(address, count, { accept: "text/html, text/csv;q=0.5, application/*;q=0.4" })
    assert.strictEqual(yield* textOf(preferred), `n\r\n${records}\r\n`)
    assert.strictEqual((yield* post(address, count, { accept: "text/html" })).status, 406)
    const byAddress = yield* get(`${address}/v1/query?sql=${encodeURIComponent(count.sql)}&as_of=main`)
    assert.deepInclude(yield* jsonOf(byAddress), { rows: [{ n: records }] })
  })
)

it.live("what is wrong comes as a problem document", () =>
  Effect.gen(function* () {
    const address = yield* testGateway()
    const cases: ReadonlyArray<readonly [Effect.Effect<Response>, number, string]> = [
      [post(address, { sql: "SELEC 1" }), 400, "syntax"],
      [post(address, { sql: "DROP TABLE x" }), 400, "refused"],
      [post(address, { sql: "SELECT * FROM transactions.rw" }), 404, "table-missing"],
      [post(address, { sql: "SELECT x FROM transactions.raw" }), 400, "column-missing"],
      [post(address, { ...count, as_of: "2001-01-01" }), 404, "snapshot-missing"],
      [post(address, { ...count, as_of: "77" }), 404, "snapshot-missing"],
      [post(address, { sql: "SELECT * FROM transactions.raw", limits: { rows: 5 } }), 422, "limit-reached"],
      [
        post(address, { sql: "SELECT count(*) FROM range(1000000) a, range(1000000) b", limits: { timeout_ms: 300 } }),
        422,
        "limit-reached"
      ],
      [post(address, { sql: "SELECT 1", limits: { rows: -1 } }), 400, "invalid"],
      [post(address, { sql: 1 }), 400, "invalid-body"],
      [post(address, { sql: "SELECT 1", more: 1 }), 400, "invalid-body"],
      [post(address, "{"), 400, "invalid-body"],
      [post(address, count, { "content-type": "text/plain" }), 415, "unsupported-media-type"],
      [post(address, { sql: " ".repeat(300_000) }), 413, "body-too-large"],
      [get(`${address}/v1/query`), 400, "invalid-parameter"],
      [get(`${address}/v1/query`, { method: "DELETE" }), 405, "method-not-allowed"],
      [get(`${address}/v1/tables/transactions/none`), 404, "table-missing"],
      [get(`${address}/v2`), 404, "not-found"]
    ]
    for (const [asked, status, reason] of cases) {
      const answer = yield* asked
      const document = yield* jsonOf(answer)
      assert.deepInclude(document, { status, type: `urn:frazil:problem:${reason}` })
      assert.strictEqual(answer.status, status)
      assert.strictEqual(answer.headers.get("content-type"), "application/problem+json")
    }
    assert.strictEqual((yield* post(address, count)).status, 200)
  })
)

it.live("a problem says where it is and what there is instead", () =>
  Effect.gen(function* () {
    const address = yield* testGateway()
    const snapshots = yield* jsonOf(yield* get(`${address}/v1/tables/transactions/raw/snapshots`))
    const [oldest] = snapshots["snapshots"] as ReadonlyArray<{ readonly snapshot_id: string }>
    const cases: ReadonlyArray<readonly [Effect.Effect<Response>, Readonly<Record<string, unknown>>, RegExp]> = [
      [post(address, { sql: "SELECT 1,\n  count(* FROM x" }), { line: 2, column: 11 }, /just before it/],
      [post(address, { sql: "SELEC 1" }), { line: 1, column: 1 }, /did you mean SELECT\?/],
      [post(address, { sql: "SELECT 1 FORM x" }), { line: 1 }, /./],
      [post(address, { sql: "SELECT * FROM transactions.rw" }), { line: 1, column: 15 }, /transactions\.raw/],
      [get(`${address}/v1/tables/transactions/rwa`), {}, /did you mean transactions\.raw\?/],
      [get(`${address}/v1/tables/nowhere/entirely`), {}, /GET \/v1\/tables/],
      // an expired one and one that never was are alike: what remains is told
      [post(address, { ...count, as_of: "77" }), {}, new RegExp(oldest?.snapshot_id ?? "none")],
      [post(address, { ...count, as_of: "2001-01-01" }), {}, new RegExp(oldest?.snapshot_id ?? "none")]
    ]
    for (const [asked, place, hint] of cases) {
      const document = yield* jsonOf(yield* asked)
      assert.deepInclude(document, place)
      assert.match(String(document["hint"]), hint, JSON.stringify(document))
    }
  })
)

const statusFor = (address: string, host: string) =>
  Effect.callback<number>((resume) => {
    request(`${address}/v1/tables`, { headers: { host } }, (answer) => {
      answer.resume()
      resume(Effect.succeed(answer.statusCode ?? 0))
    }).end()
  })

it.live("a data file that was cut is a problem that names it, never fewer rows", () =>
  Effect.gen(function* () {
    const address = yield* testGateway()
    assert.deepInclude(yield* jsonOf(yield* post(address, count)), { rows: [{ n: records }] })
    const found = yield* jsonOf(
      yield* post(address, { sql: 'SELECT file_path, record_count FROM transactions."raw$files" LIMIT 1' })
    )
    const [{ file_path: uri }] = found["rows"] as readonly [{ readonly file_path: string }] // as asked for
    const path = fileURLToPath(uri)
    truncateSync(path, statSync(path).size - 1)
    for (const sql of [count.sql, "SELECT sum(amount) FROM transactions.raw"]) {
      const answer = yield* post(address, { sql })
      assert.strictEqual(answer.status, 500)
      const document = yield* jsonOf(answer)
      assert.include(JSON.stringify(document), uri)
    }
  })
)

it.live("only this machine is listened to, by names of its own", () =>
  Effect.gen(function* () {
    const refused = yield* Effect.flip(testGateway({ port: 0, host: "0.0.0.0" }))
    assert.include(refused.message, "loopback")
    const address = yield* testGateway()
    assert.strictEqual(yield* statusFor(address, "localhost:1"), 200)
    assert.strictEqual(yield* statusFor(address, "evil.example"), 421)
    const port = Number(new URL(address).port)
    assert.include((yield* Effect.flip(testGateway({ port }))).message, `port ${port} on 127.0.0.1 is taken`)
  })
)

it.live("the OpenAPI document says what is answered", () =>
  Effect.gen(function* () {
    const address = yield* testGateway()
    const document = yield* jsonOf(yield* get(`${address}/openapi.json`))
    const paths = document["paths"] as Readonly<Record<string, Readonly<Record<string, unknown>>>>
    assert.deepStrictEqual(
      Object.entries(paths)
        .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
        .sort(),
      endpoints.map(({ method, path }) => `${method} ${path}`).sort()
    )
    for (const { answers, method, path } of endpoints) {
      const url = `${address}${path.replace("{namespace}", "transactions").replace("{name}", "raw")}`
      const asked = method === "post" ? post(address, count) : get(path === "/v1/query" ? `${url}?sql=SELECT%201` : url)
      const answer = yield* asked
      const kind = answers.find(({ status }) => status === answer.status)
      const type = (answer.headers.get("content-type") ?? "").split(";")[0]
      const content = kind?.content.find((each) => each.type === type)
      assert.isDefined(content, `${method} ${path}: ${answer.status} ${type}`)
      if (content?.schema === undefined) continue
      // every schema here is of plain JSON, without services
      const decode = Schema.decodeUnknownEffect(content.schema as Schema.Codec<unknown>)
      yield* decode(yield* jsonOf(answer), { onExcessProperty: "error" })
    }
  })
)

it.live("tables, jobs, health and metrics say the same numbers", () =>
  Effect.gen(function* () {
    const address = yield* testGateway()
    const tables = yield* jsonOf(yield* get(`${address}/v1/tables`))
    assert.include(JSON.stringify(tables), `"table":"transactions.raw","rows":${records}`)
    const table = yield* get(`${address}/v1/tables/transactions/raw`)
    const etag = table.headers.get("etag") ?? ""
    assert.strictEqual(
      (yield* get(`${address}/v1/tables/transactions/raw`, { headers: { "if-none-match": etag } })).status,
      304
    )
    assert.include(yield* textOf(table), `"transform":"day"`)
    assert.include(JSON.stringify(yield* jsonOf(yield* get(`${address}/v1/jobs`))), `"records_in":${records}`)
    const health = yield* jsonOf(yield* get(`${address}/health`))
    assert.deepInclude(health, { healthy: true, ill: [] })
    const api = { name: `api ${new URL(address).host}`, healthy: true, detail: "answers" }
    assert.deepInclude(health["parts"] as ReadonlyArray<unknown>, api)
    const metrics = yield* textOf(yield* get(`${address}/metrics`))
    assert.include(metrics, `frazil_records_in_total{job="transactions",topic="raw-transactions"} ${records}\n`)
    const decoded = (path: string) =>
      `frazil_records_decoded_total{job="transactions",topic="raw-transactions",path="${path}"}`
    assert.include(metrics, `${decoded("fast")} ${records}\n${decoded("slow")} 0\n`)
    assert.include(metrics, `frazil_table_rows{table="transactions.raw"} ${records}\n`)
    assert.match(metrics, /^process_resident_memory_bytes \d+$/m)
    assert.match(metrics, /^process_heap_bytes \d+$/m)
    assert.match(metrics, /^process_external_memory_bytes \d+$/m)
    const latencies = parsePrometheus(metrics).get("frazil_end_to_end_latency_seconds")
    assert.strictEqual(latencies?.type, "histogram")
  })
)

it.live("a reader that goes away ends its query, and the next one finds a slot", () =>
  Effect.gen(function* () {
    const address = yield* testGateway()
    const forever = { sql: "SELECT a.range FROM range(1000000000) a", limits: { rows: 100_000_000 } }
    for (let index = 0; index < 4; index++) {
      const controller = new AbortController()
      const answer = yield* Effect.promise(() =>
        fetch(`${address}/v1/query`, {
          method: "POST",
          headers: { "content-type": "application/json", accept: "text/csv" },
          body: JSON.stringify(forever),
          signal: controller.signal
        })
      )
      const reader = answer.body?.getReader()
      yield* Effect.promise(async () => reader?.read())
      controller.abort()
    }
    assert.deepInclude(yield* jsonOf(yield* post(address, count)), { rows: [{ n: records }] })
  })
)

/** Sends a query and takes nothing of its answer, with the connection left open until the scope closes. */
const askWithoutReading = (address: string, body: object) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof connect>>((resume) => {
      const text = JSON.stringify(body)
      const socket = connect(Number(new URL(address).port), "127.0.0.1", () => {
        socket.pause()
        const head = `POST /v1/query HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${text.length}`
        socket.write(`${head}\r\n\r\n${text}`, () => resume(Effect.succeed(socket)))
      })
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

it.live("readers that stop reading hold no slot longer than their query may run, and fill no memory", () =>
  Effect.gen(function* () {
    const address = yield* testGateway()
    const long = {
      sql: "SELECT a.*, b.range FROM transactions.raw a, range(900) b",
      limits: { timeout_ms: 2000 }
    }
    yield* Effect.all([askWithoutReading(address, long), askWithoutReading(address, long)])
    // what their processes write until they are ended is what somebody holds: 130 MB and more, if nobody held them up
    let written = 0
    const look = Effect.sync(() => (written = Math.max(written, bytesWrittenIn(gatewayFolders))))
    const looking = yield* Effect.forkChild(Effect.forever(Effect.andThen(look, Effect.sleep(20))))
    // both slots are taken: this waits for one
    const answer = yield* post(address, count)
    assert.strictEqual(answer.status, 200)
    assert.deepInclude(yield* jsonOf(answer), { rows: [{ n: records }] })
    yield* Fiber.interrupt(looking)
    assert.isBelow(written, 40 * 1024 * 1024)
  })
)
