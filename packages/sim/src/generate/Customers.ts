/**
 * The customers that lending knows: 1,000, each with a number, a score, an income and a limit.
 *
 * They depend on nothing but their number, so that every seed and every run speaks of the same people. Applications draws
 * from them; as a source of records they seed the topic `customers`, one record each.
 */
import { places } from "./Places.ts"
import { drawSlot, makeRandom, weightedSlots } from "./Random.ts"
import type { RecordSource } from "./RecordSource.ts"
import { byKeyBytes, makeRecordText } from "./RecordText.ts"

interface GeneratedCustomer {
  /** `C` and six digits. */
  readonly id: string
  readonly name: string
  readonly ssn: string
  readonly creditScore: number
  readonly income: number
  readonly creditLimit: number
  /** Index in `places`. */
  readonly home: number
  /** Days since 2010-01-01. */
  readonly sinceDays: number
}

export const customersCount = 1_000
const customerSeed = 0xc057_0000
const sinceMs = Date.UTC(2010, 0, 1)
const sinceDaysMax = 5_000
const dayMs = 86_400_000

const firstNames = ["Ada", "Ben", "Chioma", "Diego", "Emi", "Fatima", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lena"]
const lastNames = ["Abe", "Brown", "Costa", "Diaz", "Ekwueme", "Fischer", "Garcia", "Hall", "Ito", "Jansen", "Khan"]

/** A number of nine digits that begins with none of 0 and 9, which real ones never do. */
export const drawSsn = (bits: () => number): string => String(100_000_000 + (bits() % 800_000_000))

export const generatedCustomers = (): ReadonlyArray<GeneratedCustomer> => {
  const random = makeRandom(customerSeed)
  const homes = weightedSlots(places.map((place) => place.weight))
  return Array.from({ length: customersCount }, (_, index) => ({
    id: `C${String(index).padStart(6, "0")}`,
    name: `${firstNames[random.below(firstNames.length)]} ${lastNames[random.below(lastNames.length)]}`,
    ssn: drawSsn(random.bits),
    creditScore: 450 + random.below(401),
    income: 18_000 + 500 * random.below(300),
    creditLimit: 500 * (1 + random.below(40)),
    home: drawSlot(homes, random),
    sinceDays: random.below(sinceDaysMax)
  }))
}

/** Each customer once, in the order of their ids; then again from the first. */
export const makeCustomers = (): RecordSource => {
  const customers = generatedCustomers()
  const record = makeRecordText()
  let made = 0
  return {
    partitioner: byKeyBytes,
    next: () => {
      const customer = customers[made++ % customers.length]!
      const since = new Date(sinceMs + customer.sinceDays * dayMs).toISOString().slice(0, 10)
      const json = JSON.stringify({
        customer_id: customer.id,
        name: customer.name,
        credit_score: customer.creditScore,
        income: customer.income,
        credit_limit: customer.creditLimit,
        home_country: places[customer.home]!.country,
        since
      })
      return record(json, customer.id)
    }
  }
}
