/**
 * What can be generated: by kind its topic, where its records come from, and what is said of those with a label.
 */
import type { Topic } from "@frazil/core"
import { Authentication, Clickstream, Customers, LoanApplications, PaymentEvents, RawTransactions } from "@frazil/model"
import { makeApplications } from "./Applications.ts"
import { makeClicks } from "./Clicks.ts"
import { customersCount, makeCustomers } from "./Customers.ts"
import { makeLogins } from "./Logins.ts"
import { makePayments } from "./Payments.ts"
import type { GeneratedRecord, RecordSource } from "./RecordSource.ts"
import { makeTransactions } from "./Transactions.ts"

export const kindNames = ["transactions", "applications", "payments", "logins", "clicks", "customers"] as const
export type KindName = (typeof kindNames)[number]

/** What may be said about records; each kind's source has defaults. */
export interface Shares {
  readonly fraudShare?: number | undefined
  readonly invalidShare?: number | undefined
  readonly knownShare?: number | undefined
  readonly unknownShare?: number | undefined
  readonly claims?: number | undefined
  readonly guessShare?: number | undefined
}

export interface Kind {
  readonly topic: Pick<Topic<never>, "name" | "partitions">
  readonly source: (seed: number, shares?: Shares) => RecordSource
  /** `370 labelled as fraud`. */
  readonly labelText?: string
  /** How many there are, whatever the rate: they are not events. */
  readonly all?: number
}

/** Hides what only a source itself knows of its records. */
const anyRecord = <R extends GeneratedRecord>({ next, partitioner }: RecordSource<R>): RecordSource => ({
  next,
  partitioner: (partitions) => {
    const partitionOf = partitioner(partitions)
    // the generator hands back what this source made
    return (record) => partitionOf(record as R)
  }
})

export const kinds: Readonly<Record<KindName, Kind>> = {
  transactions: {
    topic: RawTransactions,
    source: (seed, { fraudShare, invalidShare } = {}) =>
      anyRecord(makeTransactions({ seed, fraudShare, invalidShare })),
    labelText: "labelled as fraud"
  },
  applications: {
    topic: LoanApplications,
    source: (seed, { knownShare } = {}) => makeApplications({ seed, knownShare })
  },
  payments: {
    topic: PaymentEvents,
    source: (seed, { claims, unknownShare } = {}) => makePayments({ seed, claims, unknownShare }),
    labelText: "of unknown claims"
  },
  logins: {
    topic: Authentication,
    source: (seed, { guessShare } = {}) => makeLogins({ seed, guessShare }),
    labelText: "of guessing"
  },
  clicks: { topic: Clickstream, source: (seed) => makeClicks({ seed }) },
  customers: { topic: Customers, source: makeCustomers, all: customersCount }
}
