/**
 * Patterns as values: which records of a key follow each other, how often, and within what time.
 *
 * `Flow.pattern` takes one. Terms are those of Flink CEP. `next` is strict contiguity: the very next record of the key;
 * `followedBy` is relaxed: the first later record for which the condition holds. A pattern always ends in `within`, so that
 * what it remembers ends too.
 */
import { durationMs, type DurationText, type Expr, type Topic } from "@frazil/core"
import type { Computed } from "../flow/Node.ts"

/**
 * What a step asks of a record. An expression may name the record of an earlier step that takes one: `country !=
 * large.country`; of a step that was left out its fields are null. A function's `earlier` has what the steps before took, and
 * this step's own records so far; for a function records are made, for an expression none.
 */
export type StepCondition<A, S, M extends string> =
  | Expr<NoInfer<A>, boolean>
  | ((record: A, earlier: S & { readonly [P in M]: ReadonlyArray<A> }) => boolean)

/**
 * What a match does to others that began before it ended: nothing (`noSkip`), or discard those that began with its first
 * record (`skipToNext`), with any of its records or between them (`skipPastLastEvent`), before the first or the last record
 * of a step (`skipToFirst`, `skipToLast`; nothing when an optional step took none).
 */
export type SkipStrategy<S = Readonly<Record<string, unknown>>> =
  | "noSkip"
  | "skipToNext"
  | "skipPastLastEvent"
  | { readonly skipToFirst: keyof S & string }
  | { readonly skipToLast: keyof S & string }

export interface WithinOptions<S> {
  /** Default `noSkip`. */
  readonly skip?: SkipStrategy<S>
  /** Partial matches of one key, with matches that wait for an earlier one; the oldest beyond it is evicted. Default 100. */
  readonly partialMatchesMax?: number
  /** Records of a partition that wait for the watermark; one more goes to the ledger as `evicted`. Default 1,000,000. */
  readonly recordsHeldMax?: number
}

/** A step as declared. */
export interface StepSpec {
  readonly name: string
  /** Of `notFollowedBy`: no such record may come. */
  readonly negative: boolean
  /** Of `next`: nothing comes between. */
  readonly strict: boolean
  readonly condition: Computed
  readonly min: number
  readonly max: number
  /** Quantified: its records are an array. */
  readonly many: boolean
  /** Nothing comes between its own records. */
  readonly consecutive: boolean
  readonly optional: boolean
}

/** What the engine reads of a pattern. */
export interface PatternSpec {
  readonly steps: ReadonlyArray<StepSpec>
  readonly withinMs: number
  readonly skip: SkipStrategy
  readonly partialMatchesMax: number
  readonly recordsHeldMax: number
}

/** A pattern over records of `A` whose matches hold `S`: a record for each step, or an array, or null. */
export interface Pattern<in A, out S> {
  readonly spec: PatternSpec
  /** Types only. */
  readonly types?: { readonly record: (record: A) => void; readonly steps: () => S }
}

export interface StepNamedTwice<Name> {
  readonly "another step has this name": Name
}
type Fresh<M, N> = M extends N ? StepNamedTwice<M> : unknown

/** A pattern so far: steps `S`, names taken `N`. */
export interface Sequence<A, S, N extends string> {
  /** The very next record of the key must be this. */
  readonly next: <const M extends string>(
    name: M & Fresh<M, N>,
    condition: StepCondition<A, S, M>
  ) => Step<A, S, M, N | M>
  /** The first later record for which the condition holds. */
  readonly followedBy: <const M extends string>(
    name: M & Fresh<M, N>,
    condition: StepCondition<A, S, M>
  ) => Step<A, S, M, N | M>
  /** No such record between the step before and the step after, or, at the end, until `within` is over. */
  readonly notFollowedBy: <const M extends string>(
    name: M & Fresh<M, N>,
    condition: StepCondition<A, S, M>
  ) => Negated<A, S, N | M>
  /** First and last record are less than `size` apart. */
  readonly within: (size: DurationText, options?: WithinOptions<S>) => Pattern<A, S>
}

