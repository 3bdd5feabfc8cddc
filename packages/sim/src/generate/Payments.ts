/**
 * Payments on claims from a seed: records of `payment-events` as JSON bytes.
 *
 * RunGenerator paces it. Pure. **Guarantees**: the same seed and the same arrival times give the same bytes. Claims are
 * those that `frazil claims seed` makes: `CL` and eight digits, from 1 on. A part of the payments, 2 % unless told
 * otherwise, names claims that do not exist (`CX…`), and is labelled so towards the generator, not in the record.
 */
import { drawCents, makeAmountTables } from "./LogNormal.ts"
import { makeRandom } from "./Random.ts"
import type { RecordSource } from "./RecordSource.ts"
import { byKeyBytes, makeRecordText, uuidOf } from "./RecordText.ts"

export interface PaymentOptions {
  /** An integer. */
  readonly seed: number
  /** Claims that there are. Default 10,000. */
  readonly claims?: number | undefined
  /** Part of the payments whose claim does not exist, 0–1. Default 0.02. */
  readonly unknownShare?: number | undefined
}

export const claimsCountDefault = 10_000
const unknownShareDefault = 0.02
const processorsCount = 20
const amountMedian = 400
const amountSigma = 1.3

const numbered = (prefix: string, number: number) => `${prefix}${String(number).padStart(8, "0")}`

export const makePayments = (options: PaymentOptions): RecordSource => {
  const random = makeRandom(options.seed)
  const claims = options.claims ?? claimsCountDefault
  const unknown = (options.unknownShare ?? unknownShareDefault) * 4_294_967_296
  const amounts = makeAmountTables()(amountMedian, amountSigma)
  const record = makeRecordText()
  return {
    partitioner: byKeyBytes,
    next: (arrivalMs) => {
      const exists = random.bits() >= unknown
      const number = 1 + (random.bits() % claims)
      const claim_id = numbered(exists ? "CL" : "CX", number)
      const json = JSON.stringify({
        payment_id: uuidOf(random.bits),
        claim_id,
        payment_amount: drawCents(amounts, random) / 100,
        payment_date: new Date(arrivalMs).toISOString(),
        processor_id: `PR${String(random.below(processorsCount)).padStart(2, "0")}`
      })
      return record(json, claim_id, exists ? undefined : "unknown_claim")
    }
  }
}
