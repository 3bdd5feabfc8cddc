/** Removes a partition's records below an offset: `DeleteRecords`, which is for good. */
import type { LogError } from "@frazil/engine"
import { deleteRecordsV2 } from "@platformatic/kafka"
import { Effect } from "effect"
import { call, type Cluster } from "./Cluster.ts"

const deleteTimeoutMs = 15_000

export const trimRecords = (
  cluster: Cluster,
  topic: string,
  partition: number,
  offset: number
): Effect.Effect<void, LogError> =>
  cluster
    .persistently(
      `removing records of topic ${topic}`,
      Effect.gen(function* () {
        const found = yield* Effect.result(cluster.topic(topic))
        if (found._tag === "Failure") return found.failure
        const connection = yield* cluster.leader(found.success, partition)
        const partitions = [{ partitionIndex: partition, offset: BigInt(offset) }]
        yield* call(connection, deleteRecordsV2.api, [{ name: topic, partitions }], deleteTimeoutMs)
        return undefined
      }),
      () => cluster.forget(topic)
    )
    .pipe(Effect.flatMap((error) => (error === undefined ? Effect.void : Effect.fail(error))))
