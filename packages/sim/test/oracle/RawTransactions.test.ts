import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import { makeCorpus } from "../../src/oracle/Corpus.ts"
import { expectRawTransactions, linesOf } from "../../src/oracle/RawTransactions.ts"

const valid = {
  transaction_id: "019bbf4a-9b60-7000-8000-000000000001",
  account_id: "ACC0000001",
  amount: 12.3,
  currency: "USD",
  type: "purchase",
  merchant_id: "M1",
  merchant_category: "fuel",
  country: "US",
  city: "Zürich",
  lat: 1.5,
  lon: -0,
  channel: "pos",
  device_id: "d-1",
  ip: "10.0.0.1",
  event_timestamp: "2026-01-14T23:45:00.000Z"
}
const bytesOf = (text: string) => new TextEncoder().encode(text)
const withField = (name: string, written: string) => {
  const rest = Object.entries({ ...valid, [name]: undefined }).map(([key, value]) =>
    key === name ? `"${key}":${written}` : `"${key}":${JSON.stringify(value)}`
  )
  return `{${rest.join(",")}}`
}
/** What becomes of one line: its row's values, or `reason field`. */
const outcome = (line: string | Uint8Array) => {
  const expected = expectRawTransactions(typeof line === "string" ? bytesOf(line) : line)
  const [row] = expected.rows
  const [letter] = expected.deadLetters
  return row === undefined ? `${letter?.reason}${letter?.field === null ? "" : ` ${letter?.field}`}` : row.values
}
const fieldOutcome = (name: string, written: string) => {
  const result = outcome(withField(name, written))
  return typeof result === "string" ? result.replace(` ${name}`, "") : result[name]
}

describe("amounts", () => {
  it.each([
    ["12.3", "12.30"],
    ["1e3", "1000.00"],
    ["0.01", "0.01"],
    ["12.3400", "12.34"],
    ['"9999999999999999.99"', "9999999999999999.99"],
    ["90071992547409.93", "too_many_digits"],
    ["9007199254740993", "too_many_digits"],
    ["12.345", "too_many_digits"],
    ["1e400", "too_many_digits"],
    ['"99999999999999999.99"', "too_many_digits"],
    ["-1.00", "out_of_range"],
    ["0.00", "out_of_range"],
    ['"1e3"', "bad_format"],
    ['"012"', "bad_format"],
    ["true", "wrong_type"],
    ["null", "wrong_type"]
  ])("%s → %s", (written, expected) => {
    expect(fieldOutcome("amount", written)).toBe(expected)
  })
})

describe("event times", () => {
  it.each([
    ['"2026-01-15T00:30:00.000+01:00"', "2026-01-14T23:30:00.000000Z"],
    ['"2026-01-14T23:45:00.1234567Z"', "2026-01-14T23:45:00.123456Z"],
    ['"2026-01-14T23:45:00Z"', "2026-01-14T23:45:00.000000Z"],
    ['"2000-01-01T00:00:00.000Z"', "2000-01-01T00:00:00.000000Z"],
    ['"1999-12-31T23:59:59.999Z"', "event_time_out_of_range"],
    ['"2090-01-01T00:00:00.000Z"', "event_time_out_of_range"],
    ['"9999-12-31T00:00:00.000Z"', "event_time_out_of_range"],
    ['"2026-02-29T00:00:00.000Z"', "bad_format"],
    ['"2026-01-14T24:00:00.000Z"', "bad_format"],
    ["1768434300000", "wrong_type"]
  ])("%s → %s", (written, expected) => {
    expect(fieldOutcome("event_timestamp", written)).toBe(expected)
  })
})

describe("other fields", () => {
  it.each([
    ["transaction_id", '"not-a-uuid"', "bad_format"],
    ["country", '"us"', "bad_format"],
    ["type", '"gift"', "not_allowed"],
    ["lat", "90.0001", "out_of_range"],
    ["lat", "1e999", "out_of_range"],
    ["lon", "-0", "0"],
    ["city", '"half \\ud800"', "bad_format"],
    ["city", '"\\u00fc"', "ü"],
    ["label", "null", null],
    ["label", "3", "wrong_type"]
  ])("%s %s → %s", (name, written, expected) => {
    expect(fieldOutcome(name, written)).toBe(expected)
  })
})

