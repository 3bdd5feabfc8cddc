/** Features in a real Redis: the newest value under each key, for its time. */
import { createClient } from "@redis/client"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer, Result, Schedule } from "effect"
import { openRedisSink } from "../../src/index.ts"
import { redisServer, type Server } from "@frazil/sim/servers"
import type { Count } from "./SinkFixture.ts"
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
