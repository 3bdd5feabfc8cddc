/**
 * A feature store in Redis: values under keys such as `fraud_features:C123:transaction_count_5min`, each for a time.
 *
 * `runSink` drives it. **Delivery**: at least once, with the same values whatever is repeated or late: beside each key stands
 * `KEY:at`, the topic id, partition and offset that wrote it, and a script writes only what is newer (rule 18). **Bounds**: a
 * batch is one call; a call gets 5 s.
 */
import { readFile } from "node:fs/promises"
import { Effect, Redacted, type Scope } from "effect"
import type { RedisConnection } from "../connection/Connection.ts"
import { ConnectionError } from "../connection/ConnectionError.ts"
import { readSecret } from "../connection/Secret.ts"
import { SinkError, type SinkRecord, type SinkTarget } from "./SinkTarget.ts"

/** What a record says about one key. */
export interface Feature {
  readonly key: string
  readonly value: string
  readonly ttlMs: number
}

export interface RedisSinkOptions<A> {
  readonly name: string
  readonly connection: RedisConnection
  readonly features: (record: A) => ReadonlyArray<Feature>
}

const callTimeoutMs = 5_000
const reconnectMsMax = 2_000

/**
 * Four arguments a key: value, TTL, `topic/partition`, offset. A key is left alone when what it has
 * came from the same partition at the same offset or a higher one.
 */
const script = `
for i = 1, #KEYS do
  local value, ttl, place, offset = ARGV[4*i-3], ARGV[4*i-2], ARGV[4*i-1], ARGV[4*i]
  local at = redis.call('HMGET', KEYS[i] .. ':at', 'place', 'offset')
  if at[1] ~= place or tonumber(at[2]) < tonumber(offset) then
    redis.call('SET', KEYS[i], value, 'PX', ttl)
    redis.call('HSET', KEYS[i] .. ':at', 'place', place, 'offset', offset)
    redis.call('PEXPIRE', KEYS[i] .. ':at', ttl)
  end
end
return 0`

const failed = (name: string) => () =>
  new SinkError({ message: `connection "${name}": Redis cannot be reached or refused`, delivered: 0 })

const tlsOptions = Effect.fnUntraced(function* (name: string, { tls, url }: RedisConnection) {
  if (!url.startsWith("rediss:")) return {}
  const pem = (path: string) =>
    Effect.tryPromise({
      try: () => readFile(path, "utf8"),
      catch: () =>
        new ConnectionError({ reason: "Invalid", message: `connection "${name}": its file ${path} cannot be read` })
    })
  return {
    tls: true as const,
    ...(tls?.ca === undefined ? {} : { ca: yield* pem(tls.ca) }),
    ...(tls?.server_name === undefined ? {} : { servername: tls.server_name }),
    ...(tls?.certificate === undefined ? {} : { cert: yield* pem(tls.certificate) }),
    ...(tls?.key === undefined ? {} : { key: Redacted.value(yield* readSecret(name, tls.key)) })
  }
})

// loaded when a sink is opened: its hundreds of files take a tenth of a second, and most runs have none
const driver = Effect.promise(() => import("@redis/client"))

const openClient = Effect.fnUntraced(function* (name: string, connection: RedisConnection) {
  const password =
    connection.password === undefined ? undefined : Redacted.value(yield* readSecret(name, connection.password))
  const tls = yield* tlsOptions(name, connection)
  const { createClient } = yield* driver
  return yield* Effect.acquireRelease(
    Effect.sync(() => {
      const client = createClient({
        url: connection.url,
        ...(connection.user === undefined ? {} : { username: connection.user }),
        ...(password === undefined ? {} : { password }),
        // while it is away calls fail at once, and the sink tells and tries again
        disableOfflineQueue: true,
        socket: {
          ...tls,
          connectTimeout: callTimeoutMs,
          reconnectStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 10), reconnectMsMax)
        }
      })
      // told by the calls that fail
      client.on("error", () => undefined)
      client.connect().catch(() => undefined)
      return client
    }),
    (client) => Effect.sync(() => client.destroy())
  )
})

export const openRedisSink = Effect.fnUntraced(function* <A>(
  options: RedisSinkOptions<A>
): Effect.fn.Return<SinkTarget<A>, ConnectionError, Scope.Scope> {
  const { connection, features, name } = options
  const client = yield* openClient(name, connection)
  const argumentsOf = ({ offset, partition, topicId }: SinkRecord<A>, { ttlMs, value }: Feature) => [
    value,
    String(ttlMs),
    `${topicId}/${partition}`,
    String(offset)
  ]
  return {
    deliver: (records) => {
      // the last one of a key: those before it would be overwritten in the same call
      const last = new Map(
        records.flatMap((record) =>
          features(record.record).map((feature) => [feature.key, { record, feature }] as const)
        )
      )
      if (last.size === 0) return Effect.succeed([])
      const keys = [...last.keys()]
      const given = [...last.values()].flatMap(({ feature, record }) => argumentsOf(record, feature))
      return Effect.tryPromise({
        try: () => client.eval(script, { keys, arguments: given }),
        catch: failed(name)
      }).pipe(
        Effect.timeoutOrElse({ duration: callTimeoutMs, orElse: () => Effect.fail(failed(name)()) }),
        Effect.as([])
      )
    }
  }
})
