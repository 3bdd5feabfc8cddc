/**
 * Transactions to simulate: few accounts, so that windows fill; pauses, so that they close; some late, some far ahead, some
 * broken. About one in ten is no record at all.
 */
import type { Random } from "../generate/Random.ts"

/** Half past midnight in London, in the night of Berlin. */
const startMs = Date.UTC(2026, 0, 14, 0, 20)
const stepsMs = [0, 1_000, 5_000, 15_000, 30_000, 45_000]
const pausesMs = [400_000, 1_500_000]
/** Within a window's lateness, across its end, and beyond it. */
const latenessMs = [3_000, 40_000, 200_000, 330_000, 420_000, 640_000, 3_000_000]
const leadMs = 2 * 3_600_000
const leadsInRow = 4

const amounts = ["12.50", "800", "899.99", "9999.99", "10000", "4000.01", "0.01", '"12000.00"', "1e3"]
const places = [
  ["DE", "Berlin", "52.52", "13.4"],
  ["GB", "London", "51.5", "-0.1"],
  ["BR", "São Paulo", "-23.5", "-46.6"]
] as const
const types = ["purchase", "purchase", "withdrawal", "transfer", "refund"]

type Spoil = (line: string, random: Random) => string

/** Each makes a line that does not decode, or only the slow way. */
const spoils: ReadonlyArray<Spoil> = [
  (line, random) => line.slice(0, random.below(line.length)),
  (line) => line.replace(/"amount":[^,]+/, '"amount":-1'),
  (line) => line.replace(/"amount":[^,]+/, '"amount":12.345'),
  (line) => line.replace(/"country":"../, '"country":"xx'),
  (line) => line.replace(/"account_id":"[^"]*",/, ""),
  (line) => line.replace("2026-01", "1999-01"),
  (line) => line.replace("{", '{"unknown":{"a":[1,2]},'),
  (line) => line.replace('"city":"', '"city":"\\u00fc')
]

/** The next line, by turns. */
export const transactionLine = (random: Random): (() => string) => {
  let number = 0
  let atMs = startMs
  let leads = 0
  const pick = <A>(values: ReadonlyArray<A>): A => values[random.below(values.length)]!
  return () => {
    atMs += random.below(40) === 0 ? pick(pausesMs) : pick(stepsMs)
    if (leads > 0) leads--
    else if (random.below(60) === 0) leads = 1 + random.below(leadsInRow)
    const late = random.below(8) === 0 ? pick(latenessMs) : 0
    const event = new Date(atMs - late + (leads > 0 ? leadMs : 0)).toISOString()
    const [country, city, lat, lon] = pick(places)
    const uuid = `00000000-0000-4000-8000-${String(number++).padStart(12, "0")}`
    const account = `ACC000000${Math.min(random.below(5), random.below(5))}`
    const line = `{"transaction_id":"${uuid}","account_id":"${account}","amount":${pick(amounts)},"currency":"EUR","type":"${pick(types)}","merchant_id":"M1","merchant_category":"grocery","country":"${country}","city":"${city}","lat":${lat},"lon":${lon},"channel":"pos","device_id":"d-1","ip":"10.0.0.1","event_timestamp":"${event}"}`
    return random.below(10) === 0 ? pick(spoils)(line, random) : line
  }
}
