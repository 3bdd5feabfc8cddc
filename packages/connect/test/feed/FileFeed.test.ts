/**
 * A file becomes a topic exactly once: byte for byte, across crashes and zombies, and no other content afterwards.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Ref } from "effect"
import { createHash } from "node:crypto"
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs"
import { FaultPoint, type FaultPointName, KeyScanner, partitionOf } from "@frazil/core"
import { Log, type LogShape } from "@frazil/engine"
import { feedFile, type FileFeedOptions, feedProgress, makeEmbeddedLog } from "../../src/index.ts"
import { temporaryFolder } from "../embedded/TemporaryFolder.ts"
import { atFaultPoint, readAll, type TestRecord } from "../log/LogFixture.ts"

const decoder = new TextDecoder()

/** The key of `{"k":"…"}` lines; null for anything else. */
const keyOf = (bytes: Uint8Array, start: number, end: number): string | null =>
  /^\{"k":"([^"]*)"/.exec(decoder.decode(bytes.subarray(start, end)))?.[1] ?? null

const lineOf = (index: number): string => `{"k":"key-${index % 17}","n":${index},"ü":"${"x".repeat(index % 50)}"}`

const linesOf = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, index) => lineOf(index))

interface Bench {
  readonly log: LogShape
  readonly file: string
  readonly feed: (more?: Partial<FileFeedOptions>) => ReturnType<typeof feedIn>
}

const feedIn = (log: LogShape, options: FileFeedOptions) => Effect.provide(feedFile(options), Layer.succeed(Log, log))

const prepared = Effect.map(
  Effect.all([temporaryFolder, makeEmbeddedLog({ file: ":memory:" })]),
  ([folder, log]): Bench => {
    const file = `${folder}/input.ndjson`
    const options: FileFeedOptions = {
      file,
      topic: "a",
      keys: KeyScanner.fromFunction(keyOf),
      owner: "me",
      epochRecordsMax: 100
    }
    return { log, file, feed: (more) => feedIn(log, { ...options, ...more }) }
  }
).pipe(Effect.tap(({ log }) => log.ensureTopic({ name: "a", partitions: 3 })))

const partitionsOf = (log: LogShape) =>
  Effect.map(Effect.all([0, 1, 2].map((partition) => readAll(log, "a", partition))), (partitions) =>
    partitions.map(({ records }) => records)
  )

/** What the topic must hold, computed from the whole file at once. */
const expectedOf = (content: string): ReadonlyArray<ReadonlyArray<TestRecord>> => {
  const lines = content.split("\n")
  if (lines.at(-1) === "") lines.pop()
  const records = lines.map((value) => {
    const bytes = new TextEncoder().encode(value)
    return { value, key: keyOf(bytes, 0, bytes.length) }
  })
  return [0, 1, 2].map((partition) => records.filter(({ key }) => partitionOf(key, 3) === partition))
}

