/**
 * The generator while its broker dies and comes back: what it made is in the topic once, in the order in which it was made,
 * and no more waits meanwhile than the buffer holds (R2.4).
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { kafkaLogLayer } from "@frazil/connect"
import { Log } from "@frazil/engine"
import { sharedKafka } from "@frazil/sim/kafka"
import { Effect, Fiber } from "effect"

// the controller waits as long before it lets a broker back in that was killed
const kafka = sharedKafka(19_792, { more: "broker.session.timeout.ms=1500\\nbroker.heartbeat.interval.ms=300" })
beforeAll(kafka.start)
afterAll(kafka.stop)

const main = join(import.meta.dirname, "../src/main.ts")
const topic = "raw-transactions"
const count = 100_000
const bufferRecordsMax = 10_000
/** Longer than a delivery with its attempts takes to fail. */
const outageMs = 5_000

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-generator-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The same transactions every time, as fast as they are taken. */
const generate = (cwd: string, ...to: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.callback((resume) => {
    const same = ["--count", String(count), "--seed", "42", "--rate", "1000", "--start", "2026-01-14T23:45:00Z"]
    const child = spawn(process.execPath, [main, "transactions", ...same, ...to], { cwd })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()))
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** Lines of the file by partition of the topic, in the order of their offsets. */
const linesInTopic = Effect.fnUntraced(function* (lineOf: ReadonlyMap<string, number>) {
  const log = yield* Log
  return yield* Effect.forEach(
    yield* log.bounds(topic),
    Effect.fnUntraced(function* ({ end, partition, start }) {
      const lines: Array<number> = []
      for (let offset = start; offset < end;) {
        const batch = yield* log.read(topic, partition, offset, { recordsMax: 10_000, bytesMax: 8_000_000 })
        if (batch.length === 0) break
        const { bytes, valueEnds, valueStarts } = batch
        for (let row = 0; row < batch.length; row++) {
          lines.push(lineOf.get(Buffer.from(bytes.subarray(valueStarts[row], valueEnds[row])).toString()) ?? -1)
        }
        offset = batch.next
      }
      return lines
    })
  )
})

const started = Effect.gen(function* () {
  const log = yield* Log
  const bounds = yield* Effect.orElseSucceed(log.bounds(topic), () => [])
  return bounds.some(({ end }) => end > 0)
})

describe("the generator on Kafka", () => {
  it.live("goes on when its broker was killed and comes back: all of it once, in order, from a bounded buffer", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const data = ["--data", join(path, "data")]
      yield* generate(path, ...data, "--out", "all.ndjson")
      const texts = readFileSync(join(path, "all.ndjson"), "utf8").trimEnd().split("\n")
      const lineOf = new Map(texts.map((text, line) => [text, line]))
      assert.strictEqual(lineOf.size, count)

      const pid = yield* kafka.server().pidNow
      const onKafka = ["--log", `kafka://127.0.0.1:${kafka.broker.port}`, "--json"]
      const running = yield* Effect.forkChild(generate(path, ...data, ...onKafka))
      while (!(yield* started)) yield* Effect.sleep(10)
      process.kill(pid, "SIGKILL")
      yield* Effect.sleep(outageMs)
      yield* kafka.server().start
      const { code, stderr, stdout } = yield* Fiber.join(running)
      assert.strictEqual(code, 0, stderr)
      const last = JSON.parse(stdout) as { readonly failures: number; readonly delivered: number } // its summary
      assert.isAbove(last.failures, 0, stderr)
      assert.strictEqual(last.delivered, count)
      assert.include(stderr, "delivery works again")
      for (const [, waiting] of stderr.matchAll(/([0-9,]+) events wait/g)) {
        assert.isAtMost(Number(waiting!.replaceAll(",", "")), bufferRecordsMax)
      }

      const partitions = yield* linesInTopic(lineOf)
      for (const lines of partitions)
        assert.deepStrictEqual(
          lines,
          lines.toSorted((left, right) => left - right)
        )
      assert.deepStrictEqual(
        partitions.flat().toSorted((left, right) => left - right),
        texts.map((_, line) => line)
      )
    }).pipe(Effect.provide(kafkaLogLayer({ brokers: [kafka.broker] })))
  )
})
