import { join } from "node:path"
import { writeFile } from "node:fs/promises"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { runSchedule } from "../src/Schedule.ts"
import { readAge, readCount, readOrphanAge, readSize } from "../src/Policy.ts"
import { readScheduleFile } from "../src/ScheduleFile.ts"
import { folder } from "./RunMaintenance.ts"

const document = Effect.fnUntraced(function* (text: string) {
  const path = join(yield* folder, "maintenance.yaml")
  yield* Effect.promise(() => writeFile(path, text))
  return yield* readScheduleFile(path)
})

const minute = 60_000

describe("thresholds", () => {
  it("have bounds, and say what they expect", () => {
    assert.deepStrictEqual([readSize("4KB"), readSize("128MB"), readSize("16GB")], [4096, 134_217_728, 17_179_869_184])
    assert.deepStrictEqual([readAge("3d"), readOrphanAge("2h"), readCount(2)("2")], [259_200_000, 7_200_000, 2])
    for (const refused of [
      readSize("1KB"),
      readSize("17GB"),
      readSize("128"),
      readAge("3"),
      readOrphanAge("119m"),
      readCount(2)("1"),
      readCount(1)("1.5")
    ]) {
      assert.isObject(refused)
    }
  })
})

describe("schedule", () => {
  it.effect("takes the file of the repository", () =>
    Effect.gen(function* () {
      const jobs = yield* readScheduleFile(join(import.meta.dirname, "../../../lakehouse/maintenance.yaml"))
      assert.deepStrictEqual(
        jobs.map(({ action }) => action),
        ["compact", "manifests", "expire", "orphans"]
      )
      const [compact, , expire, orphans] = jobs.map(({ policy }) => policy)
      assert.deepInclude(compact, { fileBytesTarget: 128 * 1024 * 1024, inputFilesMin: 3, compactMsMax: 7_200_000 })
      assert.deepInclude(expire, { snapshotAgeMsMax: 3 * 86_400_000, snapshotsKeptMin: 10 })
      assert.deepInclude(orphans, { orphanAgeMsMin: 3 * 86_400_000 })
    })
  )

  for (const [what, text, expected] of [
    ["a cron line that is none", 'compact: { cron: "at night" }', /compact\.cron: "at night" is no cron line/],
    ["a threshold out of bounds", 'orphans: { cron: "0 4 * * *", orphans-older-than: 5m }', /at least 2h/],
    ["an unknown setting", 'expire: { cron: "0 4 * * *", keep: 3 }', /keep/],
    ["a missing cron line", "expire: { snapshots-keep: 3 }", /cron/],
    ["an empty file", "{}", /names none of/],
    ["no YAML", "compact: [", /maintenance\.yaml: /]
  ] as const) {
    it.effect(`refuses ${what}, with file and reason on one line`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(document(text))
        assert.match(error.message, expected)
        assert.notInclude(error.message, "\n")
      })
    )
  }

  it.effect(
    "runs at the times of the line, leaves out those that pass while it runs, and never runs twice at once",
    () =>
      Effect.gen(function* () {
        const jobs = yield* document('compact: { cron: "*/10 * * * *" }\nexpire: { cron: "5 * * * *" }')
        const started: Array<readonly [string, number]> = []
        let running = 0
        const run = Effect.fnUntraced(function* (job: (typeof jobs)[number]) {
          started.push([job.action, (yield* Clock.currentTimeMillis) / minute])
          if (job.action === "expire") return
          assert.strictEqual(++running, 1)
          // the first run takes 25 minutes
          const first = started.filter(([action]) => action === "compact").length === 1
          yield* Effect.sleep(first ? "25 minutes" : "1 minute")
          running--
        })
        const fiber = yield* Effect.forkChild(runSchedule(jobs, run, () => Effect.void))
        yield* TestClock.adjust("1 millis")
        for (let i = 0; i < 62; i++) yield* TestClock.adjust("1 minute")
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(started, [
          ["expire", 5],
          ["compact", 10],
          ["compact", 40],
          ["compact", 50],
          ["compact", 60]
        ])
      })
  )
})