describe("a fed file", () => {
  it.effect("is the topic's records, byte for byte a line a record, by key", () =>
    Effect.gen(function* () {
      const { log, file, feed } = yield* prepared
      const content = [
        ...linesOf(250),
        "",
        "not json",
        `{"k":"${"lüng".repeat(600)}"}`,
        '{"k":"crlf"}\r',
        "  ",
        "last without newline"
      ].join("\n")
      writeFileSync(file, content)
      const progress = yield* feed()
      assert.deepStrictEqual(yield* partitionsOf(log), expectedOf(content))
      assert.strictEqual(progress.lines, 256)
      assert.strictEqual(progress.bytes, Buffer.byteLength(content))
      assert.strictEqual(progress.sha256, createHash("sha256").update(content).digest("hex"))
      assert.isTrue(progress.finished)
      assert.deepStrictEqual(yield* feedProgress(log, "a"), progress)
      // three epochs of 100, 100, 56
      assert.strictEqual((yield* log.inForce({ uid: "feed.a", stage: "feed", shard: 0 }))?.epoch, 3)
    })
  )

  it.effect("may be empty, or end with its last newline", () =>
    Effect.gen(function* () {
      const { log, file, feed } = yield* prepared
      writeFileSync(file, "")
      const empty = yield* feed()
      assert.strictEqual(empty.lines, 0)
      assert.isTrue(empty.finished)
      assert.deepStrictEqual(yield* partitionsOf(log), [[], [], []])
      const other = yield* prepared
      writeFileSync(other.file, "a\nb\n")
      assert.strictEqual((yield* other.feed()).lines, 2)
    })
  )

  it.effect("has lines cut that are too long, with what they were", () =>
    Effect.gen(function* () {
      const { log, file, feed } = yield* prepared
      const long = `{"k":"long","v":"${"y".repeat(3_000_000)}"}`
      const limit = "z".repeat(1_048_576)
      writeFileSync(file, ["before", long, "between", limit, `${limit}z`].join("\n"))
      const progress = yield* feed({ epochBytesMax: 2_000 })
      assert.strictEqual(progress.lines, 5)
      assert.strictEqual(progress.linesTooLong, 2)
      const [records] = yield* partitionsOf(log)
      const cut = (line: string): TestRecord => ({
        value: line.slice(0, 1_000),
        key: null,
        headers: {
          "frazil.original-length": String(line.length),
          "frazil.original-sha256": createHash("sha256").update(line).digest("hex")
        }
      })
      assert.deepStrictEqual(records, [
        { value: "before", key: null },
        cut(long),
        { value: "between", key: null },
        { value: limit, key: null },
        cut(`${limit}z`)
      ])
    })
  )

  it.effect("that is missing or a folder is FileUnreadable, with its name", () =>
    Effect.gen(function* () {
      const { file, feed } = yield* prepared
      for (const path of [`${file}.missing`, file.slice(0, file.lastIndexOf("/"))]) {
        const error = yield* Effect.flip(feed({ file: path }))
        assert.strictEqual(error.reason, "FileUnreadable")
        assert.include(error.message, path)
      }
    })
  )
})

describe("feeding again", () => {
  it.effect("a finished feed does nothing for the same content, under any name", () =>
    Effect.gen(function* () {
      const { log, file, feed } = yield* prepared
      writeFileSync(file, linesOf(250).join("\n"))
      const first = yield* feed()
      const before = yield* log.inForce({ uid: "feed.a", stage: "feed", shard: 0 })
      writeFileSync(`${file}.copy`, readFileSync(file))
      assert.deepStrictEqual(yield* feed({ owner: "later", file: `${file}.copy` }), first)
      assert.deepStrictEqual(yield* log.inForce({ uid: "feed.a", stage: "feed", shard: 0 }), before)
      assert.strictEqual((yield* partitionsOf(log)).flat().length, 250)
    })
  )

  it.effect("a finished feed refuses other content: longer, shorter, or one byte in the middle", () =>
    Effect.gen(function* () {
      const { log, file, feed } = yield* prepared
      const content = `${linesOf(250).join("\n")}\n`
      writeFileSync(file, content)
      yield* feed()
      const changed = Buffer.from(content)
      changed[5_000] = changed[5_000]! ^ 1
      for (const other of [`${content}one more\n`, content.slice(0, -1), changed]) {
        writeFileSync(file, other)
        const error = yield* Effect.flip(feed({ owner: "later" }))
        assert.strictEqual(error.reason, "FeedDiffers")
        assert.include(error.message, file)
        assert.notInclude(error.message, "\n")
      }
      assert.deepStrictEqual(yield* partitionsOf(log), expectedOf(content))
    })
  )

  it.effect("an unfinished feed refuses a changed or shorter beginning, and takes what was added since", () =>
    Effect.gen(function* () {
      const { log, file, feed } = yield* prepared
      const content = `${linesOf(250).join("\n")}\n`
      writeFileSync(file, content)
      yield* Effect.exit(feed().pipe(atFaultPoint("before-epoch-commit", Effect.die("crash"), 3)))
      assert.strictEqual((yield* feedProgress(log, "a"))?.lines, 200)
      const changed = Buffer.from(content)
      changed[3_000] = changed[3_000]! ^ 1
      writeFileSync(file, changed)
      assert.strictEqual((yield* Effect.flip(feed())).reason, "FeedDiffers")
      writeFileSync(file, content)
      truncateSync(file, 1_000)
      assert.strictEqual((yield* Effect.flip(feed())).reason, "FeedDiffers")
      writeFileSync(file, content)
      appendFileSync(file, "added\n")
      yield* feed()
      assert.deepStrictEqual(yield* partitionsOf(log), expectedOf(`${content}added\n`))
    })
  )

  it.effect("a topic that was made anew is not fed again behind its back", () =>
    Effect.gen(function* () {
      const { log, file, feed } = yield* prepared
      writeFileSync(file, "x\n")
      yield* feed()
      yield* log.deleteTopic("a")
      yield* log.ensureTopic({ name: "a", partitions: 3 })
      assert.strictEqual((yield* Effect.flip(feed())).reason, "TopicRecreated")
    })
  )
})

