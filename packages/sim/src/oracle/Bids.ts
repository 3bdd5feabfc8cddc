/**
 * The oracle of deduplications, rankings and timers: what bids must come to, and what the ledger must hold.
 *
 * From bids in the order of their offsets, with the engine's promises read once more (packages/engine/OPERATORS.md) and no code
 * of it: rankings are sorted anew from all bids, timers are looked through for the next.
 */

/** A bid that was understood. */
export interface OracleBid {
  readonly partition: number
  readonly offset: number
  readonly auction: string
  readonly bidder: string
  readonly cents: number
  /** Epoch milliseconds. */
  readonly at: number
}

export interface OracleTiming {
  /** Of first bids, from the first one on. */
  readonly firstTtlMs: number
  readonly n: number
  readonly windowMs: number
  readonly latenessMs: number
  /** So long after its first bid an auction is told. */
  readonly openMs: number
}

/** `auction of: told`, as it stands in the end; and the ledger's entries `operator reason partition/offset`. */
export interface ExpectedBids {
  readonly firsts: ReadonlyArray<string>
  readonly lasts: ReadonlyArray<string>
  readonly tops: ReadonlyArray<string>
  readonly windowTops: ReadonlyArray<string>
  readonly sold: ReadonlyArray<string>
  readonly entries: ReadonlyArray<string>
}

const outOfOrdernessMs = 5000

interface Placed {
  readonly bid: OracleBid
  /** Before it. */
  readonly watermark: number
}

const textOf = ({ at, bidder, cents }: OracleBid) => `${bidder} ${cents} ${at}`
const placeOf = ({ offset, partition }: OracleBid) => `${partition}/${offset}`
const inTime = (left: Placed, right: Placed) => left.bid.at - right.bid.at || left.bid.offset - right.bid.offset

/** Bids with the watermark before each, partition by partition. */
const withWatermarks = (bids: ReadonlyArray<OracleBid>): ReadonlyArray<Placed> => {
  const highest = new Map<number, number>()
  return bids
    .toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
    .map((bid) => {
      const before = highest.get(bid.partition) ?? Number.NEGATIVE_INFINITY
      highest.set(bid.partition, Math.max(before, bid.at))
      return { bid, watermark: before - outOfOrdernessMs }
    })
}

const grouped = <A>(items: ReadonlyArray<A>, nameOf: (item: A) => string): ReadonlyArray<ReadonlyArray<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const item of items) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item])
  return [...groups.values()]
}

/** Of one bidder's bids in an auction: each that no first one of the time before covers. */
const firstsOf = (bids: ReadonlyArray<Placed>, ttlMs: number) => {
  const firsts: Array<OracleBid> = []
  const covers = (at: number, watermark: number) =>
    firsts.some((first) => first.at <= at && at < first.at + ttlMs && first.at + ttlMs > watermark)
  for (const { bid } of bids.filter((each) => each.bid.at >= each.watermark).toSorted(inTime))
    if (!covers(bid.at, bid.at)) firsts.push(bid)
  const late = bids.filter(({ bid, watermark }) => bid.at < watermark && !covers(bid.at, watermark))
  return { firsts, late }
}

const greatest = (left: Placed, right: Placed) => right.bid.cents - left.bid.cents || inTime(left, right)
const least = (left: Placed, right: Placed) => left.bid.cents - right.bid.cents || inTime(left, right)

const windowTopsOf = (all: ReadonlyArray<Placed>, { latenessMs, n, windowMs }: OracleTiming) => {
  const endOf = (each: Placed) => (Math.floor(each.bid.at / windowMs) + 1) * windowMs
  const late = all.filter((each) => endOf(each) + latenessMs <= each.watermark)
  const windows = grouped(
    all.filter((each) => !late.includes(each)),
    (each) => `${each.bid.auction} ${endOf(each)}`
  )
  const tops = windows.flatMap((bids) =>
    bids
      .toSorted(least)
      .slice(0, n)
      .map(({ bid }, at) => `${bid.auction} ${endOf(bids[0]!)} ${at + 1}: ${textOf(bid)}`)
  )
  return { tops, late }
}

/** Of one partition's bids: what each auction came to when it was over, and over again. */
const soldOf = (bids: ReadonlyArray<Placed>, openMs: number): ReadonlyArray<string> => {
  const sold: Array<string> = []
  let open: ReadonlyArray<{ readonly auction: string; readonly closesAt: number; readonly bids: Array<OracleBid> }> = []
  const close = (watermark: number) => {
    for (;;) {
      const due = open.filter(({ closesAt }) => closesAt <= watermark)
      const [next] = due.toSorted((a, b) => a.closesAt - b.closesAt || (a.auction < b.auction ? -1 : 1))
      if (next === undefined) return
      open = open.filter((each) => each !== next)
      const best = new Map<string, number>()
      for (const { bidder, cents } of next.bids) best.set(bidder, Math.max(best.get(bidder) ?? 0, cents))
      const entries = [...best].sort(([a], [b]) => (a < b ? -1 : 1))
      const given = next.bids.map(({ cents }) => cents)
      const total = String(given.reduce((sum, cents) => sum + cents, 0))
      sold.push(`${next.auction} ${next.closesAt}: ${JSON.stringify([entries, given, total])}`)
    }
  }
  let highest = Number.NEGATIVE_INFINITY
  for (const { bid } of bids) {
    // at 13 the code throws
    if (bid.cents !== 13) {
      const known = open.find(({ auction }) => auction === bid.auction)
      if (known === undefined) open = [...open, { auction: bid.auction, closesAt: bid.at + openMs, bids: [bid] }]
      else known.bids.push(bid)
    }
    highest = Math.max(highest, bid.at)
    close(highest - outOfOrdernessMs)
  }
  close(Number.POSITIVE_INFINITY)
  return sold
}

export const expectBids = (bids: ReadonlyArray<OracleBid>, timing: OracleTiming): ExpectedBids => {
  const all = withWatermarks(bids)
  const byBidder = grouped(all, ({ bid }) => `${bid.auction} ${bid.bidder}`)
  const firsts = byBidder.map((each) => firstsOf(each, timing.firstTtlMs))
  const windows = windowTopsOf(all, timing)
  const late = (operator: string, each: ReadonlyArray<Placed>) =>
    each.map(({ bid }) => `${operator} late ${placeOf(bid)}`)
  return {
    firsts: firsts.flatMap((each) => each.firsts.map((bid) => `${bid.auction} ${bid.bidder}: ${textOf(bid)}`)),
    lasts: byBidder.map((each) => {
      const { bid } = each.toSorted(inTime).at(-1)!
      return `${bid.auction} ${bid.bidder}: ${textOf(bid)}`
    }),
    tops: grouped(all, ({ bid }) => bid.auction).flatMap((each) =>
      each
        .toSorted(greatest)
        .slice(0, timing.n)
        .map(({ bid }, at) => `${bid.auction} ${at + 1}: ${textOf(bid)}`)
    ),
    windowTops: windows.tops,
    sold: grouped(all, ({ bid }) => String(bid.partition)).flatMap((each) => soldOf(each, timing.openMs)),
    entries: [...firsts.flatMap((each) => late("first bids", each.late)), ...late("top bids by window", windows.late)]
  }
}
