/** A thread that appends one record to a topic of a log whenever it is told to, and says so: for tests. */
import { parentPort, workerData } from "node:worker_threads"
import { Effect, Queue } from "effect"
import { makeEmbeddedLog } from "../../src/index.ts"
import { pack } from "../log/LogFixture.ts"

const { file } = workerData as { readonly file: string } // of the test

const program = Effect.gen(function* () {
  const told = yield* Queue.unbounded<string>()
  parentPort?.on("message", (topic: string) => void Queue.offerUnsafe(told, topic))
  const log = yield* makeEmbeddedLog({ file })
  const producer = yield* log.producer("thread")
  parentPort?.postMessage("ready")
  while (true) {
    const topic = yield* Queue.take(told)
    yield* producer.append(producer.nextSequence, [{ topic, partition: 0, records: pack("x") }])
    parentPort?.postMessage("appended")
  }
})

Effect.runFork(Effect.scoped(program))
