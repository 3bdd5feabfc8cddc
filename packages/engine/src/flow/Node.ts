/**
 * What a flow is made of: one frozen node per operator, linked to its inputs.
 *
 * Operators make nodes, `Job.make` walks them once; the plan, the lineage, the interpreter and the code generator read
 * them and nothing else. A node used twice is one operator with two consumers.
 */
import type { Expr, RecordShape, Topic } from "@frazil/core"
import type { Context, Schema } from "effect"
import type { FailureKind, LookupFailure, LookupShape } from "../lookup/Lookup.ts"
import type { LookupPolicy } from "../lookup/LookupPolicy.ts"
import type { Decider } from "./Decider.ts"
import type { ProcessSpec } from "../keyed/ProcessSpec.ts"
import type { JoinSpec, MakeJoined, Side } from "../join/Join.ts"
import type { PatternSpec } from "../pattern/Pattern.ts"
import type { AggregateDeclaration } from "../window/Aggregate.ts"
import type { WindowSpec } from "../window/Window.ts"

/** A record inside the engine, where the record's type is known only to the flow that declared it. */
export type AnyRecord = Readonly<Record<string, unknown>>

/** A topic whose record type no longer matters. */
export type TopicRef = Pick<Topic<never>, "name" | "shape" | "key" | "keyElse" | "eventTime" | "partitions"> & {
  readonly schema: Schema.Top
}

/** A condition or a value: an expression, or code. */
export type Computed =
  | { readonly _tag: "Expr"; readonly expr: Expr<never, unknown> }
  | { readonly _tag: "Code"; readonly fn: (record: AnyRecord) => unknown }

/** A failure beside the record as it was where it failed. */
export interface Failed<out Err, out In> {
  readonly _tag: Err extends { readonly _tag: infer Tag } ? Tag : never
  readonly error: Err
  readonly record: In
  readonly attempts: number
  /** Epoch milliseconds, from the clock; left out of parity hashes. */
  readonly failed_at: number
}

export type AnyFailed = Failed<{ readonly _tag: string; readonly message: string }, AnyRecord> & {
  readonly _tag: string
}

/** What `mapWithState` is told about the record's time. */
export interface TimeContext {
  /** The record's event time, epoch milliseconds; NaN when its flow has none. */
  readonly eventTime: number
  /** The shard's watermark before this record, epoch milliseconds; −Infinity at the start. */
  readonly watermark: number
}

interface Base {
  readonly name: string | undefined
  readonly inputs: ReadonlyArray<Node>
}

