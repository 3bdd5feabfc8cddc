/**
 * What can be generated: by kind its topic, where its records come from, and what is said of those with a label.
 */
import type { Topic } from "@frazil/core"
import type { Log, LogError } from "@frazil/engine"
import { Customers, LoanApplications, PaymentEvents, RawTransactions } from "@frazil/model"
import {
  customersCount,
  type GeneratedRecord,
  makeApplications,
  makeCustomers,
  makePayments,
  makeTransactions,
  type RecordSource
} from "@frazil/sim"
import { Effect } from "effect"

export const kindNames = ["transactions", "applications", "payments", "customers"] as const
export type KindName = (typeof kindNames)[number]

/** What the options say about records. */
export interface Shares {
  readonly fraudShare: number
  readonly invalidShare: number
  readonly knownShare: number
  readonly unknownShare: number
  readonly claims: number
}

export interface Kind {
  readonly topic: Pick<Topic<never>, "name" | "partitions">
  readonly source: (seed: number, shares: Shares) => RecordSource
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
    source: (seed, { fraudShare, invalidShare }) => anyRecord(makeTransactions({ seed, fraudShare, invalidShare })),
    labelText: "labelled as fraud"
  },
  applications: {
    topic: LoanApplications,
    source: (seed, { knownShare }) => makeApplications({ seed, knownShare })
  },
  payments: {
    topic: PaymentEvents,
    source: (seed, { claims, unknownShare }) => makePayments({ seed, claims, unknownShare }),
    labelText: "of unknown claims"
  },
  customers: { topic: Customers, source: makeCustomers, all: customersCount }
}

/** Whether a topic holds nothing yet. */
export const emptyTopic = (log: Log["Service"], name: string): Effect.Effect<boolean, LogError> =>
  Effect.map(log.bounds(name), (bounds) => bounds.every(({ end, start }) => end === start))
