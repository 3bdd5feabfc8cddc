/**
 * The account holders of the generated world: 1,000, each with a home, a few devices and addresses.
 *
 * They depend on nothing but their number, so that every seed and every run speaks of the same people.
 */
import { places } from "./Places.ts"
import { drawSlot, makeRandom, weightedSlots } from "./Random.ts"

export interface Account {
  /** `ACC` and seven digits. */
  readonly id: string
  /** Index in `places`. */
  readonly home: number
  readonly deviceIds: ReadonlyArray<string>
  readonly ips: ReadonlyArray<string>
}

const accountsCount = 1_000
const accountSeed = 0xacc0_0000
const devicesMax = 3
const ipsCount = 4

/** A device identifier of 48 random bits. */
export const deviceId = (bits: () => number): string => {
  const hex = (digits: number) => bits().toString(16).padStart(8, "0").slice(0, digits)
  return `d-${hex(8)}${hex(4)}`
}

/** An IPv4 address outside the private and the local ranges. */
export const ipAddress = (bits: () => number): string => {
  const b = bits()
  return `${11 + (b & 63)}.${(b >>> 8) & 255}.${(b >>> 16) & 255}.${1 + ((b >>> 24) & 127)}`
}

/** All accounts in the order of their use: the first is used most. */
export const makeAccounts = (): ReadonlyArray<Account> => {
  const homes = weightedSlots(places.map((place) => place.weight))
  return Array.from({ length: accountsCount }, (_, rank): Account => {
    // spread over a million numbers, so that neither order nor gaps tell the rank
    const number = ((rank * 7_919) % accountsCount) * 997 + 13
    const random = makeRandom(accountSeed + number)
    return {
      id: `ACC${String(number).padStart(7, "0")}`,
      home: drawSlot(homes, random),
      deviceIds: Array.from({ length: 1 + random.below(devicesMax) }, () => deviceId(random.bits)),
      ips: Array.from({ length: ipsCount }, () => ipAddress(random.bits))
    }
  })
}

/** Use of the accounts by rank: a few are busy, all are used. */
export const accountWeights = (): ReadonlyArray<number> =>
  Array.from({ length: accountsCount }, (_, rank) => 1 / (rank + 10))
