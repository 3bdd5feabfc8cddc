/** The layer of a log on Kafka, whose client is loaded when it is built: it takes a third of a second, and most runs have none. */
import type { Log, LogError } from "@frazil/engine"
import { Effect, Layer } from "effect"
import type { KafkaLogOptions } from "./KafkaLog.ts"

export const kafkaLogLayer = (options: KafkaLogOptions): Layer.Layer<Log, LogError> =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./KafkaLog.ts")),
      ({ KafkaLog }) => KafkaLog.layer(options)
    )
  )