describe("lines", () => {
  it.each([
    ["", "not_json"],
    ['{"a":', "not_json"],
    ["[]", "not_an_object"],
    ["null", "not_an_object"],
    ["{}", "missing_field transaction_id"],
    [withField("channel", '"fax"').replace('"country":"US"', '"country":1'), "wrong_type country"],
    [withField("nested", "[".repeat(128) + "]".repeat(128)), "not_json"]
  ])("%s → %s", (line, expected) => {
    // an empty file has no line at all
    expect(outcome(`${line}\n`)).toBe(expected)
  })
  it("are not UTF-8 by a single byte", () => {
    const line = bytesOf(JSON.stringify(valid))
    line[line.length - 3] = 0xff
    expect(outcome(line)).toBe("not_utf8")
  })
  it("end at line feeds, the last one perhaps without", () => {
    expect(linesOf(bytesOf("a\n\nb")).map((line) => line.length)).toEqual([1, 0, 1])
    expect(linesOf(bytesOf("a\n"))).toHaveLength(1)
    expect(linesOf(bytesOf(""))).toHaveLength(0)
  })
  it("that are too long keep their first bytes, length and hash", () => {
    const line = bytesOf(withField("filler", `"${"x".repeat(2_000_000)}"`))
    const [letter] = expectRawTransactions(line).deadLetters
    expect(letter).toMatchObject({
      reason: "record_too_long",
      field: null,
      partition: 0,
      originalLength: line.length,
      originalSha256: createHash("sha256").update(line).digest("hex"),
      original: Buffer.from(line.subarray(0, 1000)).toString("base64")
    })
  })
})

describe("dead letters", () => {
  it("hold long originals by their beginning, length and hash, though the log holds them whole", () => {
    const line = bytesOf("x".repeat(700_001))
    const { deadLetters, partitions } = expectRawTransactions(line)
    expect(deadLetters[0]).toMatchObject({ reason: "not_json", originalLength: 700_001 })
    expect(deadLetters[0]?.original).toBe(Buffer.from("x".repeat(1_000)).toString("base64"))
    expect(partitions[0]?.[0]?.value).toHaveLength(700_001)
    expect(expectRawTransactions(line.subarray(1)).deadLetters[0]?.originalLength).toBeNull()
  })
})

describe("a whole file", () => {
  const line = (account: string, amount: number, time: string) =>
    JSON.stringify({ ...valid, account_id: account, amount, event_timestamp: time })

  it("keeps the order of each partition, and sums cents by day", () => {
    const lines = [
      line("21", 1.5, "2026-01-14T23:00:00.000Z"),
      "broken",
      line("foobar", 2, "2026-01-15T00:00:00.000Z"),
      line("21", 0.25, "2026-01-15T01:00:00.000Z")
    ]
    const expected = expectRawTransactions(bytesOf(lines.join("\n")))
    // murmur2("21") and murmur2("foobar"), low 31 bits, modulo 4
    expect(expected.rows.map(({ line: at, partition, offset }) => [at, partition, offset])).toEqual([
      [1, 0, 0],
      [3, 2, 0],
      [4, 0, 2]
    ])
    expect(expected.deadLetters[0]).toMatchObject({ line: 2, partition: 0, offset: 1, reason: "not_json" })
    expect(expected.cents).toBe(375n)
    expect([...expected.days]).toEqual([
      ["2026-01-14", { rows: 1, cents: 150n }],
      ["2026-01-15", { rows: 2, cents: 225n }]
    ])
  })
  it("keeps unknown fields as they were written, and the last of members with one name", () => {
    const text = withField("x", "1.50").replace(/}$/, ` , "y" : [1, {"z":"]"}] ,"x":2.0,"amount":7}`)
    const [row] = expectRawTransactions(bytesOf(text)).rows
    expect(row?.extraFields).toBe(`{"x":2.0,"y":[1, {"z":"]"}]}`)
    expect(row?.values["amount"]).toBe("7.00")
  })
})

describe("the corpus", () => {
  const file = makeCorpus({ seed: 7, lines: 3_000, longLineBytes: [1_500_000] })
  const expected = expectRawTransactions(file)

  it("is the same for the same seed", () => {
    expect(Buffer.from(makeCorpus({ seed: 7, lines: 3_000 })).equals(Buffer.from(file))).toBe(true)
    expect(Buffer.from(makeCorpus({ seed: 8, lines: 3_000 })).equals(Buffer.from(file))).toBe(false)
  })
  it("adds up, and reaches every reason, partition and day", () => {
    expect(expected.rows.length + expected.deadLetters.length).toBe(expected.lines)
    expect(expected.rows.length).toBeGreaterThan(2_000)
    expect([...new Set(expected.deadLetters.map(({ reason }) => reason))].sort()).toEqual([
      "bad_format",
      "event_time_out_of_range",
      "missing_field",
      "not_allowed",
      "not_an_object",
      "not_json",
      "not_utf8",
      "out_of_range",
      "record_too_long",
      "too_many_digits",
      "wrong_type"
    ])
    expect(expected.partitions.every((records) => records.length > 100)).toBe(true)
    expect(expected.days.size).toBeGreaterThanOrEqual(3)
  })
})
