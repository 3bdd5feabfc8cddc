/** Connections of one program to one log file, in several threads: who waits is woken by what others commit, without looking. */
import { join } from "node:path"
import { Worker } from "node:worker_threads"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { makeEmbeddedLog } from "../../src/index.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"

/** Longer than a test may take: nobody who is woken was woken by looking. */
const pollMs = 600_000

const startAppender = (file: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new Worker(new URL("./AppenderThread.ts", import.meta.url), { workerData: { file } })),
    (worker) => Effect.promise(() => worker.terminate())
  )

const nextMessage = (worker: Worker) =>
  Effect.callback<unknown>((resume) => {
    worker.once("message", (message) => resume(Effect.succeed(message)))
  })

describe("who waits for a topic", () => {
  it.live("is woken at once by a commit of another thread to it, and not by one to another topic", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "log.db")
      const log = yield* makeEmbeddedLog({ file, pollMs })
      for (const name of ["a", "b"]) yield* log.ensureTopic({ name, partitions: 1 })
      const thread = yield* startAppender(file)
      assert.strictEqual(yield* nextMessage(thread), "ready")
      // it looks once, and finds what the thread has committed so far
      yield* log.awaitAppend(1)
      for (let turn = 0; turn < 20; turn++) {
        const woken: Array<string> = []
        const wait = (topic: string) =>
          Effect.forkChild(
            Effect.tap(log.awaitAppend(600_000, [topic]), () => Effect.sync(() => woken.push(topic))),
            { startImmediately: true }
          )
        const [a, b] = [yield* wait("a"), yield* wait("b")]
        thread.postMessage("b")
        yield* Fiber.join(b)
        assert.deepStrictEqual(woken, ["b"])
        thread.postMessage("a")
        yield* Fiber.join(a)
        const { length } = yield* log.read("a", 0, turn, { recordsMax: 10, bytesMax: 1_000 })
        assert.strictEqual(length, 1)
      }
    }).pipe(Effect.scoped)
  )

  it.live("is woken as well while other threads end in the middle of their commits", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "log.db")
      const log = yield* makeEmbeddedLog({ file, pollMs })
      yield* log.ensureTopic({ name: "a", partitions: 1 })
      for (let turn = 0; turn < 3; turn++) {
        const waiter = yield* Effect.forkChild(log.awaitAppend(600_000, ["a"]), { startImmediately: true })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const thread = yield* startAppender(file)
            yield* nextMessage(thread)
            for (let told = 0; told < 100; told++) thread.postMessage("a")
            yield* Fiber.join(waiter)
          })
        )
      }
      const [bounds] = yield* log.bounds("a")
      assert.isAtLeast(bounds!.end, 3)
    }).pipe(Effect.scoped)
  )
})
