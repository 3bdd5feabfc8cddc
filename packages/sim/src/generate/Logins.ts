/**
 * Attempts to log in from a seed: records of `authentication` as JSON bytes.
 *
 * RunGenerator paces it. Pure. **Guarantees**: the same seed and the same arrival times give the same bytes. Users log in
 * from addresses of their own and mistype now and then; a part of the attempts, 3 % unless told otherwise, belongs to
 * guessing: an address of its own tries several users in a row, a third of them with success in the end. Those are labelled
 * so towards the generator, not in the record.
 */
import { places } from "./Places.ts"
import { makeRandom, type Random, weightedSlots, drawSlot } from "./Random.ts"
import type { RecordSource } from "./RecordSource.ts"
import { byKeyBytes, makeRecordText } from "./RecordText.ts"

export interface LoginOptions {
  /** An integer. */
  readonly seed: number
  /** Part of the attempts that belongs to guessing, 0–1. Default 0.03. */
  readonly guessShare?: number | undefined
}

export const guessShareDefault = 0.03
const usersCount = 1_000
const mistypedOneIn = 20
/** Attempts of one guessing. */
const guessesMin = 4
const guessesSpread = 8
const succeedsOneIn = 3

interface Guessing {
  readonly ip: string
  left: number
  readonly succeeds: boolean
}

const addressOf = (block: number, number: number) =>
  `${block}.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`

const begin = (random: Random): Guessing => ({
  // documentation's own block is too small: one that is routed nowhere
  ip: addressOf(240, random.bits() & 0xffffff),
  left: guessesMin + random.below(guessesSpread),
  succeeds: random.below(succeedsOneIn) === 0
})

export const makeLogins = (options: LoginOptions): RecordSource => {
  const random = makeRandom(options.seed)
  const share = (options.guessShare ?? guessShareDefault) * 4_294_967_296
  const slots = weightedSlots(places.map(({ weight }) => weight))
  const record = makeRecordText()
  let guessing: Guessing | undefined
  return {
    partitioner: byKeyBytes,
    next: (arrivalMs) => {
      const guess = random.bits() < share
      const user = random.below(usersCount)
      let ip = addressOf(10, user)
      let failed = random.below(mistypedOneIn) === 0
      if (guess) {
        if (guessing === undefined || guessing.left === 0) guessing = begin(random)
        guessing.left--
        ip = guessing.ip
        failed = guessing.left > 0 || !guessing.succeeds
      }
      const json = JSON.stringify({
        user_id: `U${String(user).padStart(4, "0")}`,
        result: failed ? "failed" : "success",
        ip,
        country: places[drawSlot(slots, random)]!.country,
        timestamp: new Date(arrivalMs).toISOString()
      })
      return record(json, ip, guess ? "guessing" : undefined)
    }
  }
}
