/** Features in a real Redis: the newest value under each key, for its time. */
import { createClient } from "@redis/client"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer, Result, Schedule } from "effect"
import { decodeConnections, type DeclaredSink, decodeSinks, openRedisSink, openSink } from "../../src/index.ts"
import { redisServer, type Server } from "@frazil/sim/servers"
import { type Count, Counts } from "./SinkFixture.ts"
import { recordAt, storeCases } from "./StoreCases.ts"

const port = 6461
const ttlMs = 300_000

class Redis extends Context.Service<Redis, Server>()("connect/test/Redis") {}

const keyOf = (customer: string) => `fraud_features:${customer}:transaction_count_5min`

const open = Effect.fnUntraced(function* (ttl = ttlMs) {
  const { url } = yield* Redis
  const target = yield* openRedisSink({
    name: "features",
    connection: { kind: "redis", url },
    features: ({ count, customer }: Count) => [{ key: keyOf(customer), value: String(count), ttlMs: ttl }]
  })
  const client = yield* Effect.acquireRelease(
    Effect.promise(() => {
      const made = createClient({ url })
      // the server goes away under it
      made.on("error", () => undefined)
      return made.connect()
    }),
    (opened) => Effect.sync(() => opened.destroy())
  )
  yield* Effect.promise(() => client.flushAll())
  // the sink's own connection is made meanwhile
  yield* target.deliver([recordAt("warm", 1, 0)]).pipe(Effect.retry(Schedule.spaced(20)))
  return { client, target }
})

layer(Layer.effect(Redis, redisServer(port)), { excludeTestServices: true, timeout: "60 seconds" })(
  "a feature store in Redis",
  (it) => {
    it.effect("keeps the newest value of each key, for its time", () =>
      Effect.gen(function* () {
        const { client, target } = yield* open()
        const get = (customer: string) => Effect.promise(async () => (await client.get(keyOf(customer))) ?? undefined)
        yield* storeCases(target, get)
        const left = yield* Effect.promise(() => client.pTTL(keyOf("A")))
        assert.isTrue(left > ttlMs - 30_000 && left <= ttlMs, `${left} ms`)
        assert.deepStrictEqual(yield* target.deliver([]), [])
      })
    )

    it.effect("is filled as a declaration says, by a key that names fields and for the time that it gives", () =>
      Effect.gen(function* () {
        const { client } = yield* open()
        const { url } = yield* Redis
        const context = {
          topics: [Counts as unknown as DeclaredSink["topic"]],
          connections: decodeConnections({ features: { kind: "redis", url } }, () => undefined),
          deadLetterTopic: "dead-letter"
        }
        const key = "fraud_features:{customer}:transaction_total"
        const declared = {
          totals: {
            kind: "redis",
            topic: Counts.name,
            connection: "features",
            features: [{ key, value: "total", ttl: "5m" }]
          }
        }
        const [sink] = decodeSinks(declared, context).sinks
        assert(sink !== undefined)
        const target = yield* openSink(sink)
        yield* target.deliver([recordAt("C123", 1, 1)]).pipe(Effect.retry(Schedule.spaced(20)))
        const name = "fraud_features:C123:transaction_total"
        assert.strictEqual(yield* Effect.promise(() => client.get(name)), "12345678.90")
        const left = yield* Effect.promise(() => client.pTTL(name))
        assert.isTrue(left > ttlMs - 30_000 && left <= ttlMs, `${left} ms`)
      })
    )

    it.effect("forgets a value when its time is over", () =>
      Effect.gen(function* () {
        const { client, target } = yield* open(50)
        yield* target.deliver([recordAt("A", 1, 1)])
        yield* Effect.sleep(150)
        assert.strictEqual(yield* Effect.promise(() => client.exists([keyOf("A"), `${keyOf("A")}:at`])), 0)
      })
    )

    it.effect("fails while the server is gone, and works again once it is back", () =>
      Effect.gen(function* () {
        const server = yield* Redis
        const { target } = yield* open()
        yield* server.stop
        const gone = yield* Effect.result(target.deliver([recordAt("A", 1, 1)]))
        assert.isTrue(Result.isFailure(gone))
        yield* server.start
        yield* target.deliver([recordAt("A", 1, 1)]).pipe(Effect.retry(Schedule.spaced(100)))
      })
    )
  }
)
