/**
 * The generated code of what a stage writes: records that pass unchanged, and the stamp of those that go through a repartition.
 *
 * Part of `CompileStage`. Where it can, the loop only notes the row of a record that passes, and writes them all when it has
 * ended: what copies a record, written out for each output, made up a good part of the loop, and Bun's last compiler takes the
 * longer the more there is.
 */
import type { ColumnAccess } from "@frazil/core"
import type { TopicRef } from "../flow/Node.ts"
import type { PlannedOperator, StagePlan } from "../plan/StagePlan.ts"
import type { PassedRows } from "./CompileRun.ts"

interface PassEmitter {
  readonly plan: StagePlan
  readonly source: TopicRef
  readonly columns: ColumnAccess
  readonly passed: Array<PassedRows>
}

/** What hands on rows and nothing else: what comes of them stays in their order. */
const ofRows = new Set(["source", "eventTime", "filter", "route", "branch", "keyBy", "merge"])

const takesRows = ({ operators }: Pick<StagePlan, "operators">, { id }: PlannedOperator): boolean =>
  operators.every(
    (each) => !each.consumers.includes(id) || (ofRows.has(each.node.op) && takesRows({ operators }, each))
  )

/** Whether the output gets rows only, from here alone and in their order, so that they may be written together. */
const waits = (plan: StagePlan, operator: PlannedOperator): boolean =>
  plan.ports.length === 1 &&
  plan.operators.filter(
    ({ node, output }) => (node.op === "to" || node.op === "orDeadLetter") && output === operator.output
  ).length === 1 &&
  takesRows(plan, operator)

/** The record of the row, as it came; its key is a column's text. */
export const passCode = (
  { columns, passed, plan, source }: PassEmitter,
  operator: PlannedOperator,
  topic: TopicRef
): string => {
  const { id, output } = operator
  const field = topic.key[0]
  const range = field === undefined ? "-1, -1" : columns.range(field).join(", ")
  if (!waits(plan, operator)) return `context.outputs[${output}].pass(batch.source, i, batch.bytes, ${range});`
  const noted = passed.find((each) => each.operator === id)
  if (noted === undefined) {
    const key = field === undefined ? undefined : source.shape.byName.get(field)?.index
    passed.push({ operator: id, output, key, times: 1 })
  } else noted.times++
  return `passed${id}[count${id}++] = i;`
}

/** What is written with a record: its time, how far time had come, and where it came from. */
export const stampCode = ({ eventTimeField }: StagePlan): string =>
  `${
    eventTimeField === undefined ? "NaN, -Infinity" : "eventTime - shift, Math.max(before, Math.min(eventTime, clock))"
  }, context.placeBase + (i < 0 ? context.firedAt : batch.source.offsets[i])`
