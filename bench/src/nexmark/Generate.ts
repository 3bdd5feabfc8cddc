/**
 * Nexmark events from a seed: the proportions and distributions of nexmark-flink's generator, with chance of our own.
 *
 * Of 50 events one is a person, three are auctions, 46 are bids. Half of the bids go to the hot auction, three quarters of
 * them and of the auctions come from the hot bidder and the hot seller; a few name persons and auctions that come only
 * later. Same options, same bytes.
 */
import { makeRandom, type Random } from "@frazil/sim"
import type { EventType } from "./Event.ts"

export interface GenerateOptions {
  readonly seed: number
  /** Events in a second of event time. Default 10,000, as in Nexmark. */
  readonly rate?: number
  /** So many events in a row come in another order, their times kept. Default 1: all in order. */
  readonly outOfOrderGroup?: number
}

const [personShare, auctionShare] = [1, 3]
const share = 50
const firstId = 1000
const firstCategory = 10
const categories = 5
/** 2015-07-15T00:00:00Z, Nexmark's. */
const baseMs = 1_436_918_400_000
const activePeople = 1000
const auctionsInFlight = 100
/** Ids ahead of the last one, which events may name. */
const idLead = 10
/** Of so many ids in a row one is hot. */
const hotEvery = 100
const channelsCount = 10_000

const states = ["AZ", "CA", "ID", "OR", "WA", "WY"]
const cities = "Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne".split(",")
const firstNames = "Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter".split(",")
const lastNames = "Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris".split(",")
const hotChannels = ["Google", "Facebook", "Baidu", "Apple"]

/** An average event's bytes by kind, which `extra` fills up to. */
const bytes: Readonly<Record<EventType, number>> = { person: 200, auction: 500, bid: 100 }

const letters = "abcdefghijklmnopqrstuvwxyz"

const pick = <V>(random: Random, values: ReadonlyArray<V>): V => values[random.below(values.length)]!

const word = (random: Random, lengthMax: number, special: string): string => {
  let text = ""
  for (let left = 3 + random.below(lengthMax - 3); left > 0; left--) {
    text += random.below(13) === 0 ? special : letters[random.below(26)]!
  }
  return text.trim()
}

const letterText = (random: Random, length: number): string => {
  let text = ""
  for (let left = length; left > 0; left--) text += letters[random.below(26)]!
  return text
}

/** Fills an event of `used` bytes up to its kind's average, a fifth more or less. */
const extraOf = (random: Random, kind: EventType, used: number): string => {
  const wanted = bytes[kind] - used
  if (wanted < 0) return ""
  const delta = Math.round(wanted * 0.2)
  return letterText(random, wanted - delta + (delta === 0 ? 0 : random.below(2 * delta)))
}

/** Cents, from 1 to 1,000,000 dollars, each power of ten as likely as another. */
const priceOf = (random: Random): number => Math.round(10 ** ((random.bits() / 4_294_967_296) * 6) * 100)

const urlOf = (random: Random): string =>
  `https://www.nexmark.com/${word(random, 5, "_")}/${word(random, 5, "_")}/${word(random, 5, "_")}/item.htm?query=1`

/** `Integer.reverse` of Java, without its sign. */
const reversedBits = (value: number): number => {
  let reversed = 0
  for (let bit = 0; bit < 32; bit++) reversed = (reversed << 1) | ((value >>> bit) & 1)
  return Math.abs(reversed)
}

interface Channel {
  readonly channel: string
  readonly url: string
}

const channelsOf = (random: Random) => ({
  hot: hotChannels.map((channel): Channel => ({ channel, url: urlOf(random) })),
  others: Array.from({ length: channelsCount }, (_, index): Channel => {
    const url = urlOf(random)
    const known = random.below(10) > 0
    return { channel: `channel-${index}`, url: known ? `${url}&channel_id=${reversedBits(index)}` : url }
  })
})

/** The last person at event `number`, counted from 0: persons come first of each 50. */
const lastPerson = (number: number): number => Math.floor(number / share) * personShare

