/** A Kafka broker for a scenario: what is said to apps about it, and the broker itself. */
import { sharedKafka } from "@frazil/sim/kafka"
import { Effect } from "effect"

/** Stopped with the scope. */
export const openKafka = Effect.fnUntraced(function* (port: number) {
  const kafka = sharedKafka(port)
  yield* Effect.acquireRelease(
    Effect.promise(() => kafka.start()),
    () => Effect.promise(() => kafka.stop())
  )
  const place = { _tag: "Kafka", brokers: [kafka.broker] } as const
  return { url: `kafka://127.0.0.1:${port}`, place, server: kafka.server }
})
