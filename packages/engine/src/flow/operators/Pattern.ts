/** `Flow.pattern`: sequences of records of a key, in event time. */
import type { Types } from "effect"
import { type Pattern, patternBegin, type PatternBegin } from "../../pattern/Pattern.ts"
import { type Flow, fromNode } from "../Flow.ts"
import type { Node } from "../Node.ts"
import type { Handled, Keyed } from "../Refusals.ts"
import { diskStoreOf, type StateStore } from "../Store.ts"

/** A match: the key, and by the names of the steps what they took. */
export type Match<K, S> = Types.Simplify<K & { readonly steps: Types.Simplify<S> }>

/** What was there when `within` was over: steps that did not come to their turn have null, or no records. */
export type TimedOut<K, S> = Types.Simplify<
  K & { readonly steps: { readonly [P in keyof S]: S[P] extends ReadonlyArray<unknown> ? S[P] : S[P] | null } }
>

interface PatternOptions {
  readonly name?: string
  /** Where partial matches are: in memory unless it says "disk". */
  readonly store?: StateStore
}

/** The fields that the flow is keyed by here. */
const keyOf = (node: Node): ReadonlyArray<string> =>
  node.op === "keyBy" ? node.fields : node.inputs[0] === undefined ? [] : keyOf(node.inputs[0])

const patternNode = (
  input: Node,
  { spec }: Pattern<never, unknown>,
  options: PatternOptions | undefined,
  timeouts: boolean
): Node => {
  const store = diskStoreOf(options?.store)
  return {
    op: "pattern",
    name: options?.name,
    inputs: [input],
    key: keyOf(input),
    pattern: spec,
    timeouts,
    ...(store === undefined ? {} : { store })
  }
}

/**
 * Gives a record for each match of the pattern among the records of a key.
 *
 * Records are judged in the order of their event times, those of one time in the order of the log, once the watermark has
 * passed them; one that comes later than that goes to the ledger as `late`, unless none of the conditions could hold of it.
 *
 * **Delivery**: each match once, in the epoch of the record that moved the watermark past its end. **Order**: by event time,
 * over all keys of a partition; with a skip strategy a key's matches by their first records. **Bounds**: `recordsHeldMax`,
 * `partialMatchesMax`, `within`, records that wait in memory whatever `store` says; what does not fit is evicted and in the ledger, and matches that it would have become are
 * not found. **Gotchas**: conditions must be pure functions; one that throws sends its record to the dead letter, and the
 * pattern goes on as though it had not come.
 */
export const pattern =
  <A, E, R, K, S>(pattern: Pattern<A, S> & Keyed<K>, options?: PatternOptions) =>
  (self: Flow<A, E, R, K>): Flow<Match<K, S>, E, R> =>
    fromNode(patternNode(self.node, pattern, options, false))

/** The same, of a pattern declared here: `Flow.patternOf((p) => p.begin("failed", …).within("10 minutes"))`. */
export const patternOf =
  <A, E, R, K, S>(declare: ((begin: PatternBegin<A>) => Pattern<A, S>) & Keyed<K>, options?: PatternOptions) =>
  (self: Flow<A, E, R, K>): Flow<Match<K, S>, E, R> =>
    fromNode(patternNode(self.node, declare(patternBegin<A>()), options, false))

/**
 * Matches, and what began and was no match when `within` was over: by event time at its end. What a strict step or
 * `notFollowedBy` ended, a match discarded or the bounds evicted has not timed out.
 */
export const patternWithTimeouts =
  <A, E, R, K, S>(pattern: Pattern<A, S> & Keyed<K> & Handled<E>, options?: PatternOptions) =>
  (
    self: Flow<A, E, R, K>
  ): { readonly matched: Flow<Match<K, S>, never, R>; readonly timedOut: Flow<TimedOut<K, S>, never, R> } => {
    const node = Object.freeze(patternNode(self.node, pattern, options, true))
    const branch = (name: "matched" | "timedOut"): Node => ({
      op: "branch",
      name: undefined,
      inputs: [node],
      branch: name
    })
    return { matched: fromNode(branch("matched")), timedOut: fromNode(branch("timedOut")) }
  }
