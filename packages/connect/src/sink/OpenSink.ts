/**
 * A declared sink, opened: its secrets read, its target ready to be delivered to.
 *
 * Apps open each before anything runs, so that a missing secret is told at once, and give the target to `runSink`. What is
 * not there yet (a database that is down) is found by the first delivery, which is then tried again.
 */
import { Effect, type Scope, Semaphore } from "effect"
import type { ConnectionError } from "../connection/ConnectionError.ts"
import { openPostgres } from "../sql/PostgresPool.ts"
import type { SqlClient } from "../sql/SqlClient.ts"
import type { DeclaredSink } from "./DeclaredSink.ts"
import { featuresOf } from "./FeatureTemplate.ts"
import { openPostgresSink } from "./PostgresSink.ts"
import { openRedisSink } from "./RedisSink.ts"
import { SinkError, type SinkTarget } from "./SinkTarget.ts"
import { openWebhookSink } from "./WebhookSink.ts"

const statementTimeoutMs = 10_000

interface Upsert {
  readonly client: SqlClient
  readonly table: string
  readonly key: readonly [string, ...ReadonlyArray<string>]
}

/** The table is made with the first delivery. */
const lazyPostgres = Effect.fnUntraced(function* (topic: DeclaredSink["topic"], { client, key, table }: Upsert) {
  const alone = yield* Semaphore.make(1)
  let opened: SinkTarget<object> | undefined
  const options = { client, table, topic, key: key as unknown as readonly [never] } // decodeSinks found each among the fields
  const open = Effect.gen(function* () {
    opened ??= yield* Effect.mapError(
      openPostgresSink<object>(options),
      ({ message }) => new SinkError({ message, delivered: 0 })
    )
    return opened
  })
  return {
    deliver: (records) => Effect.flatMap(alone.withPermits(1)(open), (target) => target.deliver(records))
  } satisfies SinkTarget<object>
})

export const openSink = Effect.fnUntraced(function* (
  sink: DeclaredSink
): Effect.fn.Return<SinkTarget<object>, ConnectionError, Scope.Scope> {
  const { connection, connectionName: name, form, topic } = sink
  if (form.kind === "postgres" && connection.kind === "postgres") {
    const client = yield* openPostgres(name, connection, statementTimeoutMs)
    return yield* lazyPostgres(topic, { client, key: form.key, table: form.table })
  }
  if (form.kind === "redis" && connection.kind === "redis") {
    return yield* openRedisSink({ name, connection, features: featuresOf(form.features) })
  }
  if (form.kind === "webhook" && connection.kind === "http") {
    return yield* openWebhookSink<object>({ name, connection })
  }
  return yield* Effect.die(new Error(`sink ${sink.name}: decodeSinks let a connection of another kind through`))
})