const lastAuction = (number: number): number => {
  const offset = number % share
  const round = Math.floor(number / share)
  if (offset < personShare) return round * auctionShare - 1
  return round * auctionShare + Math.min(offset - personShare, auctionShare - 1)
}

const somePerson = (random: Random, number: number): number => {
  const people = lastPerson(number) + 1
  const active = Math.min(people, activePeople)
  return firstId + people - active + random.below(active + idLead)
}

const someAuction = (random: Random, number: number): number => {
  const last = lastAuction(number)
  const least = Math.max(last - auctionsInFlight, 0)
  return firstId + least + random.below(last - least + 1 + idLead)
}

const hot = (last: number): number => Math.floor(last / hotEvery) * hotEvery

const pad = (value: number): string => String(value).padStart(4, "0")

interface Clock {
  readonly timeMs: (number: number) => number
}

const person = (random: Random, number: number, { timeMs }: Clock) => {
  const name = `${pick(random, firstNames)} ${pick(random, lastNames)}`
  const email_address = `${word(random, 7, " ")}@${word(random, 5, " ")}.com`
  const credit_card = [0, 1, 2, 3].map(() => pad(random.below(10_000))).join(" ")
  const city = pick(random, cities)
  const state = pick(random, states)
  return {
    event_type: "person",
    id: firstId + lastPerson(number),
    name,
    email_address,
    credit_card,
    city,
    state,
    date_time: new Date(timeMs(number)).toISOString(),
    extra: extraOf(random, "person", 8 + name.length + email_address.length + 19 + city.length + state.length)
  }
}

const auction = (random: Random, number: number, { timeMs }: Clock) => {
  const seller = random.below(4) > 0 ? firstId + hot(lastPerson(number)) : somePerson(random, number)
  const category = firstCategory + random.below(categories)
  const initial_bid = priceOf(random)
  const at = timeMs(number)
  // as long as it takes for `auctionsInFlight` more auctions to come, on average
  const horizonMs = timeMs(number + Math.floor((auctionsInFlight * share) / auctionShare)) - at
  const lengthMs = 1 + Math.floor((random.bits() / 4_294_967_296) * Math.max(horizonMs * 2, 1))
  const item_name = word(random, 20, " ")
  const description = word(random, 100, " ")
  return {
    event_type: "auction",
    id: firstId + lastAuction(number),
    item_name,
    description,
    initial_bid,
    reserve: initial_bid + priceOf(random),
    date_time: new Date(at).toISOString(),
    expires: new Date(at + lengthMs).toISOString(),
    seller,
    category,
    extra: extraOf(random, "auction", 48 + item_name.length + description.length)
  }
}

const bid = (random: Random, number: number, { timeMs }: Clock, channels: ReturnType<typeof channelsOf>) => {
  const to = random.below(2) > 0 ? firstId + hot(lastAuction(number)) : someAuction(random, number)
  // the second of a hundred, so that hot bidder and hot seller are two
  const bidder = random.below(4) > 0 ? firstId + hot(lastPerson(number)) + 1 : somePerson(random, number)
  const { channel, url } = pick(random, random.below(2) > 0 ? channels.hot : channels.others)
  return {
    event_type: "bid",
    auction: to,
    bidder,
    price: priceOf(random),
    channel,
    url,
    date_time: new Date(timeMs(number)).toISOString(),
    extra: extraOf(random, "bid", 32)
  }
}

/** Gives the next event's line each time it is called. */
export const makeNexmark = ({ outOfOrderGroup = 1, rate = 10_000, seed }: GenerateOptions): (() => string) => {
  const random = makeRandom(seed)
  const channels = channelsOf(random)
  const clock: Clock = { timeMs: (number) => baseMs + Math.floor((number * 1000) / rate) }
  let made = 0
  return () => {
    // 953 is a prime: within a group every number comes once
    const number = made - (made % outOfOrderGroup) + ((made * 953) % outOfOrderGroup)
    made++
    const kind = number % share
    if (kind < personShare) return JSON.stringify(person(random, number, clock))
    return JSON.stringify(
      kind < personShare + auctionShare ? auction(random, number, clock) : bid(random, number, clock, channels)
    )
  }
}
