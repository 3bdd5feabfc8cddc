/**
 * A pattern ready to run: its conditions by bit, what may follow each step, and what breaks it.
 *
 * `PlanJob` makes it; state, compiler and interpreter read it. A set of steps is a number with a bit for each.
 */
import { createHash } from "node:crypto"
import type { FieldSpec, RecordShape } from "@frazil/core"
import type { AnyRecord, DiskStore, NodeOf } from "../flow/Node.ts"
import type { PlannedComputed } from "../plan/StagePlan.ts"
import {
  type CheckedCondition,
  compileLinked,
  fieldsKept,
  isLinked,
  type LinkedCondition,
  ownPart
} from "./LinkedCondition.ts"
import type { PatternSpec, StepSpec } from "./Pattern.ts"

/** Bits of a number, without its sign. */
export const conditionsMax = 31

/** A condition as code has it: of the record and what earlier steps took. */
export type CodeCondition = (record: AnyRecord, earlier: AnyRecord) => unknown

export interface PlannedStep extends StepSpec {
  /** What only code can tell; undefined: the bit in a record's mask says it. */
  readonly code: CodeCondition | undefined
  /** An expression over earlier steps; asked where the bit in the record's mask says that it may hold. */
  readonly linked: LinkedCondition | undefined
  /** Steps that may come after its last record. */
  readonly after: number
  /** Nothing has to come after its last record. */
  readonly last: boolean
  /** Negative steps between it and the step before. */
  readonly nots: number
}

export interface PatternPlan {
  /** The operator's name. */
  readonly name: string
  readonly spec: PatternSpec
  readonly key: ReadonlyArray<FieldSpec>
  readonly steps: ReadonlyArray<PlannedStep>
  /** Conditions that code decides. */
  readonly coded: number
  /** Conditions over earlier steps. */
  readonly linked: number
  /** What is asked of a record by itself, by step; undefined: it may be the step's, whatever it is. */
  readonly alone: ReadonlyArray<CheckedCondition | undefined>
  /** The fields that linked conditions read. */
  readonly kept: ReadonlyArray<FieldSpec>
  /** Some step is strict: every record of the key counts, whatever it is. */
  readonly strict: boolean
  /** Negative steps at the end: a match is one when `within` is over. */
  readonly trailing: number
  readonly timeouts: boolean
  /** What keys have open is on disk; undefined: in memory. */
  readonly store?: DiskStore
  /** A hash of what the state was made by: another one cannot read it. */
  readonly shape: string
}

const bitsOf = (steps: ReadonlyArray<unknown>, holds: (index: number) => boolean): number =>
  steps.reduce<number>((bits, _, index) => (holds(index) ? bits | (1 << index) : bits), 0)

/** Negative steps right before the step with that index. */
const notsBefore = (steps: ReadonlyArray<StepSpec>, index: number): number => {
  let bits = 0
  for (let at = index - 1; at >= 0 && steps[at]!.negative; at--) bits |= 1 << at
  return bits
}

const planStep = (
  steps: ReadonlyArray<StepSpec>,
  index: number,
  computed: PlannedComputed | undefined,
  input: RecordShape
): PlannedStep => {
  const condition = conditionOf(computed)
  let after = 0
  let last = true
  for (let at = index + 1; at < steps.length && last; at++) {
    if (steps[at]!.negative) continue
    after |= 1 << at
    last = steps[at]!.optional
  }
  return {
    ...steps[index]!,
    // a step's function takes what `StepCondition` says
    code: computed?._tag === "Code" ? (computed.fn as CodeCondition) : undefined,
    linked: condition !== undefined && isLinked(condition) ? compileLinked(condition, steps, input) : undefined,
    after,
    last,
    nots: notsBefore(steps, index)
  }
}

const conditionOf = (computed: PlannedComputed | undefined): CheckedCondition | undefined =>
  computed?._tag === "Expr" && computed.checked.result === "boolean" ? computed.checked : undefined

/** `input` has the fields of the key: a job that was made was checked. `computed` are the conditions, by step. */
export const planPattern = (
  name: string,
  node: NodeOf<"pattern">,
  input: RecordShape,
  computed: ReadonlyArray<PlannedComputed | undefined>
): PatternPlan => {
  const { pattern: spec } = node
  const steps = spec.steps.map((_, index) => planStep(spec.steps, index, computed[index], input))
  const conditions = computed.map(conditionOf)
  const linked = conditions.flatMap((condition) => (condition !== undefined && isLinked(condition) ? [condition] : []))
  const told = steps.map(({ condition, code: _, linked: __, ...step }) => ({
    ...step,
    condition: condition._tag === "Expr" ? condition.expr.source : "code"
  }))
  return {
    name,
    spec,
    key: node.key.map((field) => input.byName.get(field)!),
    steps,
    coded: bitsOf(steps, (index) => steps[index]!.code !== undefined),
    linked: bitsOf(steps, (index) => steps[index]!.linked !== undefined),
    alone: conditions.map((condition) =>
      condition !== undefined && isLinked(condition) ? ownPart(condition) : condition
    ),
    kept: fieldsKept(linked, input),
    strict: steps.some(({ consecutive, strict }) => strict || consecutive),
    trailing: notsBefore(spec.steps, spec.steps.length),
    timeouts: node.timeouts,
    ...(node.store === undefined ? {} : { store: node.store }),
    shape: createHash("sha256")
      .update(JSON.stringify([node.key, told, spec.withinMs, spec.skip]))
      .digest("hex")
      .slice(0, 16)
  }
}
