/**
 * Writes one transaction as JSON in the field order of `raw-transactions` (contracts.md), or as one of the broken forms
 * that tests ask for.
 *
 * Transactions fills a draft and calls it. It draws from chance only what nothing else depends on: the id, the
 * merchant's number, the place within the city.
 */
import { type FraudLabel, fraudLabels } from "./Fraud.ts"
import { channels, merchantCategories, merchantsPerCategory, transactionTypes } from "./Merchants.ts"
import { places } from "./Places.ts"
import type { Random } from "./Random.ts"
import type { RecordBytes } from "./RecordBytes.ts"

/** Ways to break a record, each drawn with the same chance. */
export const invalidKinds = [
  "account_missing",
  "amount_negative",
  "amount_text",
  "time_malformed",
  "cut_short"
] as const
export type InvalidKind = (typeof invalidKinds)[number]
/** A truncated record loses this many bytes at its end. */
const cutBytes = 40

/** Positions scatter around the centre of a city by up to this many hundred-thousandths of a degree each way. */
const scatter = 10_000

const encoder = new TextEncoder()
/** ASCII text as bytes. */
export const segmentOf = (text: string): Uint8Array => encoder.encode(text)

/** Constant parts of the text, in the order in which a record meets them. */
const segments = {
  id: segmentOf(`{"transaction_id":"`),
  account: segmentOf(`","account_id":"`),
  accountMissing: segmentOf(`"`),
  amount: segmentOf(`","amount":`),
  amountMissingKey: segmentOf(`,"amount":`),
  minus: segmentOf("-"),
  amountText: segmentOf(`"much"`),
  currency: segmentOf(`,"currency":"`),
  currencies: places.map((place) => segmentOf(place.currency)),
  dollar: segmentOf("USD"),
  types: transactionTypes.map((name) => segmentOf(`","type":"${name}","merchant_id":"M`)),
  categories: merchantCategories.map((category) => segmentOf(`","merchant_category":"${category.name}","country":"`)),
  places: places.map((place) => segmentOf(`${place.country}","city":"${place.city}","lat":`)),
  lon: segmentOf(`,"lon":`),
  channels: channels.map((name) => segmentOf(`,"channel":"${name}","device_id":"`)),
  ip: segmentOf(`","ip":"`),
  time: segmentOf(`","event_timestamp":"`),
  timeMalformed: segmentOf(`yesterday`),
  labels: new Map(fraudLabels.map((label) => [label, segmentOf(`","label":"${label}"}`)])),
  end: segmentOf(`"}`)
}

/**
 * The fields of one record before it is written. Type, category, channel and place are indexes into their lists.
 * Reused.
 */
export interface TransactionDraft {
  accountId: Uint8Array
  cents: number
  dollar: boolean
  type: number
  category: number
  channel: number
  place: number
  device: Uint8Array
  ip: Uint8Array
  eventMs: number
  label: FraudLabel | undefined
  invalid: InvalidKind | undefined
}

/** Writes UUIDs of version 7: 48 bits of arrival time, a count within the millisecond, 62 random bits. */
const makeIdWriter = (out: RecordBytes, random: Random): ((arrivalMs: number) => void) => {
  const dash = segmentOf("-")
  let lastMs = -1
  let count = 0
  return (arrivalMs) => {
    // past 4,096 in a millisecond the count starts over: still unique, no longer ascending within that millisecond
    count = arrivalMs === lastMs ? (count + 1) & 0xfff : 0
    lastMs = arrivalMs
    out.hex(Math.floor(arrivalMs / 65_536), 8)
    out.segment(dash)
    out.hex(arrivalMs % 65_536, 4)
    out.segment(dash)
    out.hex(0x7000 | count, 4)
    out.segment(dash)
    const high = random.bits()
    out.hex(0x8000 | (high & 0x3fff), 4)
    out.segment(dash)
    out.hex(high >>> 16, 4)
    out.hex(random.bits(), 8)
  }
}

const dayMs = 86_400_000

/** Writes ISO-8601 in UTC with milliseconds; the text of the day is kept from call to call. */
const makeTimeWriter = (out: RecordBytes): ((timeMs: number) => void) => {
  const colon = segmentOf(":")
  const point = segmentOf(".")
  const zulu = segmentOf("Z")
  let day = NaN
  let dayText: Uint8Array = new Uint8Array()
  return (timeMs) => {
    const today = Math.floor(timeMs / dayMs)
    if (today !== day) {
      day = today
      dayText = segmentOf(new Date(today * dayMs).toISOString().slice(0, 11))
    }
    const ms = timeMs - today * dayMs
    out.segment(dayText)
    out.padded(Math.floor(ms / 3_600_000), 2)
    out.segment(colon)
    out.padded(Math.floor(ms / 60_000) % 60, 2)
    out.segment(colon)
    out.padded(Math.floor(ms / 1_000) % 60, 2)
    out.segment(point)
    out.padded(ms % 1_000, 3)
    out.segment(zulu)
  }
}

/** Writes a draft; returns where its key starts, or −1 when a reader of the record would find none. */
export const makeTransactionWriter = (
  out: RecordBytes,
  random: Random
): ((draft: TransactionDraft, arrivalMs: number) => number) => {
  const writeId = makeIdWriter(out, random)
  const writeTime = makeTimeWriter(out)

  const writeAccountAndAmount = (draft: TransactionDraft): number => {
    let keyStart = -1
    if (draft.invalid === "account_missing") {
      out.segment(segments.accountMissing)
      out.segment(segments.amountMissingKey)
    } else {
      out.segment(segments.account)
      keyStart = out.length()
      out.segment(draft.accountId)
      out.segment(segments.amount)
    }
    if (draft.invalid === "amount_text") out.segment(segments.amountText)
    else {
      if (draft.invalid === "amount_negative") out.segment(segments.minus)
      out.hundredths(draft.cents)
    }
    return keyStart
  }
  const writePlace = (draft: TransactionDraft): void => {
    const place = places[draft.place]!
    out.segment(segments.places[draft.place]!)
    out.coordinate(place.lat + (random.below(2 * scatter) - scatter) / 100_000)
    out.segment(segments.lon)
    out.coordinate(place.lon + (random.below(2 * scatter) - scatter) / 100_000)
  }
  return (draft, arrivalMs) => {
    out.clear()
    out.segment(segments.id)
    writeId(arrivalMs)
    const keyStart = writeAccountAndAmount(draft)
    out.segment(segments.currency)
    out.segment(draft.dollar ? segments.dollar : segments.currencies[draft.place]!)
    out.segment(segments.types[draft.type]!)
    out.padded(draft.category * merchantsPerCategory + random.below(merchantsPerCategory), 5)
    out.segment(segments.categories[draft.category]!)
    writePlace(draft)
    out.segment(segments.channels[draft.channel]!)
    out.segment(draft.device)
    out.segment(segments.ip)
    out.segment(draft.ip)
    out.segment(segments.time)
    if (draft.invalid === "time_malformed") out.segment(segments.timeMalformed)
    else writeTime(draft.eventMs)
    out.segment(draft.label === undefined ? segments.end : segments.labels.get(draft.label)!)
    if (draft.invalid === "cut_short") out.cut(out.length() - cutBytes)
    return draft.invalid === "cut_short" ? -1 : keyStart
  }
}
