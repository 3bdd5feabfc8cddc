/**
 * One stage of a job: everything between a topic that is read and the topics that are written, as data.
 *
 * `planJob` makes it without any I/O; the code generator, the interpreter and the tasks read it.
 */
import type { CheckedExpr, FieldSpec, RecordShape } from "@frazil/core"
import type { AnyRecord, DiskStore, LookupService, Node, NodeOf, StateDeclaration, TopicRef } from "../flow/Node.ts"
import type { Origins } from "../repartition/Place.ts"
import type { AskPolicy } from "../lookup/LookupPolicy.ts"
import type { KeyedPlan } from "../keyed/KeyedPlan.ts"
import type { JoinPlan } from "../join/JoinPlan.ts"
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
  /** filter: one; extend: one for each field; route: one for each branch, undefined for otherwise; decide: one for each condition; pattern: one for each step; joinSide: what deletes. */
  readonly computed: ReadonlyArray<PlannedComputed | undefined>
  /** Index of `StagePlan.outputs`, for `to` and `orDeadLetter`; of `StagePlan.repartitions`, for `repartition`. */
  readonly output: number
  /** Index of `StagePlan.states`, for `mapWithState`; of `StagePlan.windows`, for `window`; of `StagePlan.patterns`, for `pattern`; of `StagePlan.joins`, for `join`; of `StagePlan.keyed`, for `deduplicate`, `topN` and `process`; of `StagePlan.lookups`, for `lookup`; of `StagePlan.tables`, for `joinTable`. */
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
  /** Its rows are on disk; undefined: in memory. */
  readonly store?: DiskStore
}

/** An internal topic that the stage writes. */
export interface PlannedRepartition {
  /** The `keyBy`'s. */
  readonly name: string
  readonly topic: TopicRef
  /** Which of the inputs of the stage that reads it. */
  readonly input: number
  /** What windows before it hold time back by, milliseconds. */
  readonly heldMs: number
}

/** A `Flow.total`. */
export interface PlannedTotal {
  readonly name: string
  /** What is added up; undefined: records are only counted. */
  readonly field: FieldSpec | undefined
}

/** Where records enter a stage: one, but where the sides of a join come through one internal topic. */
export interface PlannedPort {
  /** The topic that is read, with the fields that its records have here. */
  readonly source: TopicRef
  /** Index of `StagePlan.operators`. */
  readonly operator: number
}

export interface StagePlan {
  /** The job's name. */
  readonly uid: string
  /** The stage's name: its source topic, or the internal topic that it reads. */
  readonly name: string
  /** The first port's. */
  readonly source: TopicRef
  readonly ports: ReadonlyArray<PlannedPort>
  /** Inputs before consumers; the first are the ports'. */
  readonly operators: ReadonlyArray<PlannedOperator>
  /** Undefined when the flow has no event time; behind a repartition the time is stamped, and the field only tells that. */
  readonly eventTimeField: string | undefined
  readonly outOfOrdernessMs: number
  readonly idleAfterMs: number
  /** A record that is further ahead of its partition does not move the watermark. */
  readonly leadMs: number
  readonly outputs: ReadonlyArray<TopicRef>
  readonly states: ReadonlyArray<PlannedState>
  readonly windows: ReadonlyArray<WindowPlan>
  readonly patterns: ReadonlyArray<PatternPlan>
  readonly keyed: ReadonlyArray<KeyedPlan>
  /** Something in it goes by the clock. */
  readonly clocked: boolean
  readonly joins: ReadonlyArray<JoinPlan>
  /** Those above others come first. */
  readonly lookups: ReadonlyArray<PlannedLookup>
  readonly tables: ReadonlyArray<PlannedTable>
  readonly repartitions: ReadonlyArray<PlannedRepartition>
  readonly totals: ReadonlyArray<PlannedTotal>
  /** The source is an internal topic: what the stages read that write it, in the order of inputs. Undefined: it is none. */
  readonly writers: ReadonlyArray<string> | undefined
  /** With it, by input: the port that its records enter by. */
  readonly portOfInput: ReadonlyArray<number>
  /** The job's sources. */
  readonly origins: Origins
}

/** Whether an operator is the branch with that name. */
export const isBranch = ({ node }: PlannedOperator, name: string): boolean =>
  node.op === "branch" && node.branch === name

/** Which branches of a route lead somewhere, as indexes of its branches. */
export const branchesUsed = (
  { operators }: StagePlan,
  { consumers }: PlannedOperator,
  { branches }: NodeOf<"route">
): ReadonlyArray<number> =>
  branches.flatMap(([name], index) => (consumers.some((id) => isBranch(operators[id]!, name)) ? [index] : []))

/** Whether epochs of the stage have deltas. */
export const isStateful = ({ joins, keyed, lookups, patterns, states, tables, windows }: StagePlan): boolean =>
  states.length + windows.length + patterns.length + joins.length + keyed.length + lookups.length + tables.length > 0

/** Whether event time brings results without a record, which the ledger may have to do with. */
export const isTimed = ({ joins, keyed, patterns, windows }: StagePlan): boolean =>
  windows.length + patterns.length + joins.length + keyed.length > 0
