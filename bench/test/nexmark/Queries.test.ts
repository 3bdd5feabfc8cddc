/** Nexmark's queries over a handful of events, with answers by hand. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { queries } from "../../src/nexmark/queries/index.ts"
import { runQuery } from "../../src/nexmark/RunQuery.ts"

const at = (seconds: number) => new Date(Date.UTC(2015, 6, 15, 8, 0, 0) + seconds * 1000).toISOString()

const person = (seconds: number, id: number, state: string, name = `P${id}`) => ({
  event_type: "person",
  id,
  name,
  email_address: "a@b.com",
  credit_card: "1",
  city: "Bend",
  state,
  date_time: at(seconds),
  extra: ""
})
const auction = (seconds: number, id: number, seller: number, category: number, lastsSeconds: number) => ({
  event_type: "auction",
  id,
  item_name: `I${id}`,
  description: "d",
  initial_bid: 1,
  reserve: 2,
  date_time: at(seconds),
  expires: at(seconds + lastsSeconds),
  seller,
  category,
  extra: `A${id}`
})
const bid = (seconds: number, to: number, bidder: number, price: number, more: object = {}) => ({
  event_type: "bid",
  auction: to,
  bidder,
  price,
  channel: "Apple",
  url: "https://www.nexmark.com/a/b/c/item.htm?query=1",
  date_time: at(seconds),
  extra: "x",
  ...more
})

/** The rows of the query, with what was asked of them only, in an order of their own. */
const ask = (name: string, events: ReadonlyArray<object>, fields: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const query = queries.find((each) => each.name === name)!
    const { deadLettered, rows } = yield* runQuery(
      query,
      events.map((event) => JSON.stringify(event))
    )
    assert.strictEqual(deadLettered, 0)
    return rows
      .map((row) => JSON.parse(row) as Readonly<Record<string, unknown>>) // as the topic writes it
      .map((row) => fields.map((field) => row[field] ?? null).join(" "))
      .sort()
  })

