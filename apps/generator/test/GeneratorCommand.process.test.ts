import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeEmbeddedLog } from "@frazil/connect"

const main = join(import.meta.dirname, "../src/main.ts")
const runtimeOptions = "deno" in process.versions ? ["run", "-A"] : []

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the app in an empty folder; sends `signal` once stderr says that it began. */
const run = (folder: string, options: ReadonlyArray<string>, signal?: NodeJS.Signals): Effect.Effect<Ended> =>
  Effect.callback((resume) => {
    const child = spawn(process.execPath, [...runtimeOptions, main, ...options], {
      cwd: folder,
      env: { ...process.env, FRAZIL_DATA: "data", NO_COLOR: "1" }
    })
    let stdout = ""
    let stderr = ""
    let signalled = false
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString()
      if (signal === undefined || signalled || !stderr.includes("Ctrl-C ends")) return
      signalled = true
      child.kill(signal)
    })
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-generator-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const seeded = (seed: string) => ["--seed", seed, "--rate", "1000", "--start", "2026-01-14T23:45:00Z"]
const fixed = seeded("42")

describe("apps/generator", () => {
  it.live(
    "writes the same file for the same seed, rate and start, another for another seed, and nothing to stdout",
    () =>
      Effect.gen(function* () {
        const path = yield* folder
        const hashOf = Effect.fnUntraced(function* (file: string, seed = "42") {
          const ended = yield* run(path, ["transactions", ...seeded(seed), "--count", "2000", "--out", file])
          assert.deepStrictEqual([ended.code, ended.stdout], [0, ""])
          assert.match(ended.stderr, /^2,000 generated, 2,000 delivered, [0-9]+ labelled as fraud$/m)
          return createHash("sha256")
            .update(readFileSync(join(path, file)))
            .digest("hex")
        })
        const first = yield* hashOf("a.ndjson")
        assert.strictEqual(yield* hashOf("b.ndjson"), first)
        assert.notStrictEqual(yield* hashOf("c.ndjson", "43"), first)
        const lines = readFileSync(join(path, "a.ndjson"), "utf8").split("\n")
        assert.strictEqual(lines.length, 2_001)
        assert.include(lines[0], `"event_timestamp":"2026-01-14T23:45:00.000Z"`)
      })
  )

  it.live("fills its topic, ends with Ctrl-C, and says as JSON what the log holds", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const ended = yield* run(path, ["transactions", "--rate", "1000", "--json"], "SIGINT")
      assert.strictEqual(ended.code, 0, ended.stderr)
      const summary: unknown = JSON.parse(ended.stdout)
      const log = yield* makeEmbeddedLog({ file: join(path, "data/log.db") })
      const bounds = yield* log.bounds("raw-transactions")
      const held = bounds.reduce((sum, { end }) => sum + end, 0)
      assert.strictEqual(bounds.length, 4)
      assert.include(summary, { kind: "transactions", delivered: held, generated: held, buffered: 0 })
    })
  )

  it.live("seeds the customers that applications speak of, once", () =>
    Effect.gen(function* () {
      const path = yield* folder
      for (const said of ["1000 customers to customers", "20 generated, 20 delivered"]) {
        const ended = yield* run(path, ["applications", "--rate", "1000", "--count", "20"])
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.include(ended.stderr, said)
      }
      const log = yield* makeEmbeddedLog({ file: join(path, "data/log.db") })
      const held = Effect.fnUntraced(function* (topic: string) {
        return (yield* log.bounds(topic)).reduce((sum, { end }) => sum + end, 0)
      })
      assert.deepStrictEqual([yield* held("customers"), yield* held("loan_applications")], [1_000, 40])
    })
  )

  it.live("writes payments, clicks and customers to files, the same for the same seed", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const counted = ["payments", "--count", "500", "--unknown-share", "0.5", "--claims", "10"]
      const payments = [...counted, ...fixed]
      const ended = yield* run(path, [...payments, "--out", "a.ndjson"])
      assert.match(ended.stderr, /^500 generated, 500 delivered, 2[0-9]{2} of unknown claims$/m)
      yield* run(path, [...payments, "--out", "b.ndjson"])
      const lines = readFileSync(join(path, "a.ndjson"), "utf8")
      assert.strictEqual(lines, readFileSync(join(path, "b.ndjson"), "utf8"))
      yield* run(path, [...counted, ...seeded("43"), "--out", "d.ndjson"])
      assert.notStrictEqual(readFileSync(join(path, "d.ndjson"), "utf8"), lines)
      assert.strictEqual(new Set(lines.match(/"CL[0-9]{8}"/g)).size, 10)
      yield* run(path, ["clicks", "--count", "50", ...fixed, "--out", "e.ndjson"])
      assert.match(readFileSync(join(path, "e.ndjson"), "utf8"), /^({"user_id":"U[0-9]{5}","event_type":.*}\n){50}$/)
      yield* run(path, ["customers", "--out", "c.ndjson"])
      assert.strictEqual(readFileSync(join(path, "c.ndjson"), "utf8").split("\n").length, 1_001)
    })
  )

  it.live("refuses what it cannot do with one line and a code that is not 0, and makes no file", () =>
    Effect.gen(function* () {
      const path = yield* folder
      writeFileSync(join(path, "rate.yaml"), "speed: 5")
      for (const [options, expected] of [
        [["--rate", "1000000"], /^error: the rate must be a number of events per second from 0 to 100000$/m],
        [["--config", "rate.yaml"], /^error: rate\.yaml must hold a line such as "rate: 50"/m],
        [["--start", "2026-01-14"], /^error: --start needs --count/m],
        [["--out", "missing/out.ndjson"], /^error: missing\/out\.ndjson cannot be written/m]
      ] as const) {
        const ended = yield* run(path, ["transactions", ...options])
        assert.strictEqual(ended.code, 1, options.join(" "))
        assert.match(ended.stderr, expected)
        assert.strictEqual(ended.stdout, "")
      }
      const other = yield* run(path, ["weather"])
      assert.strictEqual(other.code, 1)
      assert.include(other.stderr, `"transactions"`)
      assert.deepStrictEqual(readdirSync(path), ["rate.yaml"])
    })
  )
})
