// The stage as its slow twin runs it, row by row.
import type { StagePlan } from "../../src/plan/StagePlan.ts"
import type { StampedBatch } from "../../src/repartition/Lanes.ts"
import {
  interpretAnswer,
  interpretJoined,
  interpretKept,
  interpretResult,
  interpretRow
} from "../../src/run/InterpretStage.ts"
import { isKeyedNode } from "../../src/keyed/KeyedPlan.ts"
import { filteredBlock } from "../../src/run/FilteredCounts.ts"
import { afterLead } from "../../src/run/Lead.ts"
import type { StageContext, StageProgram } from "../../src/run/StageProgram.ts"
import { clockAt } from "../../src/run/VisitClock.ts"

/** Rows so far that only the twin takes. */
export const slowRows = { wide: 0 }

/** Every valid row through the row interpreter, with event time and watermark as `Flow.eventTime` describes them. */
export const slowStage = (plan: StagePlan): StageProgram => {
  const interpreters = plan.ports.map((_, port) => interpretRow(plan, port))
  const windows = plan.operators
    .filter(({ node }) => node.op === "window")
    .map((operator) => ({ state: operator.state, emit: interpretResult(plan, operator) }))
  const patterns = plan.operators
    .filter(({ node }) => node.op === "pattern")
    .map((operator) => ({ state: operator.state, emit: interpretResult(plan, operator) }))
  const keyed = plan.operators
    .filter(({ node }) => isKeyedNode(node))
    .map((operator) => ({ state: operator.state, emit: interpretKept(plan, operator) }))
  const joins = plan.operators
    .filter(({ node }) => node.op === "join")
    .map((operator) => ({ state: operator.state, emit: interpretJoined(plan, operator) }))
  const answers = plan.lookups.map(({ operator }) => interpretAnswer(plan, plan.operators[operator]!))
  const fire = (context: StageContext, now: number, watermark: number, before: number) => {
    for (const { emit, state } of windows) {
      const window = context.windows[state]!
      if (watermark >= window.nextAt && !plan.windows[state]!.clocked)
        window.fire(watermark, emit(context, now, before, watermark))
    }
    for (const { emit, state } of patterns)
      context.patterns[state]!.advance(watermark, context, emit(context, now, before, watermark))
    for (const { emit, state } of joins) context.joins[state]!.advance(watermark, context, emit(context, now))
    for (const { emit, state } of keyed) {
      const operator = context.keyed[state]!
      if (operator.due(watermark))
        operator.advance(watermark, context, emit(context, now, { before, now: watermark, shiftMs: 0 }))
    }
  }
  const field = plan.eventTimeField
  /** Behind a repartition time comes with the record, and moves first. */
  const runStamped: StageProgram["run"] = (batch, context, now, from, to) => {
    const { eventTimes, offsets, watermarks } = batch.source as StampedBatch // what lanes give
    const interpret = interpreters[context.port]!
    for (let row = from; row < to; row++) {
      if (batch.valid[row] === 0) continue
      const before = context.time.maxEventTime
      context.time.maxEventTime = Math.max(before, watermarks[row]!)
      context.firedAt = offsets[row]!
      if (watermarks[row]! > before) fire(context, now, watermarks[row]!, before)
      interpret(batch, row, context, now, eventTimes[row]!, context.time.maxEventTime)
    }
  }
  return {
    // records of all fields
    reads: [],
    run: (batch, context, now, from, to) => {
      if (plan.writers !== undefined) return runStamped(batch, context, now, from, to)
      const interpret = interpreters[0]! // a source has one port
      for (let row = from; row < to; row++) {
        const offset = batch.source.offsets[row]!
        if (offset % filteredBlock === 0) context.filtered.cut(offset)
        if (batch.valid[row] === 0) continue
        slowRows.wide += batch.wide[row]!
        const eventTime = field === undefined ? Number.NaN : Number(context.record(batch, row)[field])
        const before = context.time.maxEventTime - plan.outOfOrdernessMs
        interpret(batch, row, context, now, eventTime, before)
        const { lead, time } = context
        context.firedAt = batch.source.offsets[row]!
        if (eventTime > time.maxEventTime && eventTime >= time.maxEventTime + plan.leadMs && time.maxEventTime > 0) {
          time.maxEventTime = afterLead(batch, row, context, plan.name, eventTime)
        } else {
          lead.inRow = 0
          time.maxEventTime = Math.max(time.maxEventTime, eventTime)
        }
        fire(context, now, time.maxEventTime - plan.outOfOrdernessMs, before)
      }
    },
    advance: fire,
    advanceClock: (context, now) => {
      const { clock, time } = context
      const watermark = time.maxEventTime - plan.outOfOrdernessMs
      for (const { emit, state } of windows) {
        const window = context.windows[state]!
        if (clock.at >= window.nextAt && plan.windows[state]!.clocked)
          window.fire(clock.at, emit(context, now, watermark, watermark))
      }
      for (const { emit, state } of keyed)
        context.keyed[state]!.advanceClock(watermark, context, emit(context, now, clockAt(watermark)))
    },
    close: (context, now, before) => {
      const end = Number.POSITIVE_INFINITY
      for (const { emit, state } of windows) context.windows[state]!.close(emit(context, now, before, end))
      for (const { emit, state } of patterns) context.patterns[state]!.close(context, emit(context, now, before, end))
      for (const { emit, state } of joins) context.joins[state]!.close(context, emit(context, now))
      for (const { emit, state } of keyed)
        context.keyed[state]!.close(context, emit(context, now, { before, now: end, shiftMs: 0 }))
    },
    answer: (lookup, entry, context, now) => answers[lookup]!(entry, context, now)
  }
}