describe("Nexmark's queries", () => {
  it.live("q0: every bid, and nothing else", () =>
    Effect.gen(function* () {
      const events = [person(0, 1, "OR"), auction(0, 5, 1, 10, 9), bid(1, 5, 2, 100), bid(1, 5, 2, 100)]
      const row = `5 2 100 ${at(1)} x`
      assert.deepStrictEqual(yield* ask("q0", events, ["auction", "bidder", "price", "date_time", "extra"]), [row, row])
    })
  )

  it.live("q1: euros, exactly", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* ask("q1", [bid(0, 1, 2, 1001)], ["price"]), ["908.908"])
    })
  )

  it.live("q2: every 123rd auction", () =>
    Effect.gen(function* () {
      const events = [bid(0, 123, 1, 10), bid(0, 124, 1, 20), bid(0, 246, 1, 30)]
      assert.deepStrictEqual(yield* ask("q2", events, ["auction", "price"]), ["123 10", "246 30"])
    })
  )

  it.live("q8: persons with an auction in their own window", () =>
    Effect.gen(function* () {
      const events = [
        person(0, 1, "OR"),
        auction(9.9, 5, 1, 10, 9),
        auction(9.9, 6, 1, 10, 9),
        person(1, 2, "OR"),
        auction(10, 7, 2, 10, 9),
        auction(11, 8, 3, 10, 9),
        person(19, 3, "OR")
      ]
      assert.deepStrictEqual(yield* ask("q8", events, ["id", "name", "starttime"]), [`1 P1 ${at(0)}`, `3 P3 ${at(10)}`])
    })
  )

  it.live("q8: time goes by the newest event, however far it jumps: what comes from before is late", () =>
    Effect.gen(function* () {
      const [came, sells, hoursLater] = [person(0, 1, "OR"), auction(9.9, 5, 1, 10, 9), bid(7200, 5, 2, 100)]
      assert.deepStrictEqual(yield* ask("q8", [came, sells, hoursLater], ["id", "starttime"]), [`1 ${at(0)}`])
      assert.deepStrictEqual(yield* ask("q8", [came, hoursLater, sells], ["id", "starttime"]), [])
    })
  )

  it.live("q11: sessions, one that a pause of exactly the gap goes on", () =>
    Effect.gen(function* () {
      const events = [bid(0, 1, 9, 1), bid(10, 2, 9, 1), bid(20.001, 3, 9, 1), bid(3, 1, 8, 1)].sort((a, b) =>
        a.date_time < b.date_time ? -1 : 1
      )
      assert.deepStrictEqual(yield* ask("q11", events, ["bidder", "bid_count", "starttime", "endtime"]), [
        `8 1 ${at(3)} ${at(13)}`,
        `9 1 ${at(20.001)} ${at(30.001)}`,
        `9 2 ${at(0)} ${at(20)}`
      ])
    })
  )

  it.live("q14: what lies in the range, by the hour, with its letters counted", () =>
    Effect.gen(function* () {
      const price = 2_000_000
      const events = [
        bid(0, 1, 1, price, { extra: "abcc" }),
        bid(-1, 2, 1, price, { extra: "C" }),
        bid(12 * 3600, 3, 1, price),
        bid(-2 * 3600, 4, 1, price),
        bid(0, 5, 1, 1_000_000),
        bid(0, 6, 1, 60_000_000)
      ]
      assert.deepStrictEqual(yield* ask("q14", events, ["auction", "price", "bid_time_type", "c_counts"]), [
        "1 1816000 dayTime 2",
        "2 1816000 otherTime 0",
        "3 1816000 nightTime 0",
        "4 1816000 nightTime 0"
      ])
    })
  )

  it.live("q21: the channel's id by name or by URL", () =>
    Effect.gen(function* () {
      const events = [
        bid(0, 1, 1, 1),
        bid(0, 2, 1, 1, { channel: "c", url: "https://x/?a=1&channel_id=77&b=2" }),
        bid(0, 3, 1, 1, { channel: "c", url: "https://x/?channel_id=78" }),
        bid(0, 4, 1, 1, { channel: "c", url: "channel_id=79" }),
        bid(0, 5, 1, 1, { channel: "BAIDU" })
      ]
      assert.deepStrictEqual(yield* ask("q21", events, ["auction", "channel", "channel_id"]), [
        "1 Apple 0",
        "2 c 77",
        "4 c 79",
        "5 BAIDU 3"
      ])
    })
  )

  it.live("q22: the parts of the URL, null where there is none", () =>
    Effect.gen(function* () {
      const events = [bid(0, 1, 1, 1), bid(0, 2, 1, 1, { url: "https://x/a" }), bid(0, 3, 1, 1, { url: "" })]
      assert.deepStrictEqual(yield* ask("q22", events, ["auction", "dir1", "dir2", "dir3"]), [
        "1 a b c",
        "2 a  ",
        "3   "
      ])
    })
  )

  it.live("raised: three bids in a row, each higher and by another, none of them twice", () =>
    Effect.gen(function* () {
      const events = [
        bid(0, 1, 1, 10),
        bid(1, 1, 2, 20),
        bid(2, 1, 3, 30),
        bid(3, 1, 4, 40),
        // two of one bidder, a lower one, and one too long after
        bid(0, 2, 1, 10),
        bid(1, 2, 1, 20),
        bid(2, 2, 2, 30),
        bid(0, 3, 1, 10),
        bid(1, 3, 2, 20),
        bid(2, 3, 3, 15),
        bid(0, 4, 1, 10),
        bid(1, 4, 2, 20),
        bid(10, 4, 3, 30)
      ].sort((a, b) => (a.date_time < b.date_time ? -1 : 1))
      assert.deepStrictEqual(yield* ask("raised", events, ["auction", "price1", "price2", "price3", "endtime"]), [
        `1 10 20 30 ${at(2)}`
      ])
    })
  )

  it.live("eager: the first bidder's three bids, others between", () =>
    Effect.gen(function* () {
      const events = [
        bid(0, 1, 9, 5),
        auction(1, 1, 1, 10, 60),
        bid(2, 1, 2, 10),
        bid(3, 1, 9, 11),
        bid(4, 1, 2, 12),
        bid(9, 1, 2, 13),
        bid(10, 1, 2, 14),
        auction(20, 2, 1, 10, 60),
        bid(21, 2, 2, 10),
        bid(22, 2, 2, 11),
        bid(30, 2, 2, 12)
      ]
      assert.deepStrictEqual(yield* ask("eager", events, ["auction", "bidder", "price1", "price2", "price3"]), [
        "1 2 10 12 13"
      ])
    })
  )

  it.live("q3: sellers of category 10 in three states, whichever came first", () =>
    Effect.gen(function* () {
      const events = [
        auction(0, 5, 1, 10, 9),
        auction(0, 6, 1, 11, 9),
        person(1, 1, "OR"),
        person(1, 2, "WA"),
        person(1, 3, "CA"),
        auction(2, 7, 2, 10, 9),
        auction(3, 8, 3, 10, 9),
        auction(4, 9, 1, 10, 9)
      ]
      assert.deepStrictEqual(yield* ask("q3", events, ["name", "city", "state", "id"]), [
        "P1 Bend OR 5",
        "P1 Bend OR 9",
        "P3 Bend CA 8"
      ])
    })
  )

  it.live("q9: the highest bid while the auction is open, of equal ones the earliest", () =>
    Effect.gen(function* () {
      const events = [
        bid(0, 5, 7, 999),
        auction(1, 5, 1, 10, 9),
        bid(2, 5, 2, 100),
        bid(3, 5, 3, 200),
        bid(4, 5, 4, 200),
        bid(10, 5, 5, 150),
        bid(11, 5, 6, 900),
        auction(12, 6, 1, 10, 9)
      ]
      assert.deepStrictEqual(yield* ask("q9", events, ["id", "item_name", "bidder", "price", "bid_date_time"]), [
        `5 I5 3 200 ${at(3)}`
      ])
    })
  )

  it.live("q20: bids with auctions of category 10, whichever came first", () =>
    Effect.gen(function* () {
      const events = [
        bid(0, 5, 2, 100),
        auction(1, 5, 1, 10, 9),
        bid(2, 5, 3, 200),
        auction(2, 6, 1, 11, 9),
        bid(3, 6, 2, 1)
      ]
      const fields = ["auction", "bidder", "price", "bid_extra", "item_name", "category", "auction_extra"]
      assert.deepStrictEqual(yield* ask("q20", events, fields), ["5 2 100 x I5 10 A5", "5 3 200 x I5 10 A5"])
    })
  )

  it.live("q4: the mean of winning prices, cut to a whole number", () =>
    Effect.gen(function* () {
      const events = [
        auction(0, 5, 1, 10, 9),
        auction(0, 6, 1, 10, 9),
        auction(0, 7, 1, 11, 9),
        auction(0, 8, 1, 12, 9),
        bid(1, 5, 2, 100),
        bid(2, 5, 2, 201),
        bid(3, 5, 2, 150),
        bid(9, 6, 2, 300),
        // its auction is over
        bid(9.001, 6, 2, 900),
        bid(4, 7, 2, 7)
      ]
      assert.deepStrictEqual(yield* ask("q4", events, ["category", "final"]), ["10 250", "11 7"])
    })
  )

  it.live("q4: the mean of prices whose sum no double holds", () =>
    Effect.gen(function* () {
      const most = Number.MAX_SAFE_INTEGER
      const events = [0, 1, 2].flatMap((n) => [auction(n, n, 1, 10, 9), bid(n + 1, n, 2, most - 2 * n)])
      assert.deepStrictEqual(yield* ask("q4", events, ["category", "final"]), [`10 ${most - 2}`])
    })
  )

  it.live("q5: the auctions with the most bids of each window, ties included", () =>
    Effect.gen(function* () {
      // windows end at 2, 4, 6, 8 and 10 with the first bids, at 12 to 20 with the last
      const events = [bid(0, 1, 9, 1), bid(1, 1, 9, 1), bid(1, 2, 9, 1), bid(10, 2, 9, 1), bid(11, 3, 9, 1)]
      assert.deepStrictEqual(yield* ask("q5", events, ["auction", "num"]), [
        ...Array.from({ length: 5 }, () => "1 2"),
        ...Array.from({ length: 5 }, () => "2 1"),
        ...Array.from({ length: 5 }, () => "3 1")
      ])
    })
  )

  it.live("q7: the highest bids of each window, one at its very end too", () =>
    Effect.gen(function* () {
      const events = [
        bid(0, 1, 9, 50),
        bid(1, 2, 9, 50),
        bid(2, 3, 9, 20),
        // at the end of the first window, in the second
        bid(10, 4, 9, 50),
        bid(12, 5, 9, 60)
      ]
      assert.deepStrictEqual(yield* ask("q7", events, ["auction", "price"]), ["1 50", "2 50", "4 50", "5 60"])
    })
  )

  it.live("q18: each bidder's last bid on each auction, by time", () =>
    Effect.gen(function* () {
      const events = [bid(0, 1, 1, 10), bid(3, 1, 1, 30), bid(2, 1, 1, 20), bid(0, 1, 2, 40), bid(0, 2, 1, 50)]
      assert.deepStrictEqual(yield* ask("q18", events, ["auction", "bidder", "price"]), ["1 1 30", "1 2 40", "2 1 50"])
    })
  )

  it.live("q19: the ten highest, ranked", () =>
    Effect.gen(function* () {
      const events = Array.from({ length: 12 }, (_, index) => bid(index / 10, 1, index, 100 + ((index * 5) % 12)))
      const ranked = (yield* ask("q19", events, ["rank_number", "price"])).toSorted(
        (left, right) => Number.parseInt(left) - Number.parseInt(right)
      )
      assert.deepStrictEqual(
        ranked,
        Array.from({ length: 10 }, (_, index) => `${index + 1} ${111 - index}`)
      )
    })
  )
})
