/**
 * The table of the lake's benchmarks: sixteen columns of card transactions, with the kinds of columns that such tables have.
 *
 * As a schema of ours, as SQL that makes its rows, and as data files whose bytes nobody reads: what planning and commits look at.
 */
import { type DataFile, DuckDb, type TableSchema } from "@frazil/lake"
import { Effect } from "effect"

export const table = { namespace: "bench", name: "sixteen" }

/** Microseconds since 1970 of 2026-01-01. */
export const startMicros = 1_767_225_600_000_000n
export const dayMicros = 86_400_000_000n

const text = { _tag: "string" } as const
const double = { _tag: "double" } as const

const columns = [
  ["transaction_id", text],
  ["account_id", text],
  ["event_timestamp", { _tag: "timestamptz" }],
  ["amount", { _tag: "decimal", precision: 18, scale: 2 }],
  ["currency", text],
  ["type", text],
  ["merchant_id", text],
  ["merchant_category", text],
  ["country", text],
  ["city", text],
  ["lat", double],
  ["lon", double],
  ["channel", text],
  ["device_id", text],
  ["ip", text],
  ["source_offset", { _tag: "long" }]
] as const

export const schema: TableSchema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: columns.map(([name, type], index) => ({ id: index + 1, name, required: false, type }))
}

export const fieldId = (name: (typeof columns)[number][0]): number => columns.findIndex(([each]) => each === name) + 1

/** Rows `from` to `to`; `perDay` of them make a day, so that a table by day gets as many days as asked. */
export const rowsSql = (from: number, to: number, perDay: number): string => `
  SELECT md5('tx-' || i)::UUID::VARCHAR AS transaction_id,
    'acc-' || lpad((hash(i) % 100000)::VARCHAR, 6, '0') AS account_id,
    make_timestamptz(${startMicros} + (i::DOUBLE * ${Number(dayMicros) / perDay})::BIGINT) AS event_timestamp,
    ((hash(i + 1) % 10000000) / 100)::DECIMAL(18, 2) AS amount,
    ['EUR', 'USD', 'GBP', 'CHF'][1 + (hash(i + 2) % 4)::INTEGER] AS currency,
    ['purchase', 'refund', 'withdrawal'][1 + (hash(i + 3) % 3)::INTEGER] AS type,
    'mer-' || (hash(i + 4) % 20000) AS merchant_id,
    'category-' || (hash(i + 5) % 40) AS merchant_category,
    ['DE', 'FR', 'GB', 'US', 'CH', 'IT'][1 + (hash(i + 6) % 6)::INTEGER] AS country,
    'city-' || (hash(i + 7) % 500) AS city,
    ((hash(i + 8) % 1800000) / 10000 - 90)::DOUBLE AS lat,
    ((hash(i + 9) % 3600000) / 10000 - 180)::DOUBLE AS lon,
    ['web', 'pos', 'atm', 'app'][1 + (hash(i + 10) % 4)::INTEGER] AS channel,
    'dev-' || lpad((hash(i + 11) % 300000)::VARCHAR, 8, '0') AS device_id,
    '10.' || (hash(i + 12) % 256) || '.' || (hash(i + 13) % 256) || '.' || (hash(i + 14) % 256) AS ip,
    i::BIGINT AS source_offset
  FROM range(${from}, ${to}) AS r(i)`

const utf8 = new TextEncoder()
const eight = (write: (view: DataView) => void): Uint8Array => {
  const bytes = new Uint8Array(8)
  write(new DataView(bytes.buffer))
  return bytes
}
const longBytes = (value: bigint) => eight((view) => view.setBigInt64(0, value, true))
const doubleBytes = (value: number) => eight((view) => view.setFloat64(0, value, true))

const rowsOfFile = 10_000

/** File `index`, whose rows lie in `day`; a twentieth of all accounts is in it. */
export const unreadFile = (index: number, day: number, partition: DataFile["partition"], folder: string): DataFile => {
  const at = startMicros + BigInt(day) * dayMicros + BigInt(index % 1000) * 80_000_000n
  // Knuth's multiplicative hash: files of one day differ in the accounts that they hold
  const account = (Math.imul(index, 2_654_435_761) >>> 0) % 95_000
  const texts = (low: string, high: string) => [utf8.encode(low), utf8.encode(high)] as const
  const bounds: ReadonlyArray<readonly [Uint8Array, Uint8Array]> = [
    texts(
      `0000${(index & 0xffff).toString(16).padStart(4, "0")}-5b2e-4`,
      `ffff${(index & 0xffff).toString(16).padStart(4, "0")}-c1d7-4`
    ),
    texts(`acc-${String(account).padStart(6, "0")}`, `acc-${String(account + 4999).padStart(6, "0")}`),
    [longBytes(at), longBytes(at + 79_999_999n)],
    [Uint8Array.of(1, index & 0x7f), Uint8Array.of(0x0f, 0x42, index & 0xff)],
    texts("CHF", "USD"),
    texts("purchase", "withdrawal"),
    texts(`mer-${index % 7}`, `mer-9${index % 1000}`),
    texts("category-0", "category-9"),
    texts("CH", "US"),
    texts(`city-${index % 9}`, "city-99"),
    [doubleBytes(-90 + index / 1e6), doubleBytes(90 - index / 1e6)],
    [doubleBytes(-180 + index / 1e6), doubleBytes(180 - index / 1e6)],
    texts("app", "web"),
    texts(`dev-${String(index % 300).padStart(8, "0")}`, `dev-${String(300_000 - (index % 300)).padStart(8, "0")}`),
    texts(`10.0.${index % 256}.0`, "10.99.9.9"),
    [longBytes(BigInt(index * rowsOfFile)), longBytes(BigInt((index + 1) * rowsOfFile - 1))]
  ]
  const each = <A>(value: (i: number) => A): ReadonlyMap<number, A> => new Map(columns.map((_, i) => [i + 1, value(i)]))
  return {
    filePath: `file://${folder}/part-${String(index).padStart(8, "0")}-2f1c7c0e-6f0f-4c11-9d6b-5f3f9f1f7a10.parquet`,
    fileFormat: "PARQUET",
    specId: 0,
    partition,
    recordCount: BigInt(rowsOfFile),
    fileSizeInBytes: BigInt(400_000 + ((index * 31) % 50_000)),
    columnSizes: each((i) => BigInt(20_000 + ((index * (i + 3)) % 5_000))),
    valueCounts: each(() => BigInt(rowsOfFile)),
    nullValueCounts: each(() => 0n),
    nanValueCounts: new Map([
      [fieldId("lat"), 0n],
      [fieldId("lon"), 0n]
    ]),
    lowerBounds: each((i) => bounds[i]![0]),
    upperBounds: each((i) => bounds[i]![1]),
    splitOffsets: [4n],
    sortOrderId: null
  }
}

const sourceRowsMax = 122_880

/** Writes the rows as one Parquet file without field ids, as another system would hand it over. */
export const makeSource = Effect.fn("makeSource")(function* (path: string, rows: number, perDay: number) {
  const connection = yield* (yield* DuckDb).connect
  yield* connection.run(
    `COPY (${rowsSql(0, rows, perDay)}) TO '${path}' (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE ${sourceRowsMax})`,
    "making the source"
  )
}, Effect.scoped)
