/**
 * The slow twin of `CompileStage`: walks a stage's operators record by record, on objects.
 *
 * It runs rows whose decimals do not fit a double, and it is what tests compare the compiled stage with. Written for
 * obviousness, not speed.
 */
import { interpretValue, type ColumnBatch } from "@frazil/core"
import type { AnyFailed, AnyRecord } from "../flow/Node.ts"
import type { PlannedComputed, PlannedOperator, StagePlan } from "../plan/StagePlan.ts"
import { passesUnchanged } from "../plan/PassThrough.ts"
import { watermarkOf } from "../state/Watermark.ts"
import { keyTextOf } from "./Collector.ts"
import type { StageContext, StageProgram } from "./StageProgram.ts"

/** Where a record is while it is walked through the operators. */
interface Visit {
  readonly batch: ColumnBatch
  readonly row: number
  readonly context: StageContext
  readonly now: number
  readonly eventTime: number
  /** Before this record. */
  readonly watermark: number
  /** The record is still the one that was read. */
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
  return (batch, row, context, now, eventTime, watermark) =>
    source(context.record(batch, row), { batch, row, context, now, eventTime, watermark, unchanged: true })
}

export const interpretStage = (plan: StagePlan): StageProgram => {
  const interpret = interpretRow(plan)
  const time = plan.eventTimeField === undefined ? undefined : plan.source.shape.byName.get(plan.eventTimeField)
  return {
    run: (batch, context, now) => {
      const column = time === undefined ? undefined : batch.columns[time.index]
      for (let row = 0; row < batch.length; row++) {
        if (batch.valid[row] === 0) continue
        const eventTime = column?._tag === "Numbers" ? column.values[row]! : Number.NaN
        interpret(batch, row, context, now, eventTime, watermarkOf(context.time, plan.outOfOrdernessMs))
        if (eventTime > context.time.maxEventTime) context.time.maxEventTime = eventTime
      }
    }
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
        const extended: Record<string, unknown> = { ...record }
        const done = guarded(visit, () => {
          for (const [name, value] of values) extended[name] = value(record)
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
        const made: Array<AnyRecord> = []
        if (guarded(visit, () => made.push(...node.fn(record)))) for (const each of made) changed(each, visit)
      }
    case "mapResult":
      return (record, visit) => {
        let result: ReturnType<typeof node.fn> | undefined
        if (!guarded(visit, () => (result = node.fn(record))) || result === undefined) return
        if (result._tag === "Success") changed(result.success, visit)
        else failed(asFailed(result.failure, record, visit.now), visit)
      }
    case "route": {
      const branches = operator.consumers.map((consumer) => plan.operators[consumer]!)
      const conditions = node.branches.map(([name], index) => {
        const computed = operator.computed[index]
        const at = branches.findIndex((branch) => branch.node.op === "branch" && branch.node.branch === name)
        return { condition: computed === undefined ? () => true : test(computed), step: next[at] }
      })
      return (record, visit) => {
        let taken: (typeof conditions)[number] | undefined
        if (guarded(visit, () => (taken = conditions.find(({ condition }) => condition(record)))))
          taken?.step?.(record, visit)
      }
    }
    case "mapWithState":
      return (record, visit) => {
        const state = visit.context.states[operator.state]!
        const key = keyTextOf({ ...plan.source, key: operator.key }, record)
        if (key === null) return
        let made: ReadonlyArray<AnyRecord> = []
        const done = guarded(visit, () => {
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

/** Where the failures of an operator go: the first handler for their tag down the line. */
const failureStep = (plan: StagePlan, from: PlannedOperator): ((failed: AnyFailed, visit: Visit) => void) => {
  const follow = (id: number | undefined): ((failed: AnyFailed, visit: Visit) => void) => {
    const operator = id === undefined ? undefined : plan.operators[id]
    if (operator === undefined) return () => {}
    const further = follow(operator.consumers[0])
    const { node } = operator
    if (node.op === "catch") {
      const next = operator.consumers.map((consumer) => stepOf(plan, consumer))
      return (failed, visit) => {
        const handler = node.handlers.get(failed._tag)
        if (handler === undefined) return further(failed, visit)
        let made: AnyRecord | undefined
        try {
          made = handler(failed)
        } catch (error) {
          visit.context.threw(visit.batch, visit.row, operator.name, error)
        }
        if (made !== undefined) for (const step of next) step(made, { ...visit, unchanged: false })
      }
    }
    if (node.op === "orDeadLetter") {
      const { make } = node
      return (failed, visit) => {
        if (make === undefined) return visit.context.deadLetter(visit.batch, visit.row, failed, node.topic.name)
        try {
          visit.context.outputs[operator.output]!.record(make(failed))
        } catch (error) {
          visit.context.threw(visit.batch, visit.row, operator.name, error)
        }
      }
    }
    return further
  }
  return from.node.op === "mapResult" ? follow(from.consumers[0]) : () => {}
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
  const start = batch.source.valueStarts[row]!
  const end = batch.source.valueEnds[row]!
  const field = key.length === 1 ? plan.source.shape.byName.get(key[0]!) : undefined
  const column = field === undefined ? undefined : batch.columns[field.index]
  if (column?._tag === "Bytes") output.pass(batch.bytes, start, end, column.starts[row]!, column.ends[row]!)
  else output.pass(batch.bytes, start, end, -1, -1)
}
