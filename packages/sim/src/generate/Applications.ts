/**
 * Loan applications from a seed: records of `loan_applications` as JSON bytes.
 *
 * RunGenerator paces it. Pure. **Guarantees**: the same seed and the same arrival times give the same bytes. Six in ten are
 * of customers that lending knows (`Customers`), unless told otherwise; the others name no customer, or one whom nobody
 * knows.
 */
import { drawSsn, generatedCustomers } from "./Customers.ts"
import { drawCents, makeAmountTables } from "./LogNormal.ts"
import { places } from "./Places.ts"
import { drawSlot, makeRandom, weightedSlots } from "./Random.ts"
import type { RecordSource } from "./RecordSource.ts"
import { byKeyBytes, makeRecordText, uuidOf } from "./RecordText.ts"

export interface ApplicationOptions {
  /** An integer. */
  readonly seed: number
  /** Part of the applications that comes from customers, 0–1. Default 0.6. */
  readonly knownShare?: number | undefined
}

const knownShareDefault = 0.6
/** One stranger in ten says to be a customer. */
const strangerNamedOneIn = 10
const strangersCount = 1_000_000
const merchantsCount = 500
const terms = [3, 6, 12, 24, 36]
/** In whole units of the currency, and sigma of its logarithm. */
const amountMedian = 900
const amountSigma = 1.1

export const makeApplications = (options: ApplicationOptions): RecordSource => {
  const random = makeRandom(options.seed)
  const customers = generatedCustomers()
  const homes = weightedSlots(places.map((place) => place.weight))
  const amounts = makeAmountTables()(amountMedian, amountSigma)
  const known = (options.knownShare ?? knownShareDefault) * 4_294_967_296
  const record = makeRecordText()

  const applicant = () => {
    if (random.bits() < known) {
      const customer = customers[random.below(customers.length)]!
      return { customer_id: customer.id, ssn: customer.ssn, home: customer.home }
    }
    const named = random.below(strangerNamedOneIn) === 0 ? `X${random.below(strangersCount)}` : undefined
    return { customer_id: named, ssn: drawSsn(random.bits), home: drawSlot(homes, random) }
  }
  return {
    partitioner: byKeyBytes,
    next: (arrivalMs) => {
      const { customer_id, home, ssn } = applicant()
      const place = places[home]!
      const application_id = uuidOf(random.bits)
      const json = JSON.stringify({
        application_id,
        ...(customer_id === undefined ? {} : { customer_id }),
        ssn,
        amount: drawCents(amounts, random) / 100,
        currency: place.currency,
        merchant_id: `M${String(random.below(merchantsCount)).padStart(4, "0")}`,
        term_months: terms[random.below(terms.length)],
        country: place.country,
        applied_at: new Date(arrivalMs).toISOString()
      })
      return record(json, customer_id ?? application_id)
    }
  }
}
