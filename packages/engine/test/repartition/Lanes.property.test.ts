/** Lanes against a sort: whatever order they were written and read in, however little may wait, and wherever a restart comes. */
import { makeRecordBuilder, type RecordBatch } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { makeEnvelopeWriter } from "../../src/repartition/Envelope.ts"
import { type LaneDetail, makeLanes } from "../../src/repartition/Lanes.ts"
import { type Chance, makeChance } from "../support/Chance.ts"

interface Written {
  readonly lane: number
  readonly stamp: number
  readonly place: number
  readonly control: boolean
}

const shape = [2, 3]
const laneOf = (lane: number) => (lane < 2 ? { input: 0, shard: lane } : { input: 1, shard: lane - 2 })
const encoder = new TextEncoder()
const text = new TextDecoder()

/** What five shards wrote: stamps ascend in each, the shards got ahead of each other. */
const randomWriting = (chance: Chance): ReadonlyArray<Written> => {
  const lines = Array.from({ length: 5 }, (_, lane) => {
    let stamp = chance.once(3) ? Number.NEGATIVE_INFINITY : chance.below(5)
    return Array.from({ length: chance.below(40) }, (__, index): Written => {
      if (chance.once(3)) stamp = Math.max(0, stamp) + chance.below(6)
      return { lane, stamp, place: lane * 1000 + index, control: chance.once(6) }
    })
  })
  const written: Array<Written> = []
  while (lines.some((line) => line.length > 0)) {
    const line = chance.pick(lines.filter(({ length }) => length > 0))
    written.push(...line.splice(0, 1 + chance.below(15)))
  }
  return written
}

const batchOf = (written: ReadonlyArray<Written>, from: number): RecordBatch => {
  const builder = makeRecordBuilder()
  for (const { control, lane, place, stamp } of written) {
    const { input, shard } = laneOf(lane)
    const envelope = makeEnvelopeWriter(input, shard)
    if (control) builder.add(envelope.control(stamp, false, false), null)
    else
      builder.addFramed(
        envelope.record(stamp + 1, stamp, place),
        encoder.encode(`r${place}`),
        0,
        `r${place}`.length,
        encoder.encode("key")
      )
  }
  return {
    ...builder.take(),
    offsets: Float64Array.from(written, (_, index) => from + index),
    timestamps: new Float64Array(written.length)
  }
}

const ended = (log: ReadonlyArray<Written>): RecordBatch => {
  const builder = makeRecordBuilder()
  for (let lane = 0; lane < 5; lane++) {
    const { input, shard } = laneOf(lane)
    builder.add(makeEnvelopeWriter(input, shard).control(Number.NEGATIVE_INFINITY, false, true), null)
  }
  return {
    ...builder.take(),
    offsets: Float64Array.from({ length: 5 }, (_, index) => log.length + index),
    timestamps: new Float64Array(5)
  }
}

const sorted = (log: ReadonlyArray<Written>): ReadonlyArray<string> =>
  log
    .filter(({ control }) => !control)
    .toSorted((left, right) =>
      left.stamp === right.stamp
        ? left.lane - right.lane || left.place - right.place
        : left.stamp < right.stamp
          ? -1
          : 1
    )
    .map(({ place, stamp }) => `r${place} at ${place} by ${stamp}`)

/** Reads to the end, with restarts from what was committed. */
const given = (log: ReadonlyArray<Written>, chance: Chance, recordsHeldMax: number): ReadonlyArray<string> => {
  const out: Array<string> = []
  let restored: ReadonlyArray<LaneDetail> | undefined
  let committed = 0
  let from = 0
  let mostWaited = 0
  for (let run = 0; run < 50; run++) {
    out.length = committed
    const apart = recordsHeldMax % 2 === 0
    const portOf = apart ? [1, 0] : []
    const lanes = makeLanes({ shape, timed: true, restored, start: 0, recordsHeldMax, portOf })
    let offset = from
    const last = run === 49 || chance.once(3)
    for (let turn = 0; ; turn++) {
      const length = 1 + chance.below(20)
      const batch = offset >= log.length ? ended(log) : batchOf(log.slice(offset, offset + length), offset)
      lanes.take(batch)
      for (let next = lanes.give(1 + chance.below(9)); next !== undefined; next = lanes.give(7)) {
        let rows = 0
        for (const run of next.runs) {
          const given = next.batches[run.port]!
          for (let row = run.from; row < run.to; row++, rows++) {
            const value = text.decode(given.bytes.subarray(given.valueStarts[row], given.valueEnds[row]))
            assert.strictEqual(run.port, apart && given.offsets[row]! < 2000 ? 1 : 0)
            out.push(`${value} at ${given.offsets[row]} by ${given.watermarks[row]}`)
            assert.isTrue(row < run.to - 1 || run !== next.runs.at(-1) || next.place === given.offsets[row])
          }
        }
        assert.strictEqual(rows, next.length)
      }
      offset = lanes.readOn(batch.offsets[batch.length - 1]! + 1)
      mostWaited = Math.max(mostWaited, lanes.waiting())
      if (chance.once(4)) {
        restored = lanes.detail()
        from = lanes.position()
        committed = out.length
      }
      if (lanes.ended()) {
        assert.isAtMost(mostWaited, recordsHeldMax)
        return out
      }
      if (!last && chance.once(6)) break
      assert.isBelow(turn, 5000, "it never ends")
    }
  }
  return out
}

describe("lanes", () => {
  it("give what was written in the order of stamps, shards and writing, whatever came when", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const chance = makeChance(seed)
      const log = randomWriting(chance)
      assert.deepStrictEqual(given(log, chance, chance.pick([1, 5, 1000])), sorted(log), `seed ${seed}`)
    }
  })

  it("leave out who is idle, and wait for who was never heard of", () => {
    const lanes = makeLanes({ shape: [2], timed: true, restored: undefined, start: 0 })
    const take = (from: number, ...values: ReadonlyArray<Uint8Array>) => {
      const builder = makeRecordBuilder()
      for (const value of values) builder.add(value, null)
      const offsets = Float64Array.from(values, (_, index) => from + index)
      lanes.take({ ...builder.take(), offsets, timestamps: new Float64Array(values.length) })
      lanes.readOn(from + values.length)
      return lanes.give(100)?.length ?? 0
    }
    const [first, second] = [0, 1].map((shard) => makeEnvelopeWriter(0, shard))
    assert.strictEqual(take(0, first!.record(11, 10, 0).slice(), first!.record(21, 20, 1)), 0)
    assert.strictEqual(lanes.watermark(), Number.NEGATIVE_INFINITY)
    assert.strictEqual(take(2, second!.control(15, false, false)), 1)
    assert.strictEqual(lanes.watermark(), 15)
    assert.strictEqual(lanes.position(), 1)
    assert.strictEqual(take(3, second!.control(15, true, false)), 1)
    assert.strictEqual(lanes.watermark(), 20)
    assert.isFalse(lanes.silent())
    // it wakes up with an older record: that one goes at once
    assert.strictEqual(take(4, second!.record(2, 1, 2)), 1)
    assert.strictEqual(take(5, first!.control(20, true, false), second!.control(15, true, false)), 0)
    assert.isTrue(lanes.silent())
    assert.strictEqual(lanes.watermark(), 15)
    assert.isFalse(lanes.ended())
  })
})
