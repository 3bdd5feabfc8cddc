/**
 * The slow twin of `CompileStage`: walks a stage's operators for one record, on objects.
 *
 * It runs rows whose decimals do not fit a double, and `Stage.equivalence.test.ts` compares the compiled stage with it.
 * Written for obviousness, not speed.
 */
import { interpretCondition, interpretValue, type ColumnBatch } from "@frazil/core"
import type { AnyFailed, AnyRecord, NodeOf } from "../flow/Node.ts"
import { sameFields } from "../plan/SameFields.ts"
import { resultShiftMs } from "../plan/Stages.ts"
import { originOf } from "../repartition/Place.ts"
import { isBranch, type PlannedComputed, type PlannedOperator, type StagePlan } from "../plan/StagePlan.ts"
import { passesUnchanged } from "../plan/PassThrough.ts"
import type { EmitKeyed } from "../keyed/KeyedOperator.ts"
import { makeKeyedKey } from "../keyed/KeyText.ts"
import type { InFlight } from "../lookup/InFlight.ts"
import { joinSideStep, takeJoined } from "./InterpretJoin.ts"
import { makeStateKey } from "./StateKey.ts"
import { clockAt, type VisitClock } from "./VisitClock.ts"
import { cellValueOf } from "../window/Cells.ts"
import type { TakenPane } from "../window/WindowState.ts"
import type { StageContext } from "./StageProgram.ts"

/** Where a record is while it is walked through the operators. */
export interface Visit {
  /** Undefined, and the row −1, for what a window gave and for what a lookup was asked about. */
  readonly batch: ColumnBatch | undefined
  readonly row: number
  readonly context: StageContext
  readonly now: number
  readonly eventTime: number
  /** Before this record. */
  readonly watermark: number
  readonly clock: VisitClock
  /** The record as it was read, or as the window gave it. */
  readonly read: AnyRecord
  /** The record is still that one. */
  readonly unchanged: boolean
}

export type Step = (record: AnyRecord, visit: Visit) => void

/** One row: what the compiled stage calls for rows that it does not take itself. */
export type RowInterpreter = (
  batch: ColumnBatch,
  row: number,
  context: StageContext,
  now: number,
  eventTime: number,
  watermark: number
) => void

const evaluate = (computed: PlannedComputed): ((record: AnyRecord) => unknown) =>
  computed._tag === "Code" ? computed.fn : interpretValue(computed.checked)

const test = (computed: PlannedComputed): ((record: AnyRecord) => boolean) => {
  const value = evaluate(computed)
  return (record) => value(record) === true
}

/** A row that came by the port. */
export const interpretRow = (plan: StagePlan, port = 0): RowInterpreter => {
  const { operator, source: topic } = plan.ports[port]!
  // whatever asks for the fields of a row asks for those of the port that it came by
  const source = stepOf({ ...plan, source: topic }, operator)
  return (batch, row, context, now, eventTime, watermark) => {
    const read = context.record(batch, row)
    const clock = clockAt(watermark)
    source(read, { batch, row, context, now, eventTime, watermark, clock, read, unchanged: true })
  }
}

/** Takes a result at its event time, or what has timed out. */
type TakeResult = (read: AnyRecord, at: number, timedOut?: boolean) => void

/** What follows a window for its results, or a pattern for its matches and for what has timed out. */
export const interpretResult = (
  plan: StagePlan,
  operator: PlannedOperator
): ((context: StageContext, now: number, before: number, clock: number) => TakeResult) => {
  const { consumers, node, state } = operator
  const shiftMs = node.op === "window" ? resultShiftMs : 0
  const latenessMs = node.op === "window" ? plan.windows[state]!.spec.allowedLatenessMs : 0
  const branched = node.op === "pattern" && node.timeouts
  const stepsOf = (name: string) =>
    consumers
      .filter((consumer) => !branched || isBranch(plan.operators[consumer]!, name))
      .map((consumer) => stepOf(plan, consumer))
  const matched = stepsOf("matched")
  const timed = stepsOf("timedOut")
  return (context, now, before, clock) =>
    (read, at, timedOut = false) => {
      const time = { eventTime: at, watermark: at - latenessMs, clock: { before, now: clock, shiftMs } }
      for (const step of timedOut ? timed : matched)
        step(read, { batch: undefined, row: -1, context, now, ...time, read, unchanged: false })
    }
}

