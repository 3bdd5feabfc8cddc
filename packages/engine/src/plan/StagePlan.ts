/**
 * One stage of a job: everything between a topic that is read and the topics that are written, as data.
 *
 * `planJob` makes it without any I/O; the code generator, the interpreter and the tasks read it.
 */
import type { CheckedExpr, RecordShape } from "@frazil/core"
import type { AnyRecord, LookupService, Node, StateDeclaration, TopicRef } from "../flow/Node.ts"
import type { AskPolicy } from "../lookup/LookupPolicy.ts"
import type { PatternPlan } from "../pattern/PatternPlan.ts"
import type { WindowPlan } from "../window/WindowPlan.ts"

/** A condition or value ready to run: an expression checked against the record's shape, or code. */
export type PlannedComputed =
  | { readonly _tag: "Expr"; readonly checked: CheckedExpr }
  | { readonly _tag: "Code"; readonly fn: (record: AnyRecord) => unknown }

/** An operator of a stage; ids are indexes of `StagePlan.operators`. */
export interface PlannedOperator {
  readonly id: number
  readonly name: string
  readonly node: Node
  readonly consumers: ReadonlyArray<number>
  /** What is known of the records that come in; undefined after code made them. */
  readonly shape: RecordShape | undefined
  /** filter: one; extend: one for each field; route: one for each branch, undefined for otherwise; decide: one for each condition; pattern: one for each step. */
  readonly computed: ReadonlyArray<PlannedComputed | undefined>
  /** Index of `StagePlan.outputs`, for `to` and `orDeadLetter`. */
  readonly output: number
  /** Index of `StagePlan.states`, for `mapWithState`; of `StagePlan.windows`, for `window`; of `StagePlan.patterns`, for `pattern`; of `StagePlan.lookups`, for `lookup`; of `StagePlan.tables`, for `joinTable`. */
  readonly state: number
  /** The fields that key the flow here. */
  readonly key: ReadonlyArray<string>
}

export interface PlannedState {
  readonly name: string
  readonly declaration: StateDeclaration
}

export interface PlannedLookup {
  readonly name: string
  /** Index of `StagePlan.operators`. */
  readonly operator: number
  readonly service: LookupService
  readonly keyOf: (record: AnyRecord) => unknown
  readonly policy: AskPolicy
  /** Indexes of the lookups that its answers may come to. */
  readonly below: ReadonlyArray<number>
  /** Records come to it without passing another lookup. */
  readonly first: boolean
}

/** A table that the stage joins with; its joins share it. */
export interface PlannedTable {
  readonly topic: TopicRef
  /** Of its state. */
  readonly name: string
  /** All that is taken of it; nothing else is kept. */
  readonly fields: ReadonlyArray<string>
}

export interface StagePlan {
  /** The job's name. */
  readonly uid: string
  /** The stage's name: its source topic. */
  readonly name: string
  readonly source: TopicRef
  /** Inputs before consumers; the first is the source. */
  readonly operators: ReadonlyArray<PlannedOperator>
  /** Undefined when the flow has no event time. */
  readonly eventTimeField: string | undefined
  readonly outOfOrdernessMs: number
  readonly idleAfterMs: number
  /** A record that is further ahead of its partition does not move the watermark. */
  readonly leadMs: number
  readonly outputs: ReadonlyArray<TopicRef>
  readonly states: ReadonlyArray<PlannedState>
  readonly windows: ReadonlyArray<WindowPlan>
  readonly patterns: ReadonlyArray<PatternPlan>
  /** Those above others come first. */
  readonly lookups: ReadonlyArray<PlannedLookup>
  readonly tables: ReadonlyArray<PlannedTable>
}

/** Whether an operator is the branch with that name. */
export const isBranch = ({ node }: PlannedOperator, name: string): boolean =>
  node.op === "branch" && node.branch === name

/** Whether epochs of the stage have deltas. */
export const isStateful = ({ lookups, patterns, states, tables, windows }: StagePlan): boolean =>
  states.length + windows.length + patterns.length + lookups.length + tables.length > 0
