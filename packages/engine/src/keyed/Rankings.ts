/**
 * The rankings of one operator in one shard, by key, in memory or on disk; with what changed since the last epoch.
 *
 * Whether a ranking still counts its reader judges. **Bounds**: in memory `keysMax`; on disk the TTL alone.
 */
import type { AnyRecord } from "../flow/Node.ts"
import { decodeRecord, encodeRecord } from "../lookup/RecordText.ts"
import { type Capture, type CaptureKind, ChangeList, gone, inPieces, type Listed } from "../state/Capture.ts"
import { ExpiringMap } from "../store/ExpiringMap.ts"
import type { OpenStore } from "../store/OpenStore.ts"
import type { StoredCounts } from "../store/StoredMap.ts"
import { makeKeyBound } from "./KeyBound.ts"
import type { RankingPlan } from "./KeyedPlan.ts"
import { decodeRankValue, encodeRankValue, type Ranked } from "./Ranked.ts"

export interface Ranking extends Listed {
  readonly key: string
  readonly rows: Array<Ranked>
  /** Of each rank, how often it was told. */
  readonly told: Array<number>
  /** Highest event time that it changed at. */
  changedAt: number
}

type EncodedRow = readonly [value: number | string, time: number, offset: number, record: unknown]
type EncodedRest = readonly [changedAt: number, told: ReadonlyArray<number>, rows: ReadonlyArray<EncodedRow>]

/** In its durable form. */
export type EncodedRanking = readonly [key: string, ...EncodedRest]

export interface Rankings {
  readonly get: (key: string) => Ranking | undefined
  /** Whether no further key may be added. */
  readonly full: (watermark: number) => boolean
  /** A ranking without records, in the place of the one that is over. */
  readonly begin: (key: string) => Ranking
  /** To be called whenever one changed, before another is looked at. */
  readonly changed: (ranking: Ranking) => void
  readonly takeDelta: () => ReadonlyArray<EncodedRanking>
  readonly capture: (
    kind: CaptureKind,
    watermark: number,
    wrap: (keys: ReadonlyArray<EncodedRanking>) => unknown
  ) => Capture
  readonly load: (encoded: EncodedRanking) => void
  /** After the last `load`. */
  readonly restored: (watermark: number) => void
  readonly size: () => number
  /** Of all keys; only in memory, where people look at it. */
  readonly all?: () => Iterable<Ranking>
  readonly stored?: () => StoredCounts
  readonly discard?: () => void
}

const emptyRanking = (key: string): Ranking => ({
  key,
  rows: [],
  told: [],
  changedAt: Number.NEGATIVE_INFINITY,
  listedIn: 0
})

const encodeRest = ({ changedAt, rows, told }: Ranking): EncodedRest => [
  changedAt,
  told,
  rows.map(({ offset, record, time, value }) => [encodeRankValue(value), time, offset, encodeRecord(record)] as const)
]

const encodeRanking = (ranking: Ranking): EncodedRanking => [ranking.key, ...encodeRest(ranking)]

const decodeRanking = ([key, changedAt, told, rows]: EncodedRanking): Ranking => ({
  key,
  changedAt,
  told: [...told],
  rows: rows.map(([value, time, offset, record]) => ({
    value: decodeRankValue(value),
    time,
    offset,
    record: decodeRecord(record) satisfies AnyRecord
  })),
  listedIn: 0
})

export const makeRankings = (plan: RankingPlan, open: OpenStore | undefined): Rankings =>
  plan.store === undefined || open === undefined
    ? inMemory(plan)
    : onDisk(
        plan,
        new ExpiringMap({
          name: plan.name,
          store: plan.store,
          open,
          encode: encodeRanking,
          decode: (encoded) => decodeRanking(encoded as EncodedRanking) // written by encodeRanking
        })
      )

const inMemory = ({ keysMax, ttlMs }: RankingPlan): Rankings => {
  const keys = new Map<string, Ranking>()
  let changed = new Set<Ranking>()
  const since = new ChangeList<Ranking>()
  const bound = makeKeyBound(keys, keysMax, ({ changedAt }) => changedAt + ttlMs)

  /** Forgets a ranking that is over; false when it did, or had. */
  const keeps = (ranking: Ranking, watermark: number): boolean => {
    if (keys.get(ranking.key) !== ranking) return false
    if (changed.has(ranking) || ranking.changedAt + ttlMs > watermark) return true
    keys.delete(ranking.key)
    ranking.listedIn = gone
    return false
  }
  return {
    get: (key) => keys.get(key),
    full: bound.full,
    begin: (key) => {
      const over = keys.get(key)
      if (over !== undefined) {
        changed.delete(over)
        over.listedIn = gone
      }
      const begun = emptyRanking(key)
      keys.set(key, begun)
      return begun
    },
    changed: (ranking) => {
      changed.add(ranking)
      bound.written(ranking.changedAt + ttlMs)
    },
    takeDelta: () => {
      const delta = Array.from(changed, encodeRanking)
      for (const ranking of changed) since.add(ranking)
      changed = new Set()
      return delta
    },
    capture: (kind, watermark, wrap) => {
      const listed = since.take()
      const from = kind === "base" ? keys.values() : listed
      return inPieces(from, kind === "base" ? keys.size : listed.length, (some) => {
        const living = some.filter((ranking) => keeps(ranking, watermark))
        return living.length === 0 ? undefined : wrap(living.map(encodeRanking))
      })
    },
    load: (encoded) => keys.set(encoded[0], decodeRanking(encoded)),
    restored: (watermark) => bound.sweep(watermark, () => true),
    size: () => keys.size,
    all: () => keys.values()
  }
}

const onDisk = ({ ttlMs }: RankingPlan, rankings: ExpiringMap<Ranking>): Rankings => {
  let changed = new Set<string>()
  const put = (ranking: Ranking) => rankings.set(ranking.key, ranking, ranking.changedAt + ttlMs)
  return {
    get: (key) => rankings.get(key),
    full: () => false,
    begin: emptyRanking,
    changed: (ranking) => {
      put(ranking)
      changed.add(ranking.key)
    },
    takeDelta: () => {
      const delta = Array.from(changed, (key) => rankings.told(key))
      changed = new Set()
      // a merge drops only what is over, which nobody reads again
      return delta.filter((encoded): encoded is EncodedRanking => encoded !== undefined)
    },
    capture: (kind, watermark, wrap) =>
      rankings.capture(kind, watermark, (some) =>
        // one that is over replaced one that is over as well
        wrap(some.flatMap(([, ranking]) => (ranking === undefined ? [] : [encodeRanking(ranking)])))
      ),
    load: (encoded) => put(decodeRanking(encoded)),
    restored: () => {},
    size: () => rankings.size,
    stored: () => rankings.counts(),
    discard: () => rankings.close()
  }
}
