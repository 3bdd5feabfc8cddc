/**
 * What the log conformance tests share: opening connections, packing records, reading a partition whole.
 */
import { Context, Effect, Layer, type Scope } from "effect"
import { FaultPoint, type FaultPointName, makeRecordBuilder, type PackedRecords } from "@frazil/core"
import {
  Log,
  type LogError,
  type LogShape,
  type ReadLimits,
  type ReadRecords,
  type ShardCommit,
  type ShardId
} from "@frazil/engine"

/** A new, empty log. Every build of the layer is a connection of its own, as another process has it. */
export type FreshLog = Effect.Effect<Layer.Layer<Log, LogError>, never, Scope.Scope>

/** Opens another connection, closed with the scope. */
export const connect = (layer: Layer.Layer<Log, LogError>): Effect.Effect<LogShape, LogError, Scope.Scope> =>
  Effect.map(Layer.build(Layer.fresh(layer)), (context) => Context.get(context, Log))

export const openFresh = (fresh: FreshLog): Effect.Effect<LogShape, LogError, Scope.Scope> =>
  Effect.flatMap(fresh, connect)

/** A record as tests write it. */
export interface TestRecord {
  readonly value: string
  readonly key: string | null
  readonly headers?: Readonly<Record<string, string>>
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const packRecords = (records: ReadonlyArray<TestRecord>): PackedRecords => {
  const builder = makeRecordBuilder()
  for (const { value, key, headers } of records) {
    builder.add(encoder.encode(value), key === null ? null : encoder.encode(key), headers)
  }
  return builder.take()
}

/** Values without keys. */
export const pack = (...values: ReadonlyArray<string>): PackedRecords =>
  packRecords(values.map((value) => ({ value, key: null })))

export const numbered = (prefix: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)

export const unpack = (batch: PackedRecords): ReadonlyArray<TestRecord> =>
  Array.from({ length: batch.length }, (_, row) => {
    const keyStart = batch.keyStarts[row]!
    const headers = batch.headers.get(row)
    return {
      value: decoder.decode(batch.bytes.subarray(batch.valueStarts[row], batch.valueEnds[row])),
      key: keyStart < 0 ? null : decoder.decode(batch.bytes.subarray(keyStart, batch.keyEnds[row])),
      ...(headers === undefined ? {} : { headers })
    }
  })

export const valuesOf = (batch: PackedRecords): ReadonlyArray<string> => unpack(batch).map(({ value }) => value)

export const wide: ReadLimits = { recordsMax: 100_000, bytesMax: 100_000_000 }

/** Everything that a partition keeps, read batch after batch as a task does (protocol, rule 17). */
export const readAll = Effect.fnUntraced(function* (
  log: LogShape,
  topic: string,
  partition = 0,
  limits: ReadLimits = wide
) {
  const bounds = (yield* log.bounds(topic))[partition]!
  const records: Array<TestRecord> = []
  const offsets: Array<number> = []
  let at = bounds.start
  while (at < bounds.end) {
    const batch: ReadRecords = yield* log.read(topic, partition, at, limits)
    if (batch.length === 0) break
    records.push(...unpack(batch))
    offsets.push(...batch.offsets)
    at = batch.next
  }
  // a writer beside it went on: the last read may end in the middle of what came since
  const after = offsets.findIndex((offset) => offset >= bounds.end)
  if (after >= 0) for (const list of [records, offsets]) list.length = after
  return { records, offsets, values: records.map(({ value }) => value) }
})

/** Appends values to a partition without an epoch; the first one's offset. */
export const appendValues = Effect.fnUntraced(function* (
  log: LogShape,
  topic: string,
  partition: number,
  records: PackedRecords
) {
  const producer = yield* log.producer(`test-${topic}-${partition}`)
  const [appended] = yield* producer.append(producer.nextSequence, [{ topic, partition, records }])
  return appended!.offset
}, Effect.scoped)

export const shardOf = (shard: number, uid = "job"): ShardId => ({ uid, stage: "stage", shard })

/** A commit of one shard that says little; tests override what they are about. */
export const commitOf = (id: ShardId, epochRead: number, more: Partial<ShardCommit> = {}): ShardCommit => ({
  id,
  epochRead,
  positions: [],
  snapshots: [],
  detail: null,
  delta: null,
  outputs: [],
  ...more
})

/** Runs `hit` at the `nth` crossing of a fault point while `self` runs. */
export const atFaultPoint =
  (name: FaultPointName, hit: Effect.Effect<void>, nth = 1) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      let crossed = 0
      return Effect.provideService(self, FaultPoint, {
        hit: (crossing) => (crossing === name && ++crossed === nth ? hit : Effect.void)
      })
    })

/** The reason of a failure; a success fails the test. */
export const reasonOf = <A, R>(effect: Effect.Effect<A, LogError, R>): Effect.Effect<string, never, R> =>
  Effect.match(effect, { onFailure: (error) => error.reason, onSuccess: () => "no failure" })
