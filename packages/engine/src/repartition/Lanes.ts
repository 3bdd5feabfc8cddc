/**
 * Puts the records of an internal partition into one order that does not depend on how their writers got ahead of each other.
 *
 * Every (input, shard) that writes is a lane. A record is given when no lane can bring one with a lower stamp any more: the
 * order is (stamp, input, shard, order of the writer), and a record meets the very watermark that it was stamped with, so it is
 * late exactly when it was late where it came from. The watermark is the least over lanes; idle ones and those that ended are
 * left out (protocol, rules 11, 19 and 20).
 *
 * The shard gives it batches and takes what may go. Nothing that waits is state: a restart reads it again, from `position` on,
 * each lane from where it stood. **Bounds**: `recordsHeldMax` records and 64 MB wait; beyond that the lanes that are furthest ahead are
 * forgotten and read again later.
 */
import { makeRecordBuilder, type RecordBatch } from "@frazil/core"
import { type Envelope, envelopeBytes, EnvelopeError, readEnvelope } from "./Envelope.ts"

/** Records of one port in merged order. `offsets` are places (`Place.ts`). */
export interface StampedBatch extends RecordBatch {
  readonly eventTimes: Float64Array
  /** How far time had come before each record. */
  readonly watermarks: Float64Array
}

/** Records in merged order: those of each port together, since each has fields of its own, and in which order to take them. */
export interface GivenRecords {
  /** By port; undefined: none came by it. */
  readonly batches: ReadonlyArray<StampedBatch | undefined>
  /** Rows `[from, to)` of a port's batch, one after the other. */
  readonly runs: ReadonlyArray<PortRun>
  readonly length: number
  /** Of the last one. */
  readonly place: number
}

export interface PortRun {
  readonly port: number
  readonly from: number
  to: number
}

/** A lane in the record in force: the next offset, the clock (null: none yet), whether it is idle or has ended. */
export type LaneDetail = readonly [next: number, clock: number | null, idle: 0 | 1, ended: 0 | 1]

/** Shards of each input's stage, in the order of the inputs. */
export type LaneShape = ReadonlyArray<number>

export interface Lanes {
  /** Records of the partition, in order. */
  readonly take: (batch: RecordBatch) => void
  /** At most `max` records that may go; undefined when none may. */
  readonly give: (max: number) => GivenRecords | undefined
  /** Everything below `next` was taken. Where to read on. */
  readonly readOn: (next: number) => number
  /** The least clock; −Infinity before every lane has one, the greatest where all have ended, undefined where nothing is to be waited for. */
  readonly watermark: () => number | undefined
  /** Every lane is idle or has ended, and nothing waits. */
  readonly silent: () => boolean
  /** Every lane has ended, and nothing waits. */
  readonly ended: () => boolean
  /** Where a restart must read from: below it, everything was given. */
  readonly position: () => number
  /** Records that wait. */
  readonly waiting: () => number
  readonly detail: () => ReadonlyArray<LaneDetail>
}

interface Waiting {
  readonly batch: RecordBatch
  readonly row: number
  readonly offset: number
  readonly envelope: Envelope
}

interface Lane {
  line: Array<Waiting>
  head: number
  /** Offsets below it were taken, or belong to others. */
  readTo: number
  /** While nothing of it waits: what comes next has at least this stamp. */
  clock: number
  idle: boolean
  ended: boolean
  /** It was too far ahead: read again from `readTo` on. */
  parked: boolean
}

const restoredLane = (detail: LaneDetail | undefined, start: number, bounded: boolean): Lane => {
  const [next, clock, idle, ended] = detail ?? [start, null, 0, 0]
  return {
    line: [],
    head: 0,
    readTo: next,
    clock: clock ?? Number.NEGATIVE_INFINITY,
    idle: idle === 1 && !bounded,
    ended: ended === 1,
    parked: false
  }
}

export interface LanesParts {
  readonly shape: LaneShape
  /** Without event time there is nothing to wait for: records go as they come. */
  readonly timed: boolean
  readonly restored: ReadonlyArray<LaneDetail> | undefined
  /** The input ends: a lane that a live run left idle is waited for like any other. */
  readonly bounded?: boolean
  /** Where a lane that is not restored begins. */
  readonly start: number
  readonly recordsHeldMax?: number
  /** By input, the port of the stage that its records enter by; absent: there is one. */
  readonly portOf?: ReadonlyArray<number>
}

const recordsHeldMaxDefault = 50_000
const bytesHeldMax = 64 * 1_048_576

