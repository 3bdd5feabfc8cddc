/** `Flow.topN`: of each key the records with the greatest, or least, values; as a changelog, or by windows. */
import { type Decimal, durationMs, type DurationText } from "@frazil/core"
import type { Types } from "effect"
import { type Aggregate, top } from "../../window/Aggregate.ts"
import type { Results, Window } from "../../window/Window.ts"
import { type Flow, fromNode } from "../Flow.ts"
import type { AnyRecord } from "../Node.ts"
import type { Keyed, Repeated } from "../Refusals.ts"
import { type KeysKept, keysKept } from "../Store.ts"
import { flatMap } from "./Map.ts"
import { window, type WindowOptions, type WindowResult } from "./Window.ts"

type OrderedField<A> = {
  [F in keyof A]-?: [NonNullable<A[F]>] extends [number | Decimal] ? F : never
}[keyof A] &
  string

interface RankingOptions<A> {
  /** How many records of a key, at most 1,000. */
  readonly n: number
  /** The number, decimal or time that ranks them; records in which it is null are passed over. */
  readonly by: OrderedField<A>
  /** `desc`, the default: the greatest comes first. */
  readonly order?: "desc" | "asc"
  readonly name?: string
}

type Continuous<A> = RankingOptions<A> &
  KeysKept & {
    /** A key's ranking is forgotten when it did not change for so long, by event time. */
    readonly ttl: DurationText
  }

interface Windowed<A, W extends Results> extends RankingOptions<A>, Pick<WindowOptions, "store"> {
  readonly window: Window<"event", W>
}

interface Rank {
  /** From 1. */
  readonly rank: number
}

/** A record with its rank; `revision` counts what was told of this rank of the key, from 0. */
export type RankedRecord<A> = A & Rank & { readonly revision: number }

/** A record with its rank in a window, whose result it is a part of. */
export type WindowRankedRecord<A, K, W extends Results> = Types.Simplify<
  A & Omit<WindowResult<K, Record<never, never>, W>, keyof A> & Rank
>

interface TopN {
  /**
   * The `n` first records of each key, as they are by now: whenever a record comes to be among them, it and each that it moves
   * down are told at their ranks.
   *
   * Of equal values the earlier by event time comes first, of one time the one that came first. Who keeps the highest
   * `revision` of each (key, rank) has the ranking. **Delivery**: each once, in the epoch of the record that made it so; one
   * record makes at most `n`. **Order**: that of the log, of one record by rank. **Bounds**: `n`; `keysMax`, on disk none; `ttl`. **Gotcha**:
   * a ranking that is forgotten is not taken back; the next one of its key begins at revision 0.
   */
  <A, E, R, K>(
    options: Continuous<NoInfer<A>> & Keyed<K> & Repeated<A, "rank" | "revision">
  ): (self: Flow<A, E, R, K>) => Flow<RankedRecord<A>, E, R, K>
  /**
   * The `n` first records of each key in each window: a record for each rank, when the window ends and in each further result
   * of it. Everything that is said of `Flow.window` holds; ties and nulls as above.
   */
  <A, E, R, K, W extends Results>(
    options: Windowed<NoInfer<A>, W> & Keyed<K> & Repeated<A, "rank" | "revision" | "window_start" | "window_end">
  ): (self: Flow<A, E, R, K>) => Flow<WindowRankedRecord<A, K, W>, E, R>
}

type Self = Flow<AnyRecord, unknown, unknown, { readonly key: string }>

/** The window's list as records. */
const rowsOf = ({ ranking, ...result }: AnyRecord): ReadonlyArray<AnyRecord> =>
  // what the aggregate `top` gives
  (ranking as ReadonlyArray<AnyRecord>).map((record, at) => ({ ...record, ...result, rank: at + 1 }))

const windowed = ({ by, n, name, order, store, window: within }: Windowed<Record<string, number>, Results>) => {
  // records are untyped here: the overloads have checked the field, and that the flow is keyed
  const greatest = top<AnyRecord, never>(n, { by: by as never, ...(order === undefined ? {} : { order }) })
  const ranking = greatest as unknown as Aggregate<unknown, unknown>
  const options = { ...(name === undefined ? {} : { name }), ...(store === undefined ? {} : { store }) }
  const result = window(within as never, { ranking }, options)
  return (self: Self) => flatMap(rowsOf)(result(self) as unknown as Self)
}

export const topN: TopN = ((options: Continuous<Record<string, number>> | Windowed<Record<string, number>, Results>) =>
  "window" in options
    ? windowed(options)
    : (self: Self) =>
        fromNode({
          op: "topN",
          name: options.name,
          inputs: [self.node],
          n: options.n,
          by: options.by,
          order: options.order ?? "desc",
          ttlMs: durationMs(options.ttl),
          ...keysKept(options)
        })) as unknown as TopN // the overloads say which options give which records
