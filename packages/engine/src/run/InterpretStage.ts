/**
 * The slow twin of `CompileStage`: walks a stage's operators for one record, on objects.
 *
 * It runs rows whose decimals do not fit a double, and `Stage.equivalence.test.ts` compares the compiled stage with it.
 * Written for obviousness, not speed.
 */
import { interpretValue, type ColumnBatch } from "@frazil/core"
import type { AnyFailed, AnyRecord } from "../flow/Node.ts"
import { isBranch, type PlannedComputed, type PlannedOperator, type StagePlan } from "../plan/StagePlan.ts"
import { passesUnchanged } from "../plan/PassThrough.ts"
import type { InFlight } from "../lookup/InFlight.ts"
import { makeStateKey } from "./StateKey.ts"
import { cellValueOf } from "../window/Accumulator.ts"
import type { TakenPane } from "../window/WindowState.ts"
import type { StageContext } from "./StageProgram.ts"

/** Where a record is while it is walked through the operators. */
interface Visit {
  /** Undefined, and the row −1, for what a window gave and for what a lookup was asked about. */
  readonly batch: ColumnBatch | undefined
  readonly row: number
  readonly context: StageContext
  readonly now: number
  readonly eventTime: number
  /** Before this record. */
  readonly watermark: number
  /** The record as it was read, or as the window gave it. */
  readonly read: AnyRecord
  /** The record is still that one. */
  readonly unchanged: boolean
}

type Step = (record: AnyRecord, visit: Visit) => void

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

export const interpretRow = (plan: StagePlan): RowInterpreter => {
  const source = stepOf(plan, 0)
  return (batch, row, context, now, eventTime, watermark) => {
    const read = context.record(batch, row)
    source(read, { batch, row, context, now, eventTime, watermark, read, unchanged: true })
  }
}

/** Takes a result at its event time, or what has timed out. */
type TakeResult = (read: AnyRecord, at: number, timedOut?: boolean) => void

/** What follows a window for its results, or a pattern for its matches and for what has timed out. */
export const interpretResult = (
  plan: StagePlan,
  operator: PlannedOperator
): ((context: StageContext, now: number) => TakeResult) => {
  const { consumers, node, state } = operator
  const latenessMs = node.op === "window" ? plan.windows[state]!.spec.allowedLatenessMs : 0
  const branched = node.op === "pattern" && node.timeouts
  const stepsOf = (name: string) =>
    consumers
      .filter((consumer) => !branched || isBranch(plan.operators[consumer]!, name))
      .map((consumer) => stepOf(plan, consumer))
  const matched = stepsOf("matched")
  const timed = stepsOf("timedOut")
  return (context, now) =>
    (read, at, timedOut = false) => {
      const time = { eventTime: at, watermark: at - latenessMs }
      for (const step of timedOut ? timed : matched)
        step(read, { batch: undefined, row: -1, context, now, ...time, read, unchanged: false })
    }
}

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
    const visit: Visit = { batch: undefined, row: -1, context, now, eventTime, watermark, read, unchanged: false }
    if (outcome?._tag === "Answered") {
      const answer: AnyRecord = as === undefined ? { ...outcome.answer } : { [as]: outcome.answer }
      for (const step of next) step({ ...entry.record, ...answer }, visit)
    } else if (outcome?._tag === "Failed") failed(outcome.failed, visit)
    else context.threw(undefined, -1, operator.name, outcome?.error)
  }
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
  const guarded = (visit: Visit, code: () => void) => {
    let thrown: { readonly error: unknown } | undefined
    try {
      code()
    } catch (error) {
      thrown = { error }
    }
    if (thrown !== undefined) visit.context.threw(visit.batch, visit.row, operator.name, thrown.error)
    return thrown === undefined
  }
  const { node } = operator
  switch (node.op) {
    case "filter": {
      const condition = test(operator.computed[0]!)
      return (record, visit) => {
        let keep = false
        if (guarded(visit, () => (keep = condition(record)))) if (keep) forward(record, visit)
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
        if (guarded(visit, () => (taken = branches.find(({ condition }) => condition(record)))))
          for (const step of taken?.steps ?? []) step(record, visit)
      }
    }
    case "decide": {
      const conditions = operator.computed.map((computed) => test(computed!))
      return (record, visit) => {
        for (const [condition, holds] of conditions.entries()) {
          if (!holds(record)) continue
          let decision: AnyRecord = record
          const { batch, context, row } = visit
          const place = {
            topic: plan.source.name,
            partition: context.partition,
            offset: batch?.source.offsets[row] ?? context.firedAt
          }
          if (guarded(visit, () => (decision = node.decider.decide(condition, record, place)))) changed(decision, visit)
        }
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
    case "to":
      return (record, visit) => {
        const output = visit.context.outputs[operator.output]!
        if (visit.unchanged && passesUnchanged(plan.source, node.topic))
          passUnchanged(output, visit, node.topic.key, plan)
        else guarded(visit, () => output.record(record))
      }
    case "validate":
      return (_, visit) => void visit.context.validated++
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
  const { accumulators } = plan.windows[operator.state]!
  const emitOf = interpretResult(plan, operator)
  return (record, visit) => {
    const { context, eventTime, watermark } = visit
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
      else if (addRecord !== undefined) guarded(visit, () => addRecord(to, record))
      else if (field !== undefined) add(to, cellValueOf(record, field.name), eventTime, offset)
    }
    if (pane.firstEnd > watermark) return
    context.firedAt = offset
    window.update(watermark, emitOf(context, visit.now))
  }
}

const patternStep = (
  plan: StagePlan,
  operator: PlannedOperator,
  guarded: (visit: Visit, code: () => void) => boolean
): Step => {
  const keyOf = makeStateKey(operator)
  const { coded, strict } = plan.patterns[operator.state]!
  const conditions = operator.computed.map((computed) => (computed?._tag === "Expr" ? test(computed) : undefined))
  return (record, visit) => {
    const { batch, context, eventTime, read, row, watermark } = visit
    // no pattern lies behind what gives records of its own
    if (batch === undefined) return
    const pattern = context.patterns[operator.state]!
    let mask = coded
    let key = ""
    const found = guarded(visit, () => {
      for (const [step, holds] of conditions.entries()) if (holds?.(record) === true) mask |= 1 << step
      key = keyOf(record, read)
    })
    if (!found || (mask === 0 && !strict)) return
    const reason = pattern.refusal(eventTime, watermark)
    if (reason === undefined) pattern.hold(key, eventTime, mask, batch, row, record, record !== read)
    else
      context.enter(batch, row, { operator: operator.name, reason, key, eventTime, latenessMs: watermark - eventTime })
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
        }
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
  const start = batch.source.valueStarts[row]!
  const end = batch.source.valueEnds[row]!
  const field = key.length === 1 ? plan.source.shape.byName.get(key[0]!) : undefined
  const column = field === undefined ? undefined : batch.columns[field.index]
  if (column?._tag === "Bytes") output.pass(batch.bytes, start, end, column.starts[row]!, column.ends[row]!)
  else output.pass(batch.bytes, start, end, -1, -1)
}
