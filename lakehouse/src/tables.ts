/**
 * Which topic lands in which table. Tables are landed topics; flows never name them.
 *
 * The pipeline lands them, commands and checks find a table's topic here.
 */
import { days, Landing } from "@frazil/lake"
import {
  Alerts,
  DeadLetters,
  EnrichedPayments,
  FailedPayments,
  Ledger,
  LoanApplications,
  LoanDecisions,
  MaintenanceRuns,
  RawTransactions
} from "@frazil/model"

export const tables = [
  Landing.make(RawTransactions, { table: "transactions.raw", partition: [days("event_timestamp")] }),
  Landing.make(Alerts, { table: "transactions.alerts", partition: [days("event_timestamp")] }),
  Landing.make(LoanApplications, { table: "lending.applications", partition: [days("applied_at")] }),
  Landing.make(LoanDecisions, { table: "lending.decisions", partition: [days("decided_at")] }),
  Landing.make(EnrichedPayments, { table: "claims.enriched", partition: [days("payment_date")] }),
  Landing.make(FailedPayments, { table: "claims.failed", partition: [days("payment_date")] }),
  Landing.make(DeadLetters, { table: "system.dead_letter", partition: [days("failed_at")] }),
  // entries need not have a time: one partition
  Landing.make(Ledger, { table: "system.ledger" }),
  Landing.make(MaintenanceRuns, { table: "system.maintenance" })
]