export type Node =
  | (Base & { readonly op: "source"; readonly topic: TopicRef })
  | (Base & {
      readonly op: "eventTime"
      readonly field: string
      readonly outOfOrdernessMs: number
      readonly idleAfterMs: number
      readonly leadMs: number
    })
  | (Base & { readonly op: "filter"; readonly condition: Computed })
  | (Base & { readonly op: "extend"; readonly fields: ReadonlyArray<readonly [string, Computed]> })
  | (Base & { readonly op: "stamp"; readonly field: string })
  | (Base & {
      readonly op: "map"
      readonly fn: (record: AnyRecord) => AnyRecord
      /** What it makes; undefined: nobody says. */
      readonly shape: RecordShape | undefined
      readonly schema?: Schema.Top
    })
  | (Base & {
      readonly op: "flatMap"
      readonly fn: (record: AnyRecord) => Iterable<AnyRecord>
      /** As a map's. */
      readonly shape: RecordShape | undefined
      readonly schema?: Schema.Top
    })
  | (Base & { readonly op: "mapResult"; readonly fn: (record: AnyRecord) => MapResult })
  | (Base & { readonly op: "route"; readonly branches: ReadonlyArray<readonly [string, Computed | undefined]> })
  | (Base & { readonly op: "branch"; readonly branch: string })
  | (Base & {
      readonly op: "keyBy"
      readonly fields: ReadonlyArray<string>
      /** What is said about the topic that the records may go through; undefined: nothing. */
      readonly repartition?: { readonly forced: boolean; readonly partitions: number | undefined }
    })
  /** Several flows as one. */
  | (Base & { readonly op: "merge" })
  /** In a plan only: where a stage writes to an internal topic. */
  | (Base & { readonly op: "repartition"; readonly topic: TopicRef; readonly fields: ReadonlyArray<string> })
  | (Base & { readonly op: "mapWithState"; readonly state: StateDeclaration })
  | (Base & {
      readonly op: "window"
      /** The fields that key the flow here. */
      readonly key: ReadonlyArray<string>
      readonly window: WindowSpec
      readonly aggregates: ReadonlyArray<readonly [name: string, AggregateDeclaration]>
      readonly store?: DiskStore
    })
  | (Base & {
      readonly op: "pattern"
      /** The fields that key the flow here. */
      readonly key: ReadonlyArray<string>
      readonly pattern: PatternSpec
      /** Its consumers are the branches `matched` and `timedOut`. */
      readonly timeouts: boolean
      readonly store?: DiskStore
    })
  | (Base & {
      readonly op: "lookup"
      readonly service: LookupService
      /** The key's field, or "code". */
      readonly key: string
      readonly keyOf: (record: AnyRecord) => unknown
      /** The field that takes the answer; undefined: its fields become the record's. */
      readonly as: string | undefined
      readonly policy: LookupPolicy
    })
  | (Base & {
      readonly op: "joinTable"
      readonly table: TopicRef
      /** The field that holds the table's key. */
      readonly on: string
      /** Fields of the table. */
      readonly take: ReadonlyArray<string>
      readonly store?: DiskStore
    })
  | (Base & {
      readonly op: "deduplicate"
      readonly keep: "first" | "last"
      /** Fields that are the key together with those that key the flow. */
      readonly fields: ReadonlyArray<string>
      readonly ttlMs: number
      readonly keysMax: number
      readonly recordsHeldMax: number
      readonly store?: DiskStore
    })
  | (Base & {
      readonly op: "topN"
      readonly n: number
      readonly by: string
      readonly order: "desc" | "asc"
      readonly ttlMs: number
      readonly keysMax: number
      readonly store?: DiskStore
    })
  | (Base & { readonly op: "process"; readonly spec: ProcessSpec; readonly store?: DiskStore })
  | (Base & {
      /** Where records enter the join that it is an input of. */
      readonly op: "joinSide"
      readonly side: Side
      /** The kind of its join. */
      readonly of: JoinSpec["_tag"]
      /** Which records say that their key has none any more. */
      readonly deleted: Computed | undefined
    })
  | (Base & {
      /** Its inputs are its two sides. */
      readonly op: "join"
      /** The fields that key both sides. */
      readonly key: ReadonlyArray<string>
      readonly join: JoinSpec
      /** Undefined, without `fields` too: the result has the fields of both. */
      readonly make: MakeJoined | undefined
      /** Expressions over `left` and `right` that make the result. */
      readonly fields?: ReadonlyArray<readonly [string, Computed]> | undefined
      readonly store?: DiskStore
    })
  | (Base & { readonly op: "decide"; readonly decider: Decider<AnyRecord, AnyRecord> })
  | (Base & { readonly op: "catch"; readonly handlers: ReadonlyMap<string, (failed: AnyFailed) => AnyRecord> })
  | (Base & {
      readonly op: "orDeadLetter"
      readonly topic: TopicRef
      /** Undefined: the standard dead-letter record. */
      readonly make: ((failed: AnyFailed) => AnyRecord) | undefined
    })
  | (Base & { readonly op: "to"; readonly topic: TopicRef })
  | (Base & {
      readonly op: "validate"
      /** What is added up of the records that come here; undefined: nothing. */
      readonly total?: { readonly sum: string | undefined }
    })

export type NodeOf<Op extends Node["op"]> = Extract<Node, { readonly op: Op }>

/** A lookup service whose types only its flow knows. */
export type LookupService = Context.Key<unknown, LookupShape<unknown, object, LookupFailure>> & {
  readonly declaration: {
    readonly answer: Schema.Codec<object, unknown>
    readonly failures: Readonly<Record<string, FailureKind | ((failure: LookupFailure) => FailureKind)>>
    readonly timeout: (message: string) => LookupFailure
    readonly unavailable: (message: string) => LookupFailure
  }
}

/** What a failable function of `mapResult` answers, as Effect's Result has it. */
export type MapResult =
  | { readonly _tag: "Success"; readonly success: AnyRecord }
  | { readonly _tag: "Failure"; readonly failure: { readonly _tag: string; readonly message: string } }

/** State on disk, with a cache in front. */
export interface DiskStore {
  /** Of the cache of one shard. */
  readonly cacheBytesMax: number
}

/** Keyed value state of one operator. */
export interface StateDeclaration {
  readonly schema: Schema.Codec<unknown, unknown>
  readonly initial: () => unknown
  /** Event time after which an entry that was not written again is forgotten. */
  readonly ttlMs: number
  /** On disk, with so much in memory; undefined: in memory. */
  readonly store?: DiskStore
  readonly update: (
    state: unknown,
    record: AnyRecord,
    time: TimeContext
  ) => readonly [unknown, ReadonlyArray<AnyRecord>]
}
