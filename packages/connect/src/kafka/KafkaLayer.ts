/** A log on Kafka and its instances, whose client is loaded when they are opened: it takes a third of a second, and most runs have none. */
import type { Log, LogError } from "@frazil/engine"
import { Effect, Layer, type Scope } from "effect"
import type { KafkaGroup, KafkaInstancesOptions } from "./instances/KafkaInstances.ts"
import type { KafkaLogOptions } from "./KafkaLog.ts"

export const kafkaLogLayer = (options: KafkaLogOptions): Layer.Layer<Log, LogError> =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./KafkaLog.ts")),
      ({ KafkaLog }) => KafkaLog.layer(options)
    )
  )

export const openKafkaInstances = (options: KafkaInstancesOptions): Effect.Effect<KafkaGroup, LogError, Scope.Scope> =>
  Effect.flatMap(
    Effect.promise(() => import("./instances/KafkaInstances.ts")),
    ({ makeKafkaInstances }) => makeKafkaInstances(options)
  )
