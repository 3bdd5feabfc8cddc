/**
 * The log on Kafka passes the log conformance suite, on a real broker. Each test has topics of its own by their prefix.
 */
import { Effect } from "effect"
import { afterAll, beforeAll } from "@effect/vitest"
import { KafkaLog } from "../../src/kafka/KafkaLog.ts"
import { logConformance } from "../log/LogConformance.ts"
import { sharedKafka } from "@frazil/sim/kafka"

const kafka = sharedKafka(19_192)
beforeAll(kafka.start, 120_000)
afterAll(kafka.stop, 60_000)

let logs = 0

logConformance(
  "log on Kafka",
  Effect.sync(() => KafkaLog.layer({ brokers: [kafka.broker], prefix: `log${logs++}.`, pollMs: 5 }))
)
