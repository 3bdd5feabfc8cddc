/**
 * The first record of each key by event time, in one shard: holds records until the watermark passes them, then passes on
 * those whose key was not seen within the TTL before.
 *
 * **Bounds**: `recordsHeldMax` records wait in a partition, in memory; `keysMax` keys are remembered, each until event time has
 * come to its first record and the TTL; on disk as many as come. A record that is a duplicate already when it comes is not held.
 */
import { type HeldRecord, readHeld } from "../pattern/HeldRecord.ts"
import { decodeHeld, encodeHeld } from "../pattern/PatternCodec.ts"
import { TimeQueue } from "../pattern/TimeQueue.ts"
import { recordOf } from "../state/KeptRecord.ts"
import { inPieces, inTurn } from "../state/Capture.ts"
import { isoOf } from "../state/PlainJson.ts"
import { StateShapeError } from "../state/OperatorState.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import { type KeyTime, makeFirstTimes } from "./FirstTimes.ts"
import type { KeyedInput, KeyedOperator } from "./KeyedOperator.ts"
import type { FirstPlan } from "./KeyedPlan.ts"
import { isKeyOf } from "./KeyText.ts"

interface EncodedFirst {
  readonly shape: string
  /** Records counted so far. */
  readonly next: number
  /** Records that waited before and are earlier had their turn; null: all. */
  readonly from: number | null
  readonly held: ReadonlyArray<readonly [key: string, ReturnType<typeof encodeHeld>]>
  readonly seen: ReadonlyArray<KeyTime>
}

/** Nothing had its turn. */
const none = -Number.MAX_VALUE

const heldOf = ({ batch, changed, eventTime, key, port, record, row }: KeyedInput, id: number): HeldRecord => {
  const { bytes, offsets, valueEnds, valueStarts } = batch.source
  // the batch's buffer is used again
  const own = bytes.slice(valueStarts[row], valueEnds[row])
  const place = { id, key, time: eventTime, offset: offsets[row]!, port }
  return { ...place, bytes: own, start: 0, end: own.length, text: undefined, mask: 0, changed, record, turn: 0 }
}

export const makeFirstState = (plan: FirstPlan, open?: OpenStore): KeyedOperator => {
  const { name, recordsHeldMax, ttlMs } = plan
  const seen = makeFirstTimes(plan, open)
  const waiting = new TimeQueue<HeldRecord>()
  const loaded = new Map<number, HeldRecord>()
  let came: Array<HeldRecord> = []
  let changed = new Set<string>()
  let next = 0
  let closed = false

  const covers = (first: number | undefined, time: number) =>
    first !== undefined && first <= time && time < first + ttlMs

  const encoded = (held: ReadonlyArray<HeldRecord>, times: ReadonlyArray<KeyTime>): EncodedFirst => ({
    shape: plan.shape,
    next,
    from: waiting.first()?.time ?? null,
    held: held.map((each) => [each.key, encodeHeld(each)] as const),
    seen: times
  })

  const state: KeyedOperator = {
    name,
    due: (watermark) => (waiting.first()?.time ?? Number.POSITIVE_INFINITY) < watermark,
    take: (input, host) => {
      const { batch, eventTime, key, row } = input
      const watermark = closed ? Number.POSITIVE_INFINITY : input.watermark
      const first = seen.get(key)
      // all that came before the watermark had its turn, so whoever is first in this time is
      if (first !== undefined && covers(first, eventTime) && first + ttlMs > watermark) return
      const late = eventTime < watermark
      if (late || waiting.length() >= recordsHeldMax) {
        const latenessMs = watermark - eventTime
        host.enter(batch, row, { operator: name, reason: late ? "late" : "evicted", key, eventTime, latenessMs })
        return
      }
      const held = heldOf(input, next++)
      waiting.add(held)
      came.push(held)
    },
    advance: (watermark, host, emit) => {
      const { firedAt } = host
      for (let held = waiting.first(); held !== undefined && held.time < watermark; held = waiting.first()) {
        waiting.shift()
        held.turn = 1
        seen.forget(held.time)
        if (covers(seen.get(held.key), held.time)) continue
        if (seen.full(held.key)) {
          host.enterHeld(held, { operator: name, reason: "evicted", latenessMs: watermark - held.time })
          continue
        }
        seen.set(held.key, held.time)
        changed.add(held.key)
        host.judging = held
        host.firedAt = held.offset
        emit(recordOf(held, host), held.time, -1)
        host.judging = undefined
      }
      host.firedAt = firedAt
      seen.forget(watermark)
    },
    clockAt: () => Number.POSITIVE_INFINITY,
    advanceClock: () => {},
    close: (host, emit) => {
      state.advance(Number.POSITIVE_INFINITY, host, emit)
      closed = true
    },
    takeDelta: () => {
      const delta = encoded(
        came.filter(({ turn }) => turn === 0),
        seen.tell(changed)
      )
      came = []
      changed = new Set()
      return delta
    },
    capture: (kind, watermark) => {
      // what waits is given whole, as it is now; which of the earlier ones had their turn follows
      const now = encoded([], [])
      const held = waiting.items().toSorted((left, right) => left.id - right.id)
      return inTurn(
        inPieces([now], 1, ([only]) => only),
        inPieces(held, held.length, (some) => ({ ...encoded(some, []), from: none })),
        seen.capture(kind, watermark, (times) => ({ ...encoded([], times), from: none }))
      )
    },
    load: (entries) => {
      const of = entries as EncodedFirst // made by takeDelta or a capture above
      if (of.shape !== plan.shape) throw otherShape(name)
      next = of.next
      for (const [id, { time }] of loaded) if (of.from === null || time < of.from) loaded.delete(id)
      for (const [key, each] of of.held) loaded.set(each.id, decodeHeld(key, each))
      for (const [key, first] of of.seen) seen.set(key, first)
    },
    entriesOf: (entries, key) => {
      const of = entries as EncodedFirst // as above
      if (of.shape !== plan.shape) return of
      const isOf = ([each]: readonly [key: string, ...rest: ReadonlyArray<unknown>]) => isKeyOf(plan, key, each)
      return { ...of, held: of.held.filter(isOf), seen: of.seen.filter(isOf) }
    },
    restored: (watermark, ended) => {
      closed = ended
      for (const held of loaded.values()) waiting.add(held)
      loaded.clear()
      seen.restored()
      seen.forget(ended ? Number.POSITIVE_INFINITY : watermark)
    },
    size: seen.size,
    ...(seen.stored === undefined ? {} : { stored: seen.stored }),
    ...(seen.discard === undefined ? {} : { discard: seen.discard }),
    read: (key) => {
      // whoever reads a shard has it in memory
      const firsts = [...(seen.all?.() ?? [])].filter(([of]) => isKeyOf(plan, key, of))
      const held = waiting.items().filter((each) => isKeyOf(plan, key, each.key))
      if (firsts.length + held.length === 0) return undefined
      return {
        seen: firsts.map(([of, first]) => ({ key: of, first_at: isoOf(first) })),
        waiting: held.toSorted((left, right) => left.time - right.time || left.id - right.id).map(readHeld)
      }
    }
  }
  return state
}

export const otherShape = (name: string): StateShapeError =>
  new StateShapeError(
    `the state of ${name} was made by another key or order; give the operator another name to start it empty, or the job another name`
  )
