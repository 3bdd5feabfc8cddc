/** Every form that a generator of Nexmark writes becomes the one that the topic declares. */
import { assert, describe, it } from "@effect/vitest"
import { canonicalLine } from "../../src/nexmark/CanonicalLine.ts"

const bid = {
  event_type: "bid",
  date_time: "2015-07-15T00:00:01.500Z",
  auction: 1001,
  price: 250,
  bidder: 2003,
  channel: "Apple",
  person: 2003
}

const parsed = (line: unknown): unknown => JSON.parse(canonicalLine(JSON.stringify(line)))

describe("a line of Nexmark", () => {
  it("may be flat, with the kind's name or number", () => {
    const { person: _, ...flat } = bid
    assert.deepStrictEqual(parsed(flat), bid)
    assert.deepStrictEqual(parsed({ ...flat, event_type: 2 }), bid)
    assert.deepStrictEqual(parsed({ ...flat, event_type: "Bid" }), bid)
    assert.deepStrictEqual(parsed({ ...flat, event_type: "2" }), bid)
  })

  it("may have its fields below its kind, in camel case, without saying the kind", () => {
    const { channel, date_time, auction, bidder, price } = bid
    const nested = { auction, bidder, price, channel, dateTime: date_time }
    assert.deepStrictEqual(parsed({ event_type: 2, person: null, auction: null, bid: nested }), bid)
    assert.deepStrictEqual(parsed({ bid: nested }), bid)
  })

  it("tells time in any of the usual ways", () => {
    const times = ["2015-07-15 00:00:01.5", "2015-07-15T00:00:01.500999", "2015-07-15T02:00:01.5+02:00", 1436918401500]
    for (const date_time of times) assert.deepStrictEqual(parsed({ ...bid, date_time }), bid, String(date_time))
  })

  it("says which auction and which person it is about", () => {
    const date_time = "2015-07-15T00:00:00.000Z"
    assert.deepStrictEqual(parsed({ event_type: 0, person: { id: 5, name: "Kate", dateTime: date_time } }), {
      event_type: "person",
      date_time,
      id: 5,
      name: "Kate",
      auction: 0,
      person: 5
    })
    const expires = "2015-07-15T00:00:09.000Z"
    assert.deepStrictEqual(parsed({ event_type: 1, id: 7, seller: 5, category: 10, date_time, expires }), {
      event_type: "auction",
      date_time,
      id: 7,
      expires,
      seller: 5,
      category: 10,
      auction: 7,
      person: 5
    })
  })

  it("stays as it is when it is no event", () => {
    for (const line of ["", "{", "[1]", '{"event_type":7}', '{"event_type":"sale","auction":1}']) {
      assert.strictEqual(canonicalLine(line), line)
    }
  })
})