/** What follows a join, for its results. */
export const interpretJoined = (plan: StagePlan, operator: PlannedOperator) =>
  takeJoined(stepOf(plan, operator.id), operator)

/** What follows a lookup, for a record that has its outcome. */
export const interpretAnswer = (
  plan: StagePlan,
  operator: PlannedOperator
): ((entry: InFlight, context: StageContext, now: number) => void) => {
  const next = operator.consumers.map((consumer) => stepOf(plan, consumer))
  const failed = failureStep(plan, operator)
  const as = operator.node.op === "lookup" ? operator.node.as : undefined
  return (entry, context, now) => {
    const { eventTime, outcome, read, watermark } = entry
    const time = { eventTime, watermark, clock: clockAt(watermark) }
    const visit: Visit = { batch: undefined, row: -1, context, now, ...time, read, unchanged: false }
    if (outcome?._tag === "Answered") {
      const answer: AnyRecord = as === undefined ? { ...outcome.answer } : { [as]: outcome.answer }
      for (const step of next) step({ ...entry.record, ...answer }, visit)
    } else if (outcome?._tag === "Failed") failed(outcome.failed, visit)
    else context.threw(undefined, -1, operator.name, outcome?.error)
  }
}

/** No condition held, and the record goes no further. */
const leftOut = ({ name }: PlannedOperator, { batch, context, row }: Visit) => {
  const offset = batch === undefined ? context.firedAt : batch.source.offsets[row]!
  context.filtered.add(name, 1, offset, offset)
}

