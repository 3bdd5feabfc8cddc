/** A topic that a broker compacts: what is left of it is read in order, over what is gone, to the latest record of each key. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { sharedKafka } from "@frazil/sim/kafka"
import { Admin } from "@platformatic/kafka"
import { Effect } from "effect"
import { KafkaLog } from "../../src/kafka/KafkaLog.ts"
import { connect, packRecords, readAll } from "../log/LogFixture.ts"

// the cleaner looks again at once, not after 15 s
const kafka = sharedKafka(19_692, { more: "log.cleaner.backoff.ms=100" })
beforeAll(kafka.start)
afterAll(kafka.stop)

const settings = {
  "cleanup.policy": "compact",
  "segment.ms": "100",
  "min.cleanable.dirty.ratio": "0.01",
  "max.compaction.lag.ms": "200",
  "delete.retention.ms": "100"
}
const topic = "rates"
const keys = ["EUR", "GBP", "JPY", "CHF"]
const rounds = 40

const make = Effect.promise(async () => {
  const admin = new Admin({ clientId: "compacted", bootstrapBrokers: [kafka.broker] })
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1, configs })
  await admin.close()
})

describe("a compacted topic", () => {
  it.live("keeps its offsets and the latest of each key, and reads go on over what is gone", () =>
    Effect.gen(function* () {
      yield* make
      const log = yield* connect(KafkaLog.layer({ brokers: [kafka.broker] }))
      const producer = yield* log.producer("rates")
      let written = 0
      const append = (round: number) => {
        // one key that never changes again, and so stays
        const changing = round === 0 ? [...keys, "XAU"] : keys
        const records = packRecords(changing.map((key) => ({ key, value: `${key} ${round}` })))
        written += changing.length
        return producer.append(round, [{ topic, partition: 0, records }])
      }
      for (let round = 0; round < rounds; round++) {
        yield* append(round)
        yield* Effect.sleep(50)
      }
      const latest = yield* connect(KafkaLog.layer({ brokers: [kafka.broker] }))
      let left = yield* readAll(latest, topic)
      for (let look = 0; look < 1_000 && left.offsets.length > written / 2; look++) {
        yield* Effect.sleep(200)
        // segments are closed, and cleaned, when something comes
        yield* append(rounds + look)
        left = yield* readAll(latest, topic)
      }
      assert.isAtMost(left.offsets.length, written / 2, "the broker has compacted nothing")
      const ascending = left.offsets.every((offset, index) => index === 0 || offset > left.offsets[index - 1]!)
      assert.isTrue(ascending)
      assert.isAbove(left.offsets.at(-1)! + 1 - left.offsets[0]!, left.offsets.length)
      const newest = new Map(left.values.map((value) => [value.split(" ")[0], value]))
      const last = String(Math.floor(written / keys.length) - 1)
      const expected = [...keys.map((key) => `${key} ${last}`), "XAU 0"]
      assert.deepStrictEqual([...newest.values()].toSorted(), expected.toSorted())
      // a reader that stood in what is gone goes on behind it
      const behind = left.offsets[0]! + 1
      const batch = yield* latest.read(topic, 0, behind, { recordsMax: 1, bytesMax: 1_000 })
      // the broker goes on cleaning: what was first behind it may be gone too by now
      const later = yield* readAll(latest, topic)
      const nextOf = ({ offsets }: typeof left) => offsets.find((offset) => offset >= behind)
      assert.include([nextOf(left), nextOf(later)], batch.offsets[0])
      assert.isAbove(batch.offsets[0]!, behind)
    })
  )
})
