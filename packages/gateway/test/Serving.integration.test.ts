import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { parsePrometheus } from "./PrometheusParser.ts"
import { get, jsonOf, post, textOf } from "./TestSystem.ts"

const pipeline = join(import.meta.dirname, "../../../apps/pipeline/src/main.ts")

/** The pipeline with its generator; gives the gateway's address once it says so. */
const startPipeline = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = mkdtempSync(join(tmpdir(), "frazil-serving-"))
    const options = ["--data", join(folder, "data"), "--rate", "1000", "--port", "0"]
    options.push("--lake-commit-every", "500ms", "--checkpoint-every", "1s")
    const child = spawn(process.execPath, [pipeline, ...options], { stdio: ["ignore", "ignore", "pipe"] })
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve))
    return { child, ended, folder }
  }),
  ({ child, ended, folder }) =>
    Effect.promise(async () => {
      child.kill("SIGKILL")
      await ended
      rmSync(folder, { recursive: true, force: true })
    })
)

const addressOf = (stderr: NodeJS.ReadableStream): Promise<string> =>
  new Promise((resolve) => {
    let said = ""
    stderr.on("data", (piece: Uint8Array) => {
      said += Buffer.from(piece).toString()
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said)
      if (found !== null) resolve(found[0])
    })
  })

const count = { sql: "SELECT count(*) AS n, count(DISTINCT transaction_id) AS ids FROM transactions.raw" }
const bomb = {
  sql: "SELECT list(a.range || 'x') FROM range(1000000000) a",
  limits: { timeout_ms: 1500, memory_mb: 64 }
}

/** What R4.14 asks for, by the names that say it, and what else a stage is measured by. */
const asked = {
  frazil_consumer_lag: "gauge",
  frazil_processing_latency_seconds: "histogram",
  frazil_end_to_end_latency_seconds: "histogram",
  frazil_records_in_total: "counter",
  frazil_checkpoint_duration_seconds: "histogram",
  frazil_backpressured_seconds_total: "counter",
  frazil_records_failed_total: "counter",
  frazil_dead_letters_total: "counter",
  frazil_state_bytes: "gauge",
  frazil_state_keys: "gauge",
  frazil_watermark_delay_seconds: "gauge",
  frazil_ledger_records_total: "counter"
}
/** Labels have few values: none is a key, a query or a path. */
const labels = ["job", "topic", "to", "partition", "reason", "table", "le", "lookup", "tag", "quantile", "path", "kind"]
const stage = ["transactions", "raw-transactions"]

const metricsOf = (address: string) => Effect.map(Effect.flatMap(get(`${address}/metrics`), textOf), parsePrometheus)

it.live("beside a running pipeline, everything that R4.14 asks for is measured", () =>
  Effect.gen(function* () {
    const { child } = yield* startPipeline
    const address = yield* Effect.promise(() => addressOf(child.stderr))
    let families = yield* metricsOf(address)
    const ofStage = (name: string) =>
      families.get(name)?.samples.filter(({ labels: of }) => of.get("job") === stage[0] && of.get("topic") === stage[1])
    const counted = (name: string) => ofStage(name)?.find((each) => each.name === `${name}_count`)?.value ?? 0
    // another job's samples come with zeros of this one
    const missing = () =>
      Object.entries(asked).flatMap(([name, type]) =>
        families.has(name) && (type !== "histogram" || counted(name) > 0) ? [] : [name]
      )
    const ofLookup = (name: string, lookup: string) =>
      families.get(`frazil_lookup_${name}`)?.samples.find((sample) => sample.labels.get("job") === lookup)?.value
    const lookups = ["lending-enrichment", "claims"]
    const answering = (lookup: string) =>
      (ofLookup("answered_total", lookup) ?? 0) > 0 && ofLookup("breaker_state", lookup) === 0
    // a checkpoint is written a second after the start, and lookups wait for what other stages make
    for (let round = 0; round < 400 && (missing().length > 0 || !lookups.every(answering)); round++) {
      yield* Effect.sleep(250)
      families = yield* metricsOf(address)
    }
    assert.deepStrictEqual(missing(), [])
    for (const [name, type] of Object.entries(asked)) {
      const family = families.get(name)
      assert(family !== undefined, name)
      assert.strictEqual(family.type, type, name)
      const samples = ofStage(name) ?? []
      assert.isAbove(samples.length, 0, name)
      for (const { value } of samples) assert.isTrue(value >= 0, `${name} ${value}`)
    }
    for (const lookup of lookups) {
      for (const name of ["calls_total", "answered_total", "latency_seconds"])
        assert.isAbove(ofLookup(name, lookup) ?? 0, 0, `${lookup} ${name}`)
      assert.strictEqual(ofLookup("breaker_state", lookup), 0, lookup)
    }
    for (const [name, { samples }] of families) {
      for (const sample of samples) assert.includeMembers(labels, [...sample.labels.keys()], name)
    }
  })
)

it.live("beside a running pipeline, answers grow with the table while bombs are ended, and the pipeline goes on", () =>
  Effect.gen(function* () {
    const { child, ended } = yield* startPipeline
    const address = yield* Effect.promise(() => addressOf(child.stderr))
    const counts: Array<number> = []
    const grown = () => (counts.at(-1) ?? 0) > (counts[0] ?? 0)
    // four at least, and until the table has grown between two answers
    for (let round = 0; round < 4 || (round < 60 && !grown()); round++) {
      const [attacked, answer] = yield* Effect.all([post(address, bomb), post(address, count)], { concurrency: 2 })
      assert.include([422, 500], attacked.status)
      yield* textOf(attacked)
      if (answer.status === 200) {
        const [row] = (yield* jsonOf(answer))["rows"] as ReadonlyArray<{ readonly n: number; readonly ids: number }>
        assert.strictEqual(row?.n, row?.ids)
        counts.push(row?.n ?? 0)
      }
      yield* Effect.sleep(500)
    }
    assert.isTrue(grown(), counts.join(", "))
    const health = yield* jsonOf(yield* get(`${address}/health`))
    assert.deepInclude(health, { healthy: true })
    const metrics = yield* textOf(yield* get(`${address}/metrics`))
    assert.include(metrics, 'frazil_job_running{job="transactions",topic="raw-transactions"} 1')
    child.kill("SIGINT")
    assert.strictEqual(yield* Effect.promise(() => ended), 0)
  })
)