const points: ReadonlyArray<FaultPointName> = [
  "after-init",
  "mid-restore",
  "before-epoch-commit",
  "during-epoch-commit",
  "after-epoch-commit"
]

describe("exactly once", () => {
  it.effect("a crash at any fault point, again and again, loses and doubles nothing", () =>
    Effect.gen(function* () {
      const { log, file, feed } = yield* prepared
      const content = [...linesOf(730), "z".repeat(1_200_000), ...linesOf(180)].join("\n")
      writeFileSync(file, content)
      let run = 0
      const crash = (nth: number) => {
        let crossed = 0
        return Effect.provideService(feed({ owner: `run ${run}` }), FaultPoint, {
          hit: (name) => (points.includes(name) && ++crossed === nth ? Effect.die("crash") : Effect.void)
        })
      }
      // each run gets one crossing further than the one before it
      for (run = 1; run < 100; run++) {
        const exit = yield* Effect.exit(crash(run))
        if (exit._tag === "Success") break
      }
      assert.isAbove(run, 8)
      const lines = content.split("\n")
      const found = (yield* partitionsOf(log)).flat()
      assert.strictEqual(found.length, lines.length)
      const expected = lines.map((line) => line.slice(0, line.length > 1_048_576 ? 1_000 : undefined))
      assert.deepStrictEqual(found.map(({ value }) => value).sort(), [...expected].sort())
    })
  )

  it.effect("rule 5: an unknown outcome, kept or undone, is read back and gone on from", () =>
    Effect.gen(function* () {
      for (const nth of [3, 4]) {
        const { log, file, feed } = yield* prepared
        const content = linesOf(350).join("\n")
        writeFileSync(file, content)
        const progress = yield* feed().pipe(atFaultPoint("epoch-unknown", Effect.die("lost"), nth))
        assert.strictEqual(progress.lines, 350)
        assert.deepStrictEqual(yield* partitionsOf(log), expectedOf(content))
      }
    })
  )

  it.effect("a second feed of the topic fences the first, and goes on where that one was", () =>
    Effect.gen(function* () {
      const { log, file, feed } = yield* prepared
      const content = linesOf(350).join("\n")
      writeFileSync(file, content)
      const reached = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const halt = Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(goOn))
      const zombie = yield* Effect.forkChild(
        Effect.flip(feed({ owner: "zombie" }).pipe(atFaultPoint("before-epoch-commit", halt, 2)))
      )
      yield* Deferred.await(reached)
      yield* feed({ owner: "successor" })
      yield* Deferred.succeed(goOn, undefined)
      assert.strictEqual((yield* Fiber.join(zombie)).reason, "Fenced")
      assert.deepStrictEqual(yield* partitionsOf(log), expectedOf(content))
    })
  )

  it.effect("the feed waits while its slowest reader is too far behind", () =>
    Effect.gen(function* () {
      const { log, file, feed } = yield* prepared
      writeFileSync(file, linesOf(350).join("\n"))
      const read = yield* Ref.make(0)
      const appended = Effect.map(log.bounds("a"), (bounds) => bounds.reduce((sum, { end }) => sum + end, 0))
      const lagOfSlowest = Effect.map(Effect.all([appended, Ref.get(read)]), ([end, at]) => end - at)
      const feeding = yield* Effect.forkChild(feed({ ahead: { recordsMax: 150, lagOfSlowest } }))
      while ((yield* appended) < 200) yield* log.awaitAppend(1_000_000)
      for (let turn = 0; turn < 200; turn++) yield* Effect.yieldNow
      assert.strictEqual(yield* appended, 200)
      yield* Ref.set(read, 350)
      // any commit wakes it
      yield* log.ensureTopic({ name: "wake", partitions: 1 })
      assert.strictEqual((yield* Fiber.join(feeding)).lines, 350)
    })
  )
})
