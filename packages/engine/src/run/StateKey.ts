/**
 * Which key's state a record belongs to.
 *
 * State lies in the shard of the partition that the record was read from, so its key must still be the one that the topic
 * is partitioned by, a source or an internal one: code before the state may have changed it, and then it has none here.
 */
import { Data } from "effect"
import type { AnyRecord } from "../flow/Node.ts"
import type { PlannedOperator } from "../plan/StagePlan.ts"
import { keyTextOf } from "./Collector.ts"

/** A record that a stateful operator cannot place. Its message names fields, never values. */
export class KeyError extends Data.TaggedError("KeyError")<{ readonly field: string; readonly message: string }> {}

/** The key's text. `read` is the record as it was read; throws a `KeyError` when the key is null or another one. */
export type StateKey = (record: AnyRecord, read: AnyRecord) => string

export const makeStateKey =
  ({ key, name }: PlannedOperator): StateKey =>
  (record, read) => {
    const text = keyTextOf(key, record)
    if (text === null) throw new KeyError({ field: key.join(","), message: `${name}: the record has no key` })
    if (record !== read && text !== keyTextOf(key, read)) {
      throw new KeyError({
        field: key.join(","),
        message: `${name}: code before it changed the key, so the record has no state here; call Flow.keyBy behind that code with { repartition: true }`
      })
    }
    return text
  }
