/**
 * A process that commits epochs to a log until it is killed, saying each one after its commit: for tests.
 *
 * `bun WriterProcess.ts FILE UID PARTITION EPOCHS`: shard UID/stage/PARTITION, each epoch ten numbered records.
 */
import { Effect } from "effect"
import { writeSync } from "node:fs"
import { makeEmbeddedLog } from "../../src/index.ts"
import { commitOf, numbered, pack } from "../log/LogFixture.ts"

const [file = "", uid = "", partitionText = "", epochsText = ""] = process.argv.slice(2)
const partition = Number(partitionText)

const program = Effect.gen(function* () {
  const log = yield* makeEmbeddedLog({ file, pollMs: 2 })
  yield* log.ensureTopic({ name: "a", partitions: 4 })
  const id = { uid, stage: "stage", shard: partition }
  const [inForce] = yield* log.fence(`process ${process.pid}`, [id])
  let epoch = inForce?.epoch ?? 0
  for (const last = epoch + Number(epochsText); epoch < last; epoch++) {
    yield* log.commit({
      owner: `process ${process.pid}`,
      shards: [
        commitOf(id, epoch, {
          delta: new Uint8Array(5_000).fill(epoch & 255),
          detail: { epoch: epoch + 1 },
          outputs: [{ topic: "a", partition, records: pack(...numbered(`${uid}:${epoch}:${"x".repeat(500)}:`, 10)) }]
        })
      ]
    })
    writeSync(1, `${epoch + 1}\n`)
    yield* Effect.yieldNow
  }
})

await Effect.runPromise(Effect.scoped(program))
