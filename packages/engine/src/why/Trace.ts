/**
 * Follows one record down a stage as the interpreter does, and says how far it gets by itself: which conditions let it pass,
 * which operators with a memory it comes to, which topics it is written to.
 *
 * It changes nothing and asks nobody. Operators that remember (windows, patterns, state, joins, lookups) end the way: what
 * they made of the record only they and the ledger know. A table's fields are null here.
 */
import type { ColumnBatch } from "@frazil/core"
import type { TopicRef } from "../flow/Node.ts"
import type { StagePlan } from "../plan/StagePlan.ts"
import { interpretRow } from "../run/InterpretStage.ts"
import type { StageContext } from "../run/StageProgram.ts"

export interface TraceStep {
  readonly what: "left out" | "came to" | "written" | "threw"
  readonly operator: string
  /** Written to. */
  readonly topic: string | undefined
  /** Of a pattern: steps whose condition holds, or that only earlier steps can tell of. */
  readonly fits?: ReadonlyArray<string>
}

/** Ends the way of a record at an operator with state, whose code would run on. */
class EndOfWay extends Error {}

/** The steps of a row, in the order in which the operators ran. */
export type Tracer = (batch: ColumnBatch, row: number, eventTime: number) => ReadonlyArray<TraceStep>

export const makeTracer = (plan: StagePlan, record: StageContext["record"]): Tracer => {
  const interpret = interpretRow(plan)
  let steps: Array<TraceStep> = []
  const step = (what: TraceStep["what"], operator: string, topic?: string) => void steps.push({ what, operator, topic })
  const namesOf = (op: string) => {
    const names: Array<string> = []
    for (const { name, node, state } of plan.operators) if (node.op === op) names[state] = name
    return names
  }
  const output = (topic: TopicRef) => ({
    topic,
    record: () => step("written", topic.name, topic.name),
    pass: () => step("written", topic.name, topic.name)
  })
  const windows = namesOf("window")
  const joins = namesOf("join")
  const lookups = namesOf("lookup")
  const patterns = namesOf("pattern")
  // what a record meets of a shard, and no more: the interpreter calls nothing else for a row
  const context = {
    partition: 0,
    outputs: plan.outputs.map(output),
    repartitions: plan.repartitions.map(({ name, topic }) => ({
      topic,
      record: () => step("came to", name, topic.name),
      pass: () => step("came to", name, topic.name)
    })),
    placeBase: 0,
    states: plan.states.map(() => ({
      get: () => {
        throw new EndOfWay()
      }
    })),
    windows: plan.windows.map((_, at) => ({ refusal: undefined, paneOf: () => step("came to", windows[at]!) })),
    patterns: plan.patterns.map(({ steps: all }, at) => ({
      refusal: () => undefined,
      keyOf: () => 0,
      hold: (_key: number, _time: number, mask: number) => {
        const fits = all.flatMap(({ name }, bit) => ((mask & (1 << bit)) === 0 ? [] : [name]))
        steps.push({ what: "came to", operator: patterns[at]!, topic: undefined, fits })
      }
    })),
    keyed: plan.keyed.map(({ name }) => ({ take: () => step("came to", name) })),
    joins: plan.joins.map((_, at) => ({ take: () => step("came to", joins[at]!) })),
    tables: plan.tables.map(() => ({ get: () => undefined })),
    lookups: [],
    clock: { at: 0 },
    time: { maxEventTime: Number.NEGATIVE_INFINITY, idle: false },
    filtered: { add: (operator: string) => step("left out", operator) },
    answering: undefined,
    judging: undefined,
    firedAt: 0,
    validated: 0,
    record,
    threw: (_batch: unknown, _row: number, operator: string, error: unknown) =>
      step(error instanceof EndOfWay ? "came to" : "threw", operator),
    deadLetter: (_batch: unknown, _row: number, _failed: unknown, at: number) =>
      step("written", "dead letter", plan.outputs[at]?.name),
    failed: () => {},
    ask: (lookup: number) => step("came to", lookups[lookup]!),
    enter: () => {}
  } as unknown as StageContext
  return (batch, row, eventTime) => {
    steps = []
    interpret(batch, row, context, 0, eventTime, Number.NEGATIVE_INFINITY)
    // a pattern that no condition of holds is not even asked
    if (steps.length === 0) for (const pattern of patterns) step("left out", pattern)
    return steps
  }
}
