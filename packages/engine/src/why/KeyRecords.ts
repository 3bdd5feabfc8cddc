/** The records of a key around a time in a stage's topic, each with how far it gets down the stage by itself. */
import { Decoder, type Topic } from "@frazil/core"
import { Effect } from "effect"
import type { AnyRecord } from "../flow/Node.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import { keyTextOf } from "../run/Collector.ts"
import { type Scanned, keyTextAt, scanTopic } from "./ScanTopic.ts"
import { makeTracer, type TraceStep } from "./Trace.ts"

export interface KeyRecord {
  readonly partition: number
  readonly offset: number
  /** Epoch milliseconds; undefined when it did not decode, or its flow has no event time. */
  readonly eventTime: number | undefined
  /** Undefined: it did not decode. */
  readonly steps: ReadonlyArray<TraceStep> | undefined
}

export interface KeyRecords {
  readonly scanned: ReadonlyArray<Scanned>
  /** Records of the key at any time. */
  readonly seen: number
  /** Those around the time, at most `recordsToldMax`; and those that did not decode. */
  readonly near: ReadonlyArray<KeyRecord>
  /** Event times of the nearest others. */
  readonly before: number | undefined
  readonly after: number | undefined
}

export interface Around {
  readonly key: string
  /** Epoch milliseconds. */
  readonly atMs: number
  readonly aroundMs: number
  /** So many records are read at most of each topic. */
  readonly recordsMax: number
}

/** So many records of the key are told of. */
const recordsToldMax = 100

/** The fields by which the stage's records are found: its topic's key, and the keys that it sends records on by. */
const keysOf = (plan: StagePlan): ReadonlyArray<ReadonlyArray<string>> => {
  const sentBy = plan.operators.flatMap(({ node }) => (node.op === "repartition" ? [node.fields] : []))
  const known = sentBy.filter((fields) => fields.every((field) => plan.source.shape.byName.has(field)))
  return known.filter((fields) => fields.join() !== plan.source.key.join())
}

export const findKeyRecords = Effect.fnUntraced(function* (plan: StagePlan, around: Around) {
  const { aroundMs, atMs, key, recordsMax } = around
  const decode = Decoder.make(plan.source as unknown as Topic<AnyRecord>) // read by its shape and key alone
  const trace = makeTracer(plan, (batch, row) => decode.record(batch, row))
  const others = keysOf(plan)
  const near: Array<KeyRecord> = []
  let seen = 0
  let before: number | undefined
  let after: number | undefined
  const options = { fromMs: atMs - aroundMs, recordsMax, key: others.length === 0 ? key : undefined }
  const scanned = yield* scanTopic(plan.source.name, options, (records, partition) => {
    const rows = Array.from({ length: records.length }, (_, row) => row)
    const own = new Set(rows.filter((row) => keyTextAt(records, row) === key))
    if (own.size === 0 && others.length === 0) return
    const batch = decode.decode(records)
    for (const row of others.length === 0 ? own : rows) {
      const valid = batch.valid[row] !== 0
      const record = valid ? decode.record(batch, row) : undefined
      if (!own.has(row) && (record === undefined || !others.some((fields) => keyTextOf(fields, record) === key)))
        continue
      seen++
      const place = { partition, offset: records.offsets[row]! }
      if (record === undefined) {
        if (near.length < recordsToldMax) near.push({ ...place, eventTime: undefined, steps: undefined })
        continue
      }
      const field = plan.eventTimeField
      const eventTime = field === undefined ? records.timestamps[row]! : Number(record[field])
      if (eventTime < atMs - aroundMs) before = Math.max(before ?? eventTime, eventTime)
      else if (eventTime > atMs + aroundMs) after = Math.min(after ?? eventTime, eventTime)
      else if (near.length < recordsToldMax) near.push({ ...place, eventTime, steps: trace(batch, row, eventTime) })
    }
  })
  const found: KeyRecords = { scanned, seen, near, before, after }
  return found
})