const stepOf = (plan: StagePlan, id: number): Step => {
  const operator = plan.operators[id]!
  const next = operator.consumers.map((consumer) => stepOf(plan, consumer))
  const forward: Step = (record, visit) => {
    for (const step of next) step(record, visit)
  }
  const changed = (record: AnyRecord, visit: Visit) => forward(record, { ...visit, unchanged: false })
  const failed = failureStep(plan, operator)
  /** Runs code that may throw; its record goes to the dead letter when it does. */
  const guarded = (visit: Visit, code: () => void, name = operator.name) => {
    let thrown: { readonly error: unknown } | undefined
    try {
      code()
    } catch (error) {
      thrown = { error }
    }
    if (thrown !== undefined) visit.context.threw(visit.batch, visit.row, name, thrown.error)
    return thrown === undefined
  }
  const { node } = operator
  switch (node.op) {
    case "filter": {
      const condition = test(operator.computed[0]!)
      return (record, visit) => {
        let keep = false
        if (guarded(visit, () => (keep = condition(record)))) {
          if (keep) forward(record, visit)
          else leftOut(operator, visit)
        }
      }
    }
    case "extend": {
      const values = node.fields.map(([name], index) => [name, evaluate(operator.computed[index]!)] as const)
      return (record, visit) => {
        let extended: AnyRecord = record
        const done = guarded(visit, () => {
          // defined, not assigned: a field may be named as an accessor that every object inherits
          const made = values.map(([name, value]) => [name, value(record)] as const)
          extended = { ...record, ...Object.fromEntries(made) }
        })
        if (done) changed(extended, visit)
      }
    }
    case "stamp":
      return (record, visit) => changed({ ...record, [node.field]: visit.now }, visit)
    case "map":
      return (record, visit) => {
        let made: AnyRecord = record
        if (guarded(visit, () => (made = node.fn(record)))) changed(made, visit)
      }
    case "flatMap":
      return (record, visit) => {
        let made: ReadonlyArray<AnyRecord> = []
        if (guarded(visit, () => (made = [...node.fn(record)]))) for (const each of made) changed(each, visit)
      }
    case "mapResult":
      return (record, visit) => {
        let made: AnyRecord = record
        let failure: AnyFailed | undefined
        const done = guarded(visit, () => {
          const result = node.fn(record)
          if (result._tag === "Success") made = result.success
          else failure = asFailed(result.failure, record, visit.now)
        })
        if (!done) return
        if (failure === undefined) changed(made, visit)
        else failed(failure, visit)
      }
    case "route": {
      const branches = node.branches.map(([name], index) => {
        const computed = operator.computed[index]
        // a branch may be used by nobody, or under two names
        const steps = next.filter((_, at) => {
          const consumer = plan.operators[operator.consumers[at]!]!.node
          return consumer.op === "branch" && consumer.branch === name
        })
        return { condition: computed === undefined ? () => true : test(computed), steps }
      })
      return (record, visit) => {
        let taken: (typeof branches)[number] | undefined
        if (guarded(visit, () => (taken = branches.find(({ condition }) => condition(record))))) {
          for (const step of taken?.steps ?? []) step(record, visit)
          if (taken === undefined || taken.steps.length === 0) leftOut(operator, visit)
        }
      }
    }
    case "decide": {
      const conditions = operator.computed.map((computed) => test(computed!))
      return (record, visit) => {
        let held = false
        for (const [condition, holds] of conditions.entries()) {
          if (!holds(record)) continue
          held = true
          let decision: AnyRecord = record
          const { batch, context, row } = visit
          const offset = batch?.source.offsets[row] ?? context.firedAt
          const place =
            plan.writers === undefined
              ? { topic: plan.source.name, partition: context.partition, offset }
              : originOf(plan.origins, offset)
          if (guarded(visit, () => (decision = node.decider.decide(condition, record, place)))) changed(decision, visit)
        }
        if (!held) leftOut(operator, visit)
      }
    }
    case "mapWithState": {
      const keyOf = makeStateKey(operator)
      return (record, visit) => {
        const state = visit.context.states[operator.state]!
        let made: ReadonlyArray<AnyRecord> = []
        const done = guarded(visit, () => {
          const key = keyOf(record, visit.read)
          const before = state.get(key, Math.max(visit.eventTime, visit.watermark))
          const [after, records] = node.state.update(before, record, {
            eventTime: visit.eventTime,
            watermark: visit.watermark
          })
          made = records
          state.set(key, after, visit.eventTime)
        })
        if (done) for (const each of made) changed(each, visit)
      }
    }
    case "lookup":
      return (record, visit) => {
        let key: unknown
        if (!guarded(visit, () => (key = node.keyOf(record)))) return
        const { batch, context, eventTime, read, row, watermark } = visit
        context.ask(operator.state, batch, row, read, record, key, eventTime, watermark)
      }
    case "joinTable":
      return (record, visit) => {
        const row = visit.context.tables[operator.state]!.get(record[node.on])
        const taken = node.take.map((name) => [name, row === undefined ? null : row[name]] as const)
        changed({ ...record, ...Object.fromEntries(taken) }, visit)
      }
    case "window":
      return windowStep(plan, operator, guarded)
    case "pattern":
      return patternStep(plan, operator, guarded)
    case "deduplicate":
    case "topN":
    case "process":
      return keyedStep(plan, operator, guarded)
    case "joinSide": {
      const [deletes] = operator.computed
      const deleted = deletes === undefined ? () => false : test(deletes)
      // several when a join is used under two names
      const steps = operator.consumers.map((consumer) => {
        const join = plan.operators[consumer]!
        return joinSideStep(operator, join, node.side, deleted, guarded, interpretJoined(plan, join))
      })
      return (record, visit) => {
        for (const step of steps) step(record, visit)
      }
    }
    case "to":
      return (record, visit) => {
        const output = visit.context.outputs[operator.output]!
        if (visit.unchanged && passesUnchanged(plan.source, node.topic))
          passUnchanged(output, visit, node.topic.key, plan)
        else guarded(visit, () => output.record(record))
      }
    case "repartition":
      return (record, visit) => void guarded(visit, () => writeRepartition(plan, operator, node, record, visit))
    case "validate":
      return node.total === undefined
        ? (_, visit) => void visit.context.validated++
        : (record, visit) => void guarded(visit, () => visit.context.totals[operator.state]!.addRecord(record))
    default:
      return forward
  }
}