/** Gathers what is given, by port. */
const makeGiving = (portOf: ReadonlyArray<number>) => {
  const ports = Array.from({ length: Math.max(0, ...portOf) + 1 }, () => ({
    builder: makeRecordBuilder(),
    eventTimes: new Array<number>(),
    watermarks: new Array<number>(),
    places: new Array<number>()
  }))
  let runs: Array<PortRun> = []
  let length = 0
  let last = 0
  const takePort = ({ builder, eventTimes, places, watermarks }: (typeof ports)[number]): StampedBatch | undefined => {
    if (places.length === 0) return undefined
    return {
      ...builder.take(),
      offsets: Float64Array.from(places.splice(0)),
      timestamps: new Float64Array(eventTimes.length),
      eventTimes: Float64Array.from(eventTimes.splice(0)),
      watermarks: Float64Array.from(watermarks.splice(0))
    }
  }
  return {
    length: () => length,
    add: ({ batch, envelope, row }: Waiting) => {
      const port = portOf[envelope.input] ?? 0
      const { builder, eventTimes, places, watermarks } = ports[port]!
      const run = runs.at(-1)
      if (run?.port === port) run.to++
      else runs.push({ port, from: places.length, to: places.length + 1 })
      builder.addRange(batch.bytes, batch.valueStarts[row]! + envelopeBytes, batch.valueEnds[row]!, -1, -1)
      eventTimes.push(envelope.eventTime)
      watermarks.push(envelope.watermark)
      places.push(envelope.place)
      last = envelope.place
      length++
    },
    take: (): GivenRecords | undefined => {
      if (length === 0) return undefined
      const given = { batches: ports.map(takePort), runs, length, place: last }
      runs = []
      length = 0
      return given
    }
  }
}

