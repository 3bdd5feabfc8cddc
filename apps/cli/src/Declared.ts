/**
 * What this build declares: jobs, tables, and the contracts of topics that they name.
 *
 * Commands look topics and tables up here; the log and the catalog may hold others.
 */
import { KeyScanner, type Topic } from "@frazil/core"
import { flows } from "@frazil/flows"
import { tables } from "@frazil/lakehouse"
import { contracts, DeadLetters, Ledger } from "@frazil/model"
import type { Declared } from "@frazil/platform"

const jobs = Object.values(flows).flat()

/** For what looks at the whole system. */
export const declared: Declared = {
  jobs,
  landings: tables,
  deadLetterTopic: DeadLetters.name,
  ledgerTopic: Ledger.name
}

type Contract = Pick<Topic<never>, "name" | "shape" | "key" | "keyElse" | "eventTime" | "partitions">

/** The contract of a topic; undefined for a topic that has none. */
export const contractOf = (topic: string): Contract | undefined => contracts.find(({ name }) => name === topic)

/** Reads keys as the topic's contract says. */
export const keyScannerOf = (contract: Contract): KeyScanner => KeyScanner.make(contract as unknown as Topic<unknown>) // read by its shape and key alone

export const landingOf = (table: string) => tables.find((landing) => landing.table === table)

/** The table that a topic lands in. */
export const tableOf = (topic: string): string | undefined =>
  tables.find((landing) => landing.topic.name === topic)?.table
