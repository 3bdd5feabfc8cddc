/**
 * Payments on claims (system S3): each payment with what the table of claims says, or among the failed with its reason.
 *
 * `makeClaims` asks the service that who runs it provides; `makeLargeClaims` keeps the enriched payments over a bound. A database
 * that is down fails payments, which are sent again once it is back: nobody waits for them as lending's applicants do.
 */
import { Decimal, expr, type Timestamp } from "@frazil/core"
import { Flow, Job } from "@frazil/engine"
import { EnrichedPayments, FailedPayments, LargeClaims, PaymentEvents } from "@frazil/model"
import { Claims } from "./lookups/Claims.ts"

const status = { ClaimNotFound: "CLAIM_NOT_FOUND", DbError: "DB_ERROR", DbTimeout: "DB_TIMEOUT" } as const

/** Claims whose answers are kept, unless who runs the flow says otherwise. */
export const claimsCachedDefault = 10_000

/** Payments with their claims. `cached` claims at most are kept for a minute; 0 asks about every payment. */
export const makeClaims = (cached: number) =>
  Job.make("claims", [
    Flow.from(PaymentEvents).pipe(
      Flow.lookup(Claims, {
        key: "claim_id",
        policy: {
          timeout: "5 seconds",
          whileUnavailable: "fail",
          batch: { keysMax: 200 },
          ...(cached === 0 ? {} : { cache: { entriesMax: cached, ttl: "1 minute", negativeTtl: "5 seconds" } })
        }
      }),
      Flow.orDeadLetter(FailedPayments, ({ _tag, attempts, error, failed_at, record }) => ({
        ...record,
        enrichment_status: status[_tag],
        reason: error.message,
        attempts,
        enrichment_timestamp: failed_at as Timestamp // the clock's
      })),
      Flow.stamp("enrichment_timestamp"),
      Flow.extend({ enrichment_status: () => "SUCCESS" as const }),
      Flow.to(EnrichedPayments)
    )
  ])

/** Claims over this are large, unless who runs the flow says otherwise. */
export const largeClaimsOverDefault = Decimal.of("10000", 2)

/** A job that keeps payments on claims over an amount. It has no state: another amount holds from the next record on. */
export const makeLargeClaims = (over: Decimal<2>) =>
  Job.make("large-claims", [
    Flow.from(EnrichedPayments).pipe(Flow.filter(expr(`claim_amount > ${over.toString()}`)), Flow.to(LargeClaims))
  ])