export const makeLanes = (parts: LanesParts): Lanes => {
  const { bounded = false, portOf = [], restored, shape, start, timed } = parts
  const { recordsHeldMax = recordsHeldMaxDefault } = parts
  const bases = shape.map((_, input) => shape.slice(0, input).reduce((sum, shards) => sum + shards, 0))
  const lanes = Array.from({ length: shape.reduce((sum, shards) => sum + shards, 0) }, (_, index) =>
    restoredLane(restored?.[index], start, bounded)
  )
  const builder = makeRecordBuilder()
  const giving = makeGiving(portOf)
  let held = 0
  let heldBytes = 0
  const bytesOf = ({ batch, row }: Waiting) => batch.valueEnds[row]! - batch.valueStarts[row]!

  const isEmpty = ({ head, line }: Lane) => head === line.length
  const isSilent = (lane: Lane) => isEmpty(lane) && !lane.parked && (lane.idle || lane.ended)
  const clockOf = (lane: Lane) => lane.line[lane.head]?.envelope.watermark ?? lane.clock

  const takeRow = (batch: RecordBatch, row: number, view: DataView) => {
    const offset = batch.offsets[row]!
    const envelope = readEnvelope(view, batch.valueStarts[row]!, batch.valueEnds[row]!)
    const lane = envelope.shard < shape[envelope.input]! ? lanes[bases[envelope.input]! + envelope.shard] : undefined
    if (lane === undefined) throw new EnvelopeError("was written for another set of sources")
    if (lane.parked || offset < lane.readTo) return
    if (envelope.control) {
      lane.clock = Math.max(lane.clock, envelope.watermark)
      lane.idle = envelope.idle
      lane.ended = envelope.ended
      return
    }
    lane.idle = false
    lane.ended = false
    lane.clock = Math.max(lane.clock, envelope.watermark)
    const waiting = { batch, row, offset, envelope }
    lane.line.push(waiting)
    held++
    heldBytes += bytesOf(waiting)
  }

  /** The lane whose next record may come first, and up to where it may go on before another's turn. */
  const firstLane = () => {
    let first = -1
    let second = -1
    let clock = Number.POSITIVE_INFINITY
    let other = Number.POSITIVE_INFINITY
    for (const [index, lane] of lanes.entries()) {
      if (isSilent(lane) || (!timed && isEmpty(lane))) continue
      const own = clockOf(lane)
      if (first < 0 || own < clock) {
        second = first
        other = clock
        first = index
        clock = own
      } else if (second < 0 || own < other) {
        second = index
        other = own
      }
    }
    return { first, clock, second, other }
  }

  const shift = (lane: Lane): Waiting => {
    const next = lane.line[lane.head++]!
    held--
    heldBytes -= bytesOf(next)
    if (isEmpty(lane)) {
      lane.line = []
      lane.head = 0
    } else if (lane.head > 1024 && lane.head * 2 > lane.line.length) {
      lane.line = lane.line.slice(lane.head)
      lane.head = 0
    }
    return next
  }

  const give = (max: number): GivenRecords | undefined => {
    while (giving.length() < max) {
      const { first, other, second } = firstLane()
      const lane = lanes[first]
      if (lane === undefined || isEmpty(lane)) break
      while (giving.length() < max && !isEmpty(lane)) {
        const stamp = clockOf(lane)
        if (second >= 0 && (stamp > other || (stamp === other && first > second))) break
        giving.add(shift(lane))
      }
    }
    return giving.take()
  }

  /** What waits keeps no batch in memory that most of is gone of. */
  const copyWaiting = (batch: RecordBatch) => {
    // what came last stands last
    const from = lanes.map(({ head, line }) => {
      let at = line.length
      while (at > head && line[at - 1]!.batch === batch) at--
      return at
    })
    const waiting = lanes.flatMap(({ line }, index) => line.slice(from[index]))
    if (waiting.length === 0 || waiting.length * 2 > batch.length) return
    for (const { row } of waiting) builder.addRange(batch.bytes, batch.valueStarts[row]!, batch.valueEnds[row]!, -1, -1)
    const none = new Float64Array(waiting.length)
    const copy: RecordBatch = { ...builder.take(), offsets: none, timestamps: none }
    let row = 0
    for (const [index, { line }] of lanes.entries())
      for (let at = from[index]!; at < line.length; at++) line[at] = { ...line[at]!, batch: copy, row: row++ }
  }

  /** Forgets what waits of the lanes that are furthest ahead. */
  const park = () => {
    while (held > recordsHeldMax || (heldBytes > bytesHeldMax && held > 1)) {
      // some have what waits
      const ahead = lanes
        .filter((lane) => !isEmpty(lane))
        .reduce((most, lane) => (clockOf(lane) >= clockOf(most) ? lane : most))
      const { envelope, offset } = ahead.line[ahead.head]!
      for (const each of ahead.line.slice(ahead.head)) heldBytes -= bytesOf(each)
      held -= ahead.line.length - ahead.head
      ahead.clock = envelope.watermark
      ahead.readTo = offset
      ahead.parked = true
      // what came after is read again with the rest
      ahead.idle = false
      ahead.ended = false
      ahead.line = []
      ahead.head = 0
    }
  }
  let last: RecordBatch | undefined
  return {
    take: (batch) => {
      const { buffer, byteLength, byteOffset } = batch.bytes
      const view = new DataView(buffer, byteOffset, byteLength)
      for (let row = 0; row < batch.length; row++) takeRow(batch, row, view)
      last = batch
    },
    give,
    readOn: (next) => {
      for (const lane of lanes) if (!lane.parked) lane.readTo = Math.max(lane.readTo, next)
      if (last !== undefined) copyWaiting(last)
      last = undefined
      park()
      const { first } = firstLane()
      const lane = lanes[first]
      if (lane === undefined || !lane.parked) return next
      lane.parked = false
      // others have not come further than `next`
      return Math.min(next, lane.readTo)
    },
    watermark: () => {
      const { clock, first } = firstLane()
      if (first >= 0) return clock
      // nothing more can come: who came to its end first must not matter
      if (lanes.every(({ ended }) => ended)) return Math.max(...lanes.map((lane) => lane.clock))
      // all fell silent together: time has come as far as the least of those that ever had a record
      const known = lanes.flatMap((lane) => (lane.idle && Number.isFinite(lane.clock) ? [lane.clock] : []))
      return known.length === 0 ? undefined : Math.min(...known)
    },
    silent: () => lanes.every(isSilent),
    ended: () => lanes.every((lane) => isSilent(lane) && lane.ended),
    position: () =>
      lanes.reduce(
        (least, lane) => Math.min(least, lane.line[lane.head]?.offset ?? lane.readTo),
        Number.POSITIVE_INFINITY
      ),
    waiting: () => held,
    detail: () =>
      lanes.map((lane): LaneDetail => {
        const waiting = lane.line[lane.head]
        const clock = clockOf(lane)
        const known = Number.isFinite(clock) ? clock : null
        const silent = isSilent(lane)
        return [waiting?.offset ?? lane.readTo, known, silent && lane.idle ? 1 : 0, silent && lane.ended ? 1 : 0]
      })
  }
}
