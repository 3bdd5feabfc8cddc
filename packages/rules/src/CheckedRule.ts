/**
 * A rule that makes sense for its topic: everything typed and resolved, ready to run, to explain and to test.
 *
 * `Check.ts` makes it; `Plan.ts`, `Evaluate.ts` and `Trace.ts` read it. What it holds was checked: later steps refuse nothing.
 */
import type { BoolNode, CheckedExpr, FieldSpec, RecordShape, Topic } from "@frazil/core"
import type { Schema } from "effect"
import type { RuleDocument } from "./Rule.ts"
import type { Template } from "./Template.ts"

/** A topic that rules may be about. */
export type RuleTopic = Pick<Topic<never>, "name" | "shape" | "key" | "eventTime" | "partitions"> & {
  readonly schema: Schema.Top
}

export type CheckedCondition = CheckedExpr & { readonly result: "boolean"; readonly tree: BoolNode }

export interface CheckedAggregate {
  readonly name: string
  readonly function: "count" | "sum" | "avg" | "min" | "max" | "distinct"
  /** Undefined for count. */
  readonly field: FieldSpec | undefined
  /** Only records for which it holds. */
  readonly where: CheckedCondition | undefined
  readonly valuesMax: number
}

export interface CheckedWindow {
  readonly sizeMs: number
  readonly everyMs: number
  readonly allowedLatenessMs: number
  readonly aggregates: ReadonlyArray<CheckedAggregate>
}

export interface CheckedRule {
  readonly file: string
  readonly document: RuleDocument
  readonly topic: RuleTopic
  /** What the condition is asked of: the topic's records, or a window's results. */
  readonly shape: RecordShape
  /** With the rule's effective times. */
  readonly condition: CheckedCondition
  /** The fields that the author's condition reads. */
  readonly reads: ReadonlyArray<FieldSpec>
  readonly key: FieldSpec
  readonly message: Template
  /** Undefined for row rules. */
  readonly window: CheckedWindow | undefined
}
