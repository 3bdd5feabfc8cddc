/**
 * Which topic lands in which table. Tables are landed topics; flows never name them.
 *
 * The pipeline lands them, commands and checks find a table's topic here.
 */
import { days, Landing } from "@frazil/lake"
import { Alerts, DeadLetters, Ledger, MaintenanceRuns, RawTransactions } from "@frazil/model"

export const tables = [
  Landing.make(RawTransactions, { table: "transactions.raw", partition: [days("event_timestamp")] }),
  Landing.make(Alerts, { table: "transactions.alerts", partition: [days("event_timestamp")] }),
  Landing.make(DeadLetters, { table: "system.dead_letter", partition: [days("failed_at")] }),
  // entries need not have a time: one partition
  Landing.make(Ledger, { table: "system.ledger" }),
  Landing.make(MaintenanceRuns, { table: "system.maintenance" })
]