const windowStep = (
  plan: StagePlan,
  operator: PlannedOperator,
  guarded: (visit: Visit, code: () => void) => boolean
): Step => {
  const keyOf = makeStateKey(operator)
  const { accumulators, clocked } = plan.windows[operator.state]!
  const emitOf = interpretResult(plan, operator)
  return (record, visit) => {
    const { context } = visit
    // by the clock, a record is where the clock has come to
    const eventTime = clocked ? context.clock.at : visit.eventTime
    const watermark = clocked ? context.clock.at : visit.watermark
    const window = context.windows[operator.state]!
    let key = ""
    let pane: TakenPane | undefined
    const found = guarded(visit, () => {
      key = keyOf(record, visit.read)
      pane = window.paneOf(key, eventTime, watermark)
    })
    if (!found) return
    const { batch, row } = visit
    const reason = window.refusal
    // no window lies behind another
    if (batch === undefined) return
    if (reason !== undefined) {
      context.enter(batch, row, {
        operator: operator.name,
        reason,
        key,
        eventTime,
        latenessMs: watermark - eventTime
      })
    }
    if (pane === undefined) return
    const offset = batch.source.offsets[row]!
    const to = pane
    for (const { add, addRecord, declaration, field } of accumulators) {
      if (declaration.kind === "offsets") add(to, offset, eventTime, offset)
      else if (addRecord !== undefined) guarded(visit, () => addRecord(to, record, eventTime, offset))
      else if (field !== undefined) add(to, cellValueOf(record, field.name), eventTime, offset)
    }
    if (pane.firstEnd > watermark) return
    context.firedAt = offset
    window.update(watermark, emitOf(context, visit.now, watermark, watermark))
  }
}

const patternStep = (
  plan: StagePlan,
  operator: PlannedOperator,
  guarded: (visit: Visit, code: () => void) => boolean
): Step => {
  const keyOf = makeStateKey(operator)
  const { alone, strict } = plan.patterns[operator.state]!
  const conditions = alone.map((checked) => (checked === undefined ? () => true : interpretCondition(checked)))
  return (record, visit) => {
    const { batch, context, eventTime, read, row, watermark } = visit
    // no pattern lies behind what gives records of its own
    if (batch === undefined) return
    const pattern = context.patterns[operator.state]!
    let mask = 0
    let key = ""
    const found = guarded(visit, () => {
      for (const [step, holds] of conditions.entries()) if (holds(record)) mask |= 1 << step
      key = keyOf(record, read)
    })
    if (!found || (mask === 0 && !strict)) return
    const reason = pattern.refusal(eventTime, watermark)
    if (reason === undefined)
      pattern.hold(pattern.keyOf(key), eventTime, mask, batch, row, context.port, record, record !== read, false)
    else
      context.enter(batch, row, { operator: operator.name, reason, key, eventTime, latenessMs: watermark - eventTime })
  }
}

/** What follows a keyed operator for what comes of a record, or of time. */
export const interpretKept = (
  plan: StagePlan,
  operator: PlannedOperator
): ((context: StageContext, now: number, clock: VisitClock, of?: Visit) => EmitKeyed) => {
  const steps = operator.consumers.map((consumer) => stepOf(plan, consumer))
  return (context, now, clock, of) => (read, at, row) => {
    const made = { context, now, read, unchanged: false }
    const visit: Visit =
      row < 0 || of === undefined
        ? { ...made, batch: undefined, row: -1, eventTime: at, watermark: at, clock }
        : { ...of, ...made }
    for (const step of steps) step(read, visit)
  }
}

const keyedStep = (
  plan: StagePlan,
  operator: PlannedOperator,
  guarded: (visit: Visit, code: () => void) => boolean
): Step => {
  const keyOf = makeKeyedKey(operator, plan.keyed[operator.state]!.fields)
  const emitOf = interpretKept(plan, operator)
  return (record, visit) => {
    const { batch, context, eventTime, now, read, row, watermark } = visit
    // no such operator lies behind what gives records of its own
    if (batch === undefined) return
    let key = ""
    if (!guarded(visit, () => (key = keyOf(record, read)))) return
    const input = { key, record, changed: record !== read, batch, row, port: context.port, eventTime, watermark }
    context.keyed[operator.state]!.take(input, context, emitOf(context, now, visit.clock, visit))
  }
}