/** After `notFollowedBy`: what may follow, or nothing. */
export type Negated<A, S, N extends string> = Pick<Sequence<A, S, N>, "followedBy" | "notFollowedBy" | "within">

interface Quantifiers<A, Before, M extends string, N extends string> {
  /** So many records, or up to `max`; others may come between them. */
  readonly times: (min: number, max?: number) => Repeated<A, Before, M, N>
  /** At least one; no more than `max` are kept. */
  readonly oneOrMore: (options: { readonly max: number }) => Repeated<A, Before, M, N>
}

/** The step just declared. */
export interface Step<A, Before, M extends string, N extends string>
  extends Sequence<A, Before & { readonly [P in M]: A }, N>, Quantifiers<A, Before, M, N> {
  /** The step may be left out: then its record is null. */
  readonly optional: () => Sequence<A, Before & { readonly [P in M]: A | null }, N>
}

/** The first step, which cannot be left out. */
export interface FirstStep<A, M extends string>
  extends Sequence<A, { readonly [P in M]: A }, M>, Quantifiers<A, unknown, M, M> {}

export interface Repeated<A, Before, M extends string, N extends string> extends Sequence<
  A,
  Before & { readonly [P in M]: ReadonlyArray<A> },
  N
> {
  /** Nothing comes between its records. */
  readonly consecutive: () => Repeated<A, Before, M, N>
  /** The step may be left out: then it has no records. */
  readonly optional: () => Sequence<A, Before & { readonly [P in M]: ReadonlyArray<A> }, N>
}

/** Where a pattern begins. */
export interface PatternBegin<A> {
  readonly begin: <const M extends string>(name: M, condition: StepCondition<A, unknown, M>) => FirstStep<A, M>
}

const partialMatchesMaxDefault = 100
const recordsHeldMaxDefault = 1_000_000

const conditionOf = (condition: unknown): Computed =>
  // the union that `StepCondition` leaves
  (typeof condition === "function" ? { _tag: "Code", fn: condition } : { _tag: "Expr", expr: condition }) as Computed

/** One object with every method; the types leave those that make sense where they are. */
const builder = (steps: ReadonlyArray<StepSpec>): unknown => {
  const add = (name: string, condition: unknown, kind: Partial<StepSpec>) =>
    builder([
      ...steps,
      {
        name,
        negative: false,
        strict: false,
        condition: conditionOf(condition),
        min: 1,
        max: 1,
        many: false,
        consecutive: false,
        optional: false,
        ...kind
      }
    ])
  const change = (kind: Partial<StepSpec>) => builder([...steps.slice(0, -1), { ...steps.at(-1)!, ...kind }])
  return {
    begin: (name: string, condition: unknown) => add(name, condition, {}),
    next: (name: string, condition: unknown) => add(name, condition, { strict: true }),
    followedBy: (name: string, condition: unknown) => add(name, condition, {}),
    notFollowedBy: (name: string, condition: unknown) => add(name, condition, { negative: true }),
    times: (min: number, max = min) => change({ min, max, many: true }),
    oneOrMore: ({ max }: { readonly max: number }) => change({ min: 1, max, many: true }),
    consecutive: () => change({ consecutive: true }),
    optional: () => change({ optional: true }),
    within: (size: DurationText, options: WithinOptions<never> = {}): Pattern<unknown, unknown> => ({
      spec: Object.freeze({
        steps,
        withinMs: durationMs(size),
        skip: options.skip ?? "noSkip",
        partialMatchesMax: options.partialMatchesMax ?? partialMatchesMaxDefault,
        recordsHeldMax: options.recordsHeldMax ?? recordsHeldMaxDefault
      })
    })
  }
}

/** Where a pattern over records of `A` begins, which `Flow.patternOf` gives. */
export const patternBegin = <A>(): PatternBegin<A> => builder([]) as PatternBegin<A> // all that follows is typed by it

/** A pattern over the records of a topic: `Pattern.on(Logins).begin("failed", …)`. */
const on = <A, Name extends string>(_topic: Topic<A, Name>): PatternBegin<A> => patternBegin()

export const Pattern = { on } as const
