import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, PlatformError } from "effect"
import { TestClock } from "effect/testing"
import { makeTokenBucket } from "@frazil/sim"
import { readRate, watchRate } from "../src/RateFile.ts"

const path = "rate.yaml"

/** A file system with one file; undefined: it is missing. */
const withFile = (file: { text: string | undefined }) =>
  FileSystem.layerNoop({
    readFileString: () =>
      file.text === undefined
        ? Effect.fail(PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method: "readFile" }))
        : Effect.succeed(file.text)
  })

const watch = Effect.fnUntraced(function* (text: string) {
  const file: { text: string | undefined } = { text }
  const said: Array<string> = []
  const bucket = yield* makeTokenBucket(10)
  yield* Effect.forkScoped(
    watchRate(path, bucket, (line) => Effect.sync(() => said.push(line))).pipe(Effect.provide(withFile(file))),
    { startImmediately: true }
  )
  return { bucket, file, said }
})

describe("RateFile", () => {
  it.effect("an edited rate is in force within three seconds", () =>
    Effect.gen(function* () {
      const { bucket, file, said } = yield* watch("rate: 10")
      yield* TestClock.adjust(60_000)
      assert.deepStrictEqual(said, [])
      file.text = "# faster\nrate: 250.5\n"
      yield* TestClock.adjust(3_000)
      assert.strictEqual(yield* bucket.rate, 250.5)
      assert.deepStrictEqual(said, ["rate 250.5/s, from rate.yaml"])
    })
  )

  it.effect("a bad edit is reported once and the old rate stays, until a good one", () =>
    Effect.gen(function* () {
      const { bucket, file, said } = yield* watch("rate: 10")
      for (const [text, expected] of [
        ["rate: [", /^rate\.yaml must hold a line such as "rate: 50"/],
        ["rate: fast", /^rate\.yaml must hold a line such as "rate: 50"/],
        ["rate: 5\nspeed: 9", /^rate\.yaml must hold a line such as "rate: 50"/],
        ["", /^rate\.yaml must hold a line such as "rate: 50"/],
        ["rate: -5", /^rate\.yaml: the rate must be a number of events per second/],
        [`rate: 5 #${"x".repeat(70_000)}`, /longer than 65536/],
        [undefined, /^rate\.yaml cannot be read \(NotFound\)/]
      ] as const) {
        file.text = text
        yield* TestClock.adjust(30_000)
        assert.strictEqual(said.length, 1, text)
        assert.match(said.pop() ?? "", expected)
        assert.strictEqual(yield* bucket.rate, 10)
      }
      file.text = "rate: 20"
      yield* TestClock.adjust(3_000)
      assert.strictEqual(yield* bucket.rate, 20)
    })
  )

  it.effect("a text that still changes is not believed", () =>
    Effect.gen(function* () {
      const { bucket, file, said } = yield* watch("rate: 10")
      for (const text of ["", "rate:", "rate: 1", "rate: 10", "rate: 100"]) {
        file.text = text
        yield* TestClock.adjust(1_000)
      }
      yield* TestClock.adjust(3_000)
      assert.strictEqual(yield* bucket.rate, 100)
      assert.deepStrictEqual(said, ["rate 100/s, from rate.yaml"])
    })
  )

  it.effect("at the start a missing or wrong file is an error that says what to do", () =>
    Effect.gen(function* () {
      const read = (text: string | undefined) => Effect.provide(readRate(path), withFile({ text }))
      assert.strictEqual(yield* read("rate: 7"), 7)
      assert.match((yield* Effect.flip(read(undefined))).message, /^rate\.yaml cannot be read/)
      assert.match((yield* Effect.flip(read("speed: 7"))).message, /must hold a line such as "rate: 50"/)
    })
  )
})
