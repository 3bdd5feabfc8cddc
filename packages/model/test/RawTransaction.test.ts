import { type Decimal, type Timestamp, Topic } from "@frazil/core"
import { Result, Schema } from "effect"
import { describe, expect, expectTypeOf, it } from "vitest"
import { RawTransaction, RawTransactions } from "../src/index.ts"

const transaction = {
  transaction_id: "0f0f0f0f-0000-4000-8000-000000000000",
  account_id: "acc-1",
  amount: 10.5,
  currency: "EUR",
  type: "purchase",
  merchant_id: "m-1",
  merchant_category: "grocery",
  country: "DE",
  city: "Köln",
  lat: 50.9,
  lon: 6.9,
  channel: "pos",
  device_id: "d-1",
  ip: "10.0.0.1",
  event_timestamp: "2026-01-14T23:45:00.000Z"
}

describe("raw-transactions", () => {
  it("gives each field its type", () => {
    expectTypeOf<RawTransaction["amount"]>().toEqualTypeOf<Decimal<2>>()
    expectTypeOf<RawTransaction["event_timestamp"]>().toEqualTypeOf<Timestamp>()
    expectTypeOf<RawTransaction["channel"]>().toEqualTypeOf<"pos" | "online" | "atm" | "mobile">()
    expectTypeOf<RawTransaction["label"]>().toEqualTypeOf<string | null | undefined>()
    expectTypeOf(RawTransactions).toEqualTypeOf<Topic<RawTransaction, "raw-transactions">>()
  })

  it("refuses fields that are not there, nullable keys and other event times by type", () => {
    // @ts-expect-error no such field
    expect(() => Topic.make("x", { schema: RawTransaction, key: "acount_id" })).toThrow(/no field/)
    // @ts-expect-error the label may be null
    expect(() => Topic.make("x", { schema: RawTransaction, key: "label" })).toThrow(/cannot be null/)
    // @ts-expect-error a text is no event time
    expect(() => Topic.make("x", { schema: RawTransaction, key: "account_id", eventTime: "city" })).toThrow(/timestamp/)
  })

  it("decodes a transaction without a label, with one, and with null", () => {
    const decode = Schema.decodeUnknownSync(RawTransaction)
    expect(decode(transaction).amount.toString()).toBe("10.50")
    expect(decode(transaction)).not.toHaveProperty("label")
    expect(decode({ ...transaction, label: null }).label).toBe(null)
    expect(decode({ ...transaction, label: "burst" }).label).toBe("burst")
  })

  it.each([
    ["amount", 0],
    ["amount", 10.555],
    ["currency", "eur"],
    ["country", "DEU"],
    ["type", "gift"],
    ["channel", "fax"],
    ["lat", 90.1],
    ["lon", -180.5],
    ["transaction_id", "1"],
    ["event_timestamp", "yesterday"]
  ])("refuses a wrong %s", (field, value) => {
    expect(Result.isFailure(Schema.decodeUnknownResult(RawTransaction)({ ...transaction, [field]: value }))).toBe(true)
  })
})