/** Where the failures of an operator go: the first handler for their tag down the line. */
const failureStep = (plan: StagePlan, from: PlannedOperator): ((failed: AnyFailed, visit: Visit) => void) => {
  const follow = (id: number | undefined): ((failed: AnyFailed, visit: Visit) => void) => {
    const operator = id === undefined ? undefined : plan.operators[id]
    // the types let no failure end without a handler; one that does is not lost
    if (operator === undefined) return (failed, visit) => visit.context.deadLetter(visit.batch, visit.row, failed, -1)
    const further = follow(operator.consumers[0])
    const { node } = operator
    if (node.op === "catch") {
      const next = operator.consumers.map((consumer) => stepOf(plan, consumer))
      return (failed, visit) => {
        const handler = node.handlers.get(failed._tag)
        if (handler === undefined) return further(failed, visit)
        let made: AnyRecord = failed.record
        try {
          made = handler(failed)
        } catch (error) {
          visit.context.threw(visit.batch, visit.row, operator.name, error)
          return
        }
        for (const step of next) step(made, { ...visit, unchanged: false })
      }
    }
    if (node.op === "orDeadLetter") {
      const { make } = node
      return (failed, visit) => {
        if (make === undefined) return visit.context.deadLetter(visit.batch, visit.row, failed, operator.output)
        try {
          visit.context.outputs[operator.output]!.record(make(failed))
        } catch (error) {
          visit.context.threw(visit.batch, visit.row, operator.name, error)
          return
        }
        visit.context.failed(visit.batch, visit.row, operator.output)
      }
    }
    return further
  }
  return from.node.op === "mapResult" || from.node.op === "lookup" ? follow(from.consumers[0]) : () => {}
}

/** A failure as it travels beside the records. */
export const asFailed = (
  error: { readonly _tag: string; readonly message: string },
  record: AnyRecord,
  now: number
): AnyFailed => ({
  _tag: error._tag,
  error,
  record,
  attempts: 1,
  failed_at: now
})

const passUnchanged = (
  output: StageContext["outputs"][number],
  visit: Visit,
  key: ReadonlyArray<string>,
  plan: StagePlan
) => {
  const { batch, row } = visit
  // a window's result is never unchanged
  if (batch === undefined) return
  const field = key.length === 1 ? plan.source.shape.byName.get(key[0]!) : undefined
  const column = field === undefined ? undefined : batch.columns[field.index]
  if (column?._tag === "Bytes") output.pass(batch.source, row, batch.bytes, column.starts[row]!, column.ends[row]!)
  else output.pass(batch.source, row, batch.bytes, -1, -1)
}

const writeRepartition = (
  { eventTimeField, source }: StagePlan,
  operator: PlannedOperator,
  { fields, topic }: NodeOf<"repartition">,
  record: AnyRecord,
  { batch, clock, context, eventTime, row, unchanged }: Visit
) => {
  const writer = context.repartitions[operator.output]!
  const timed = eventTimeField !== undefined
  const at = timed ? eventTime - clock.shiftMs : Number.NaN
  const watermark = timed ? Math.max(clock.before, Math.min(eventTime, clock.now)) : Number.NEGATIVE_INFINITY
  const place = context.placeBase + (batch?.source.offsets[row] ?? context.firedAt)
  const field = fields.length === 1 ? source.shape.byName.get(fields[0]!) : undefined
  const column = field === undefined ? undefined : batch?.columns[field.index]
  const passes = unchanged && batch !== undefined && sameFields(source.shape, topic.shape)
  if (!passes || field?.type._tag !== "Text" || column?._tag !== "Bytes")
    return writer.record(record, at, watermark, place)
  const { valueEnds, valueStarts } = batch.source
  const [keyStart, keyEnd] = [column.starts[row]!, column.ends[row]!]
  writer.pass(batch.bytes, valueStarts[row]!, valueEnds[row]!, keyStart, keyEnd, at, watermark, place)
}
