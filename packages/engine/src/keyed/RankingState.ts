/**
 * The first so many records of each key in an order, in one shard: the state of `Flow.topN`, and of `Flow.deduplicate` where
 * the last record is kept.
 *
 * A record that comes to be among them is told at once, and so is each that it moves down, at its new rank: a changelog by
 * (key, rank). **Bounds**: `n` records a key; a key is forgotten when its ranking did not change for the TTL, judged when
 * read, by event time; in memory one more than `keysMax` is evicted.
 */
import type { AnyRecord } from "../flow/Node.ts"
import { isoOf, plainJson } from "../state/PlainJson.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import { cellValueOf } from "../window/Cells.ts"
import { otherShape } from "./FirstState.ts"
import type { KeyedInput, KeyedOperator } from "./KeyedOperator.ts"
import type { RankingPlan } from "./KeyedPlan.ts"
import { isKeyOf } from "./KeyText.ts"
import { insertRanked } from "./Ranked.ts"
import { type EncodedRanking, makeRankings, type Ranking } from "./Rankings.ts"

interface EncodedRankings {
  readonly shape: string
  readonly keys: ReadonlyArray<EncodedRanking>
}

export const makeRankingState = (plan: RankingPlan, open?: OpenStore): KeyedOperator => {
  const { by, n, name, order, ranked, ttlMs } = plan
  const rankings = makeRankings(plan, open)

  const wrap = (keys: ReadonlyArray<EncodedRanking>): EncodedRankings => ({ shape: plan.shape, keys })

  const valueOf = ({ eventTime, record }: KeyedInput): number | bigint | undefined => {
    if (by === undefined) return eventTime
    const value = cellValueOf(record, by)
    return value === null || typeof value === "string" ? undefined : value
  }

  /** The key's ranking, begun if need be; undefined when that would be one too many. */
  const rankingOf = (key: string, now: number, watermark: number): Ranking | undefined => {
    const known = rankings.get(key)
    if (known !== undefined && now - known.changedAt < ttlMs) return known
    return known === undefined && rankings.full(watermark) ? undefined : rankings.begin(key)
  }

  /** What is told of the ranks from that one on. */
  const tellings = ({ rows, told }: Ranking, from: number): ReadonlyArray<AnyRecord> =>
    rows.slice(from).map(({ record }, index): AnyRecord => {
      const rank = from + index
      const revision = told[rank] ?? 0
      told[rank] = revision + 1
      return ranked ? { ...record, rank: rank + 1, revision } : { ...record, revision }
    })

  const enter = (input: KeyedInput, reason: "late" | "evicted", host: Parameters<KeyedOperator["take"]>[1]) => {
    const { batch, eventTime, key, row, watermark } = input
    host.enter(batch, row, { operator: name, reason, key, eventTime, latenessMs: watermark - eventTime })
  }

  return {
    name,
    due: () => false,
    take: (input, host, emit) => {
      const { batch, eventTime, key, record, row, watermark } = input
      const value = valueOf(input)
      // passed over, as greatest and least values do
      if (value === undefined) return
      if (eventTime + ttlMs <= watermark) return enter(input, "late", host)
      const ranking = rankingOf(key, Math.max(eventTime, watermark), watermark)
      if (ranking === undefined) return enter(input, "evicted", host)
      const offset = batch.source.offsets[row]!
      const at = insertRanked(ranking.rows, { value, time: eventTime, offset, record }, n, order, by === undefined)
      if (at < 0) return
      ranking.changedAt = Math.max(ranking.changedAt, eventTime)
      const told = tellings(ranking, at)
      rankings.changed(ranking)
      for (const each of told) emit(each, eventTime, row)
    },
    advance: () => {},
    clockAt: () => Number.POSITIVE_INFINITY,
    advanceClock: () => {},
    close: () => {},
    takeDelta: (): EncodedRankings => wrap(rankings.takeDelta()),
    capture: (kind, watermark) => rankings.capture(kind, watermark, wrap),
    load: (entries) => {
      const of = entries as EncodedRankings // made by takeDelta or a capture above
      if (of.shape !== plan.shape) throw otherShape(name)
      for (const encoded of of.keys) rankings.load(encoded)
    },
    entriesOf: (entries, key) => {
      const of = entries as EncodedRankings // as above
      return of.shape === plan.shape ? { ...of, keys: of.keys.filter(([each]) => isKeyOf(plan, key, each)) } : of
    },
    restored: rankings.restored,
    size: rankings.size,
    ...(rankings.stored === undefined ? {} : { stored: rankings.stored }),
    ...(rankings.discard === undefined ? {} : { discard: rankings.discard }),
    read: (key, watermark) => {
      // whoever reads a shard has it in memory
      const found = [...(rankings.all?.() ?? [])].filter(
        (each) => isKeyOf(plan, key, each.key) && watermark - each.changedAt < ttlMs
      )
      if (found.length === 0) return undefined
      const read = found.map((each) => ({
        key: each.key,
        changed_at: isoOf(each.changedAt),
        ranking: each.rows.map(({ offset, record, time }) => ({ time: isoOf(time), offset, record: plainJson(record) }))
      }))
      return { rankings: read }
    }
  }
}
