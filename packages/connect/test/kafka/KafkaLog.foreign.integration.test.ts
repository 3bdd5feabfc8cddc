/**
 * Topics that others made and others write: what is in them comes as it is, as a dead letter's record, or as one clear line.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Decoder } from "@frazil/core"
import type { TopicDeclaration } from "@frazil/engine"
import { RawTransactions } from "@frazil/model"
import { makeTransactions } from "@frazil/sim"
import { sharedKafka } from "@frazil/sim/kafka"
import { Admin, Producer } from "@platformatic/kafka"
import { Effect, Logger } from "effect"
import { KafkaLog } from "../../src/kafka/KafkaLog.ts"
import { commitOf, connect, pack, readAll, reasonOf, shardOf, unpack, wide } from "../log/LogFixture.ts"

const kafka = sharedKafka(19_592)
beforeAll(kafka.start, 120_000)
afterAll(kafka.stop, 60_000)

const base = { clientId: "foreign", bootstrapBrokers: [kafka.broker] }
const opened = connect(KafkaLog.layer({ brokers: [kafka.broker] }))

/** Makes a topic as somebody else would. */
const make = (topic: string, partitions: number, settings: Readonly<Record<string, string>> = {}) =>
  Effect.promise(async () => {
    const admin = new Admin(base)
    const configs = Object.entries(settings).map(([name, value]) => ({ name, value }))
    await admin.createTopics({ topics: [topic], partitions, replicas: 1, configs })
    await admin.close()
  })

interface Message {
  readonly key?: Buffer
  readonly value: Buffer | null
}

const produce = (
  topic: string,
  messages: ReadonlyArray<Message>,
  compression: "none" | "gzip" | "snappy" | "lz4" | "zstd"
) =>
  Effect.promise(async () => {
    const producer = new Producer({ ...base, strict: false })
    // the cast: a message without a value is a tombstone, for which the client's types have no word
    await producer.send({ messages: messages.map((each) => ({ topic, partition: 0, ...each })) as never, compression })
    await producer.close()
  })

const said: Array<string> = []
const listening = Logger.layer([Logger.make(({ message }) => void said.push(String(message)))])

describe("records of others", () => {
  it.live("tombstones, null keys, 5 MB, nonsense, in every codec: each comes, or is a dead letter's", () =>
    Effect.gen(function* () {
      yield* make("foreign", 1, { "max.message.bytes": "8000000" })
      const generator = makeTransactions({ seed: 3 })
      const line = generator.next(1_768_434_300_000)
      const valid = Buffer.from(line.bytes.subarray(0, line.length))
      const messages: ReadonlyArray<Message> = [
        { key: Buffer.from("k"), value: null },
        { value: valid },
        { value: Buffer.alloc(5_000_000, "x") },
        { key: Buffer.from([0xff, 0]), value: Buffer.from([0xff, 0xfe, 0]) },
        { key: Buffer.from("k"), value: valid }
      ]
      const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const
      for (const compression of codecs) yield* produce("foreign", messages, compression)
      const log = yield* opened
      const decoder = Decoder.make(RawTransactions)
      let at = 0
      const reasons: Array<string> = []
      while (at < messages.length * codecs.length) {
        const batch = yield* log.read("foreign", 0, at, wide)
        const columns = decoder.decode(batch)
        for (const [row, { headers, key, value }] of unpack(batch).entries()) {
          const failure = columns.failures.find((each) => each.row === row)
          const length = headers?.["frazil.original-length"] ?? String(value.length)
          reasons.push(`${key === null ? "-" : "key"} ${length} ${failure?.reason ?? "valid"}`)
        }
        at = batch.next
      }
      const each = [
        "key 0 not_json",
        `- ${valid.length} valid`,
        "- 5000000 record_too_long",
        "key 5 not_utf8",
        `key ${valid.length} valid`
      ]
      // three bytes that are no UTF-8 read as replacement characters here
      const lengthless = (text: string) => text.replace(/\d+ not_utf8/, "not_utf8")
      assert.deepStrictEqual(
        reasons.map(lengthless),
        codecs.flatMap(() => each.map(lengthless))
      )
    })
  )
})

describe("topics of others", () => {
  it.live("are taken with their partitions; settings that may lose records are told once", () =>
    Effect.gen(function* () {
      const declared: TopicDeclaration = { name: "kept-for-a-day", partitions: 2 }
      yield* make(declared.name, 2, { "retention.ms": "86400000" })
      yield* make("compacted", 1, { "cleanup.policy": "compact" })
      const log = yield* opened
      yield* log.ensureTopic(declared)
      yield* log.ensureTopic(declared)
      yield* log.ensureTopic({ name: "compacted", partitions: 1 })
      assert.strictEqual(said.length, 2, said.join("\n"))
      assert.match(said[0]!, /topic kept-for-a-day was made with other.*retention\.ms is 86400000, not -1.*may be gone/)
      assert.match(said[1]!, /topic compacted was made with other.*cleanup\.policy is compact, not delete.*may be gone/)
      assert.strictEqual(yield* reasonOf(log.ensureTopic({ ...declared, partitions: 4 })), "TopicDiffers")
    }).pipe(Effect.provide(listening))
  )

  it.live("rule 7: a changelog that would lose deltas is refused, before anything is committed", () =>
    Effect.gen(function* () {
      yield* make("frazil-state.job.stage", 1, { "cleanup.policy": "compact" })
      const log = yield* opened
      const error = yield* Effect.flip(log.fence("me", [shardOf(0)]))
      assert.strictEqual(error.reason, "TopicDiffers")
      assert.match(
        error.message,
        /frazil-state\.job\.stage holds the state of jobs.*cleanup\.policy=compact, not delete/
      )
    })
  )

  it.live(
    "that get more partitions are read in all of them; outputs to partitions that are not there are refused",
    () =>
      Effect.gen(function* () {
        const log = yield* opened
        yield* log.ensureTopic({ name: "growing", partitions: 1 })
        const one = { uid: "grower", stage: "stage", shard: 0 }
        yield* log.fence("me", [one])
        const outputs = (partition: number) => [{ topic: "growing", partition, records: pack("x") }]
        const refused = log.commit({ owner: "me", shards: [commitOf(one, 0, { outputs: outputs(1) })] })
        assert.strictEqual(yield* reasonOf(refused), "TopicDiffers")
        yield* Effect.promise(async () => {
          const admin = new Admin(base)
          await admin.createPartitions({ topics: [{ name: "growing", count: 3 }] })
          await admin.close()
        })
        // brokers tell of it a moment later
        while ((yield* log.bounds("growing")).length !== 3) yield* Effect.sleep(50)
        yield* log.commit({ owner: "me", shards: [commitOf(one, 0, { outputs: outputs(2) })] })
        assert.deepStrictEqual((yield* readAll(log, "growing", 2)).values, ["x"])
        // more shards of a stage than before
        const [none] = yield* log.fence("me", [{ ...one, shard: 5 }])
        assert.isUndefined(none)
        assert.deepStrictEqual(yield* log.shards, [one])
      })
  )
})
